"""Names of the framework's files in a study folder."""

from __future__ import annotations

from collections.abc import Mapping

FILE_NAMES: Mapping[str, str] = {
    "department": "khung_do_luong_so.xlsx",
    "district": "khung_do_luong_huyen.xlsx",
    "commune": "khung_do_luong_xa.xlsx",
}
ACTIONS_FILE = "hanh_dong.xlsx"
REGISTER_FILE = "so_ket_qua.xlsx"
FRAME_FILE = "khung_mau.xlsx"
