"""Nothing half-written, and a document held open by Word gets a sibling instead of an error."""

import pytest

from sipas_research.errors import OutputError
from sipas_research.files import write_file, write_text


def test_a_failed_write_leaves_the_old_file(tmp_path):
    target = write_text(tmp_path / "báo cáo.txt", "cũ")

    def half(path):
        path.write_text("nửa", encoding="utf-8")
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        write_file(target, half)
    assert target.read_text(encoding="utf-8") == "cũ"
    assert [p.name for p in tmp_path.iterdir()] == ["báo cáo.txt"]


def test_a_file_held_by_word_gets_the_next_name(tmp_path):
    (tmp_path / "bao_cao.docx").write_bytes(b"open in Word")
    (tmp_path / "~$o_cao.docx").write_bytes(b"")
    landed = write_file(tmp_path / "bao_cao.docx", lambda p: p.write_bytes(b"new"))
    assert landed.name == "bao_cao (2).docx"
    assert landed.read_bytes() == b"new"
    assert (tmp_path / "bao_cao.docx").read_bytes() == b"open in Word"


def test_a_refused_rename_gets_the_next_name(tmp_path, monkeypatch):
    from pathlib import Path

    rename = Path.replace

    def refuse(self, target):
        if target.name == "bang.xlsx":
            raise PermissionError(13, "in use")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    assert write_file(tmp_path / "bang.xlsx", lambda p: p.write_bytes(b"x")).name == "bang (2).xlsx"


def test_a_folder_that_is_a_file_is_one_clear_error(tmp_path):
    (tmp_path / "ket_qua").write_text("not a folder", encoding="utf-8")
    with pytest.raises(OutputError, match="Không ghi được vào thư mục 'ket_qua'"):
        write_text(tmp_path / "ket_qua" / "a.txt", "x")
