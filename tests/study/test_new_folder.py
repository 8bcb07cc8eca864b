"""``sipas new``: a folder with everything, made whole or not at all, from a file named and labelled in Vietnamese."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from sipas_research import resources
from sipas_research.errors import DataFileError, OptionError, StudyError
from sipas_research.framework.file_names import FILE_NAMES, REGISTER_FILE
from sipas_research.framework.framework_file import write_framework_xlsx
from sipas_research.framework.framework_spec import LEVELS
from sipas_research.framework.results_register import advance
from sipas_research.results import DataKind
from sipas_research.study.check import run_check
from sipas_research.study.new_folder import identifier, make_folder
from sipas_research.study.read_first import read_first_page
from sipas_research.study.study import load_study
from sipas_research.survey.questionnaire_files import load_questionnaire

FRAMEWORK = {"khung_do_luong_so.xlsx", "khung_do_luong_huyen.xlsx", "khung_do_luong_xa.xlsx"}
FILES = {"study.toml", "DOC_TRUOC.html", "hanh_dong.xlsx", "so_ket_qua.xlsx", "khung_mau.xlsx"} | FRAMEWORK
FILES |= {"cau_hoi.xlsx", "cot_du_lieu.xlsx", "don_vi.xlsx"}
FACTS = {"agency": "Đơn vị", "year": "Năm", "sex": "Giới tính", "weight": "Quyền số"}


def twin(rows: int = 60) -> pd.DataFrame:
    frame = pd.read_csv(resources.data("twin", "citizens.csv"), encoding="utf-8-sig")
    return frame[frame["year"] == 2022].head(rows).reset_index(drop=True)


@pytest.fixture
def sav(tmp_path: Path) -> Path:
    """Write a file as SPSS users keep it: short names, question texts as labels, one column nobody declared."""
    questionnaire = load_questionnaire("citizens")
    items = [q.id for q in questionnaire.items()]
    frame = twin()[[*FACTS, *items]].copy()
    frame["ghi_chu"] = "riêng tư"
    names = {name: f"C{n}" for n, name in enumerate(items, start=1)}
    labels = {names[q]: questionnaire.question(q).text.vi for q in items} | {"ghi_chu": "Ghi chú"}
    renamed = frame.rename(columns=names | {"agency": "agency", "sex": "sex", "year": "year", "weight": "weight"})
    path = tmp_path / "số liệu khảo sát.sav"
    pyreadstat.write_sav(renamed, str(path), column_labels=labels)
    return path


def test_folder_from_a_renamed_sav(tmp_path: Path, sav: Path) -> None:
    folder = tmp_path / "Khảo sát năm 2025"
    made = make_folder(folder, sav)
    assert set(made.files) > FILES | {"du_lieu/số liệu khảo sát.sav", "notebooks/02_survey_quality.ipynb"}
    assert (folder / "du_lieu" / sav.name).read_bytes() == sav.read_bytes()
    declared = tomllib.loads((folder / "study.toml").read_text(encoding="utf-8"))
    assert declared["study"]["id"] == "khao_sat_nam_2025"
    assert declared["study"]["year"] == 2022
    assert declared["survey"][0]["design"] == {"weight": "weight"}
    assert '# cluster = "site"' in (folder / "study.toml").read_text(encoding="utf-8"), "offered, never switched on"
    keys = [key for key, _ in made.messages]
    assert "study.new.privacy" in keys
    assert "study.new.drafted" not in keys
    study = load_study(folder)
    assert study.data_kind is DataKind.USER
    assert study.output == folder / "ket_qua"
    assert study.survey().columns is not None
    answers = study.responses()
    assert len(answers) == 60
    assert answers.questionnaire.items() == load_questionnaire("citizens").items()
    assert "ghi_chu" not in answers.frame
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_framework_files_are_the_packaged_ones_until_edited(tmp_path: Path) -> None:
    make_folder(tmp_path / "moi")
    study, packaged = load_study(tmp_path / "moi"), load_study(resources.data("twin"))
    for level in LEVELS:
        own = study.framework(level)
        assert own.file.startswith("khung_do_luong_")
        assert replace(own, file=packaged.framework(level).file) == packaged.framework(level)
    assert study.actions().actions == packaged.actions().actions
    assert not study.results_register().entries
    assert not packaged.results_register().entries
    write_framework_xlsx(replace(packaged.framework("commune"), half_width=0.04), study.folder / FILE_NAMES["commune"])
    assert study.framework("commune").half_width == 0.04
    advance(
        study.folder / REGISTER_FILE,
        year=2025,
        level="commune",
        state="draft",
        date="2025-12-01",
        role="compiler",
        what="Tính chỉ số",
    )
    assert study.results_register().state(2025, "commune") == "draft"


def test_simulated_file_makes_a_simulated_study(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    twin().to_csv(source, index=False, encoding="utf-8")
    made = make_folder(tmp_path / "thu", source)
    assert "study.new.simulated" in [key for key, _ in made.messages]
    study = load_study(tmp_path / "thu")
    assert study.data_kind is DataKind.SIMULATED
    assert study.agencies.simulated


def test_another_questionnaire_is_drafted(tmp_path: Path) -> None:
    source = tmp_path / "khac.csv"
    frame = pd.DataFrame({f"Honesty{n}": [1, 2, 3, 4, 5] * 6 for n in range(1, 5)})
    frame.to_csv(source, index=False)
    made = make_folder(tmp_path / "thu", source)
    assert "study.new.drafted" in [key for key, _ in made.messages]
    study = load_study(tmp_path / "thu")
    assert len(study.survey().questionnaire.items()) == 4
    assert len(study.responses()) == 30
    assert "bản nháp" in (tmp_path / "thu" / "DOC_TRUOC.html").read_text(encoding="utf-8")


def test_without_a_file_the_folder_waits_for_one(tmp_path: Path) -> None:
    made = make_folder(tmp_path / "trong", form="staff")
    assert made.messages[0][0] == "study.new.no_data"
    study = load_study(tmp_path / "trong")
    assert study.names == ("staff",)
    assert study.year is None
    with pytest.raises(StudyError, match=r"khao_sat\.csv"):
        study.responses("staff")


def test_nothing_is_overwritten_or_left_behind(tmp_path: Path) -> None:
    busy = tmp_path / "co_san"
    busy.mkdir()
    (busy / "a.txt").write_text("x", encoding="utf-8")
    with pytest.raises(StudyError, match="co_san"):
        make_folder(busy)
    assert [p.name for p in busy.iterdir()] == ["a.txt"]
    wrong = tmp_path / "hong.xlsx"
    wrong.write_bytes(b"PK\x03\x04 not a workbook")
    with pytest.raises(DataFileError):
        make_folder(tmp_path / "moi", wrong)
    with pytest.raises(OptionError, match="citizens, staff"):
        make_folder(tmp_path / "moi", form="khac")
    assert not (tmp_path / "moi").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["co_san", "hong.xlsx"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "rong").mkdir()
    assert (make_folder(tmp_path / "rong").folder / "study.toml").is_file()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Khảo sát năm 2025", "khao_sat_nam_2025"),
        ("Đồng Đăng", "dong_dang"),
        ("  ", "nghien_cuu"),
        ("调查", "nghien_cuu"),
    ],
)
def test_identifier(name: str, expected: str) -> None:
    assert identifier(name) == expected


def test_page_escapes_the_folder_name() -> None:
    page = read_first_page('<b>"x"</b>', drafted=True, with_data=False)
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert page.index("Việc cần làm") < page.index("What to do")
    assert "http" not in page


def test_a_file_is_no_folder(sav: Path) -> None:
    with pytest.raises(StudyError) as caught:
        make_folder(sav)
    assert caught.value.key == "study.new.is_file"


def test_the_sheet_that_holds_the_answers_is_named(tmp_path: Path) -> None:
    source = tmp_path / "hai trang.xlsx"
    with pd.ExcelWriter(source) as book:
        pd.DataFrame({"Hướng dẫn": ["Nhập ở trang sau"]}).to_excel(book, sheet_name="Ghi chú", index=False)
        twin().drop(columns="data_kind").to_excel(book, sheet_name="Số liệu", index=False)
    first = make_folder(tmp_path / "a", source)
    told = dict(first.messages)["study.new.sheet"]
    assert dict(told) == {"sheet": "Ghi chú", "others": "Số liệu"}
    (result,) = run_check(str(first.folder))
    assert not result.accepted
    assert "không đọc Số liệu" in result.summary("vi")
    assert run_check(str(first.folder), first.folder / "du_lieu" / source.name, sheet="Số liệu")[0].report is not None
    named = make_folder(tmp_path / "b", source, sheet="Số liệu")
    assert load_study(named.folder).survey().sheet == "Số liệu"
    assert run_check(str(named.folder))[0].accepted
    with pytest.raises(DataFileError, match="Ghi chú, Số liệu"):
        make_folder(tmp_path / "c", source, sheet="Sheet1")
    assert not (tmp_path / "c").exists()


def test_the_columns_tell_which_form_a_file_answers(tmp_path: Path) -> None:
    staff = pd.read_csv(resources.data("twin", "staff.csv"), encoding="utf-8-sig", dtype=str).head(30)
    staff.drop(columns="data_kind").to_csv(tmp_path / "can bo.csv", index=False, encoding="utf-8")
    made = make_folder(tmp_path / "a", tmp_path / "can bo.csv")
    told = dict(made.messages)
    assert "study.new.drafted" not in told
    assert dict(told["study.new.form"])["title"] == load_questionnaire("staff").title
    assert load_study(made.folder).names == ("staff",)
    twin().to_csv(tmp_path / "dan.csv", index=False, encoding="utf-8")
    assert load_study(make_folder(tmp_path / "b", tmp_path / "dan.csv").folder).names == ("citizens",)
