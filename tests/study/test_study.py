"""Loading a study: which files win, what the data may claim, where results go."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from sipas_research import resources
from sipas_research.errors import AgencyError, HonestyError, SipasWarning, StudyError
from sipas_research.results import DataKind
from sipas_research.study.check import run_check
from sipas_research.study.place import find_own_study, find_study
from sipas_research.study.study import load_study, scorecard_agencies
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.agency_files import write_agencies_xlsx
from sipas_research.survey.column_files import write_column_map
from sipas_research.survey.crosswalk import Crosswalk, Succession
from sipas_research.wording import Bilingual

TEXT = """
[study]
id = "thu"
title_vi = "Thử"
place_vi = "Nơi thử"
data_kind = "{kind}"
agencies = "{agencies}"
[provenance]
{provenance}
[[survey]]
file = "a.csv"
[survey.design]
weight = "weight"
"""
FULL = 'owner = "Chủ"\ncollected_from = "01/03/2025"\ncollected_to = "30/04/2025"\ndecision = "QĐ"'


def write(folder: Path, *, kind: str = "user", agencies: str = "", provenance: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.toml"
    path.write_text(TEXT.format(kind=kind, agencies=agencies, provenance=provenance), encoding="utf-8")
    return path


def test_packaged_twin_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = load_study()
    assert study.path == resources.data("twin", "study.toml")
    assert study.data_kind is DataKind.SIMULATED
    assert study.names == ("citizens", "staff")
    assert len(study.agencies.agencies) == 31
    if resources.is_checkout():
        assert study.output == resources.root() / "outputs" / "twin"


def test_current_year_and_first_agency() -> None:
    study = load_study(resources.data("twin"))
    everyone = study.responses()
    current = study.current(everyone)
    assert set(current.frame["year"]) == {2022}
    assert len(current) < len(everyone)
    enough = scorecard_agencies(current)
    assert study.first_agency(current) == enough[0]
    assert list(enough) == [c for c in study.agencies.codes() if c in enough]


def test_an_agency_whose_figures_are_withheld_gets_no_scorecard() -> None:
    study = load_study(resources.data("twin"))
    current = study.current(study.responses())
    first, second = scorecard_agencies(current)[:2]
    frame = current.frame.copy()
    items = [q.id for q in current.questionnaire.items()]
    frame.loc[frame["agency"] == first, items] = 4.0
    alike = dataclasses.replace(current, frame=frame)
    assert first not in scorecard_agencies(alike)
    with pytest.raises(StudyError, match=second) as caught:
        dataclasses.replace(study, scorecard_agency=first).first_agency(alike)
    assert caught.value.key == "study.scorecard_agency_unable"
    frame = frame.assign(**dict.fromkeys(items, 4.0))
    everywhere = dataclasses.replace(current, frame=frame)
    assert scorecard_agencies(everywhere) == ()
    with pytest.raises(StudyError) as caught:
        study.first_agency(everywhere)
    assert caught.value.key == "study.no_scorecard_agency"
    nameless = dataclasses.replace(current, frame=current.frame.drop(columns="agency"))
    with pytest.raises(StudyError) as caught:
        study.first_agency(nameless)
    assert caught.value.key == "study.no_agency_column"


def test_a_study_above_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "nghien_cuu")
    inner = tmp_path / "nghien_cuu" / "notebooks"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert find_own_study() == (tmp_path / "nghien_cuu" / "study.toml").resolve()
    assert load_study().output == (tmp_path / "nghien_cuu" / "ket_qua").resolve()


@pytest.mark.parametrize(
    ("provenance", "kind", "notes"), [(FULL, DataKind.REAL, 0), ('owner = "Chủ"', DataKind.USER, 1)]
)
def test_real_needs_its_provenance(tmp_path: Path, provenance: str, kind: DataKind, notes: int) -> None:
    study = load_study(write(tmp_path, kind="real", provenance=provenance))
    assert study.data_kind is kind
    assert len(study.notes) == notes
    if notes:
        assert "collected_from, collected_to, decision" in study.notes[0].text("vi")


def test_a_real_agency_in_a_simulated_study_is_refused(tmp_path: Path) -> None:
    register = AgencyRegister((Agency("h01", Bilingual("huyện  Tràng Định"), "district"),))
    write_agencies_xlsx(register, tmp_path / "don_vi.xlsx")
    with pytest.raises(HonestyError):
        load_study(write(tmp_path, kind="simulated"))
    assert load_study(write(tmp_path, kind="user")).agencies.codes() == ("h01",)


def test_a_simulated_register_in_a_user_study_is_refused(tmp_path: Path) -> None:
    place = write(tmp_path, agencies="agencies.csv")
    shutil.copyfile(resources.data("twin", "agencies.csv"), tmp_path / "agencies.csv")
    with pytest.raises(HonestyError) as caught:
        load_study(place)
    assert caught.value.key == "agency.honesty.simulated_register"
    write(tmp_path, kind="simulated", agencies="agencies.csv")
    assert load_study(place).agencies.simulated


def test_own_register_wins(tmp_path: Path) -> None:
    (tmp_path / "khac.csv").write_text("code,name_vi\nzz,Khác\n", encoding="utf-8")
    write_agencies_xlsx(AgencyRegister((Agency("a1", Bilingual("Đơn vị một")),)), tmp_path / "don_vi.xlsx")
    assert load_study(write(tmp_path, agencies="khac.csv")).agencies.codes() == ("a1",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('file = "a.csv"', 'file = "a.csv"\nquestionnaire = "citizen"'), ("citizen", "citizens, staff")),
        (('weight = "weight"', 'weight = "weigth"'), ("survey.design.weight", "weigth", "weight")),
        (('agencies = ""', 'agencies = "khong_co.csv"'), ("study.agencies", "khong_co.csv")),
        (('file = "a.csv"', 'file = "a.csv"\nquestionnaire = "mau.xlsx"'), ("survey.questionnaire", "mau.xlsx")),
    ],
)
def test_refusals_name_the_key(tmp_path: Path, change: tuple[str, str], words: tuple[str, ...]) -> None:
    path = write(tmp_path)
    content = path.read_text(encoding="utf-8")
    assert change[0] in content
    path.write_text(content.replace(*change), encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        load_study(path)
    for word in words:
        assert word in caught.value.message("vi")
        assert word in caught.value.message("en")


def test_unknown_survey_and_missing_places(tmp_path: Path) -> None:
    study = load_study(write(tmp_path))
    with pytest.raises(StudyError, match="citizens"):
        study.survey("staff")
    with pytest.raises(StudyError, match=r"a\.csv"):
        study.responses()
    with pytest.raises(StudyError, match="khong_co"):
        find_study(tmp_path / "khong_co.toml")
    (tmp_path / "trong").mkdir()
    with pytest.raises(StudyError, match="trong"):
        find_study(tmp_path / "trong")


@pytest.mark.parametrize("name", ["study.toml.txt", "cau_hoi.xlsx", "cot_du_lieu.xlsx", "don_vi.xlsx"])
def test_a_lost_study_file_does_not_lead_to_the_simulated_province(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    for find in (load_study, find_own_study, lambda: load_study(tmp_path)):
        with pytest.raises(StudyError, match=name) as caught:
            find()
        assert caught.value.key == "study.file_lost"


def test_files_open_in_excel_are_told(tmp_path: Path) -> None:
    path = write(tmp_path)
    write_agencies_xlsx(AgencyRegister((Agency("a", Bilingual("Sở A")),)), tmp_path / "don_vi.xlsx")
    assert load_study(path).notes == ()
    (tmp_path / "~$don_vi.xlsx").write_bytes(b"\x06Nguyen")
    (note,) = load_study(path).notes
    assert note.key == "study.open_file"
    assert "'don_vi.xlsx'" in note.text("vi")


def test_a_column_map_without_rows_of_the_survey_is_told(tmp_path: Path) -> None:
    path = write(tmp_path)
    write_column_map(tmp_path / "cot_du_lieu.xlsx", [])
    assert load_study(path).notes == (), "without a data file there is nothing to match"
    (tmp_path / "a.csv").write_bytes(b"")
    study = load_study(path)
    assert [(n.key, dict(n.fields)["name"]) for n in study.notes] == [("study.no_column_rows", "citizens")]
    assert study.survey().columns is None


def test_check_tells_the_notes_of_the_study(tmp_path: Path) -> None:
    path = write(tmp_path, kind="real")
    (tmp_path / "a.csv").write_text("access_1;access_2\n1;2\n", encoding="utf-8")
    with pytest.warns(SipasWarning, match="owner, collected_from, collected_to, decision"):
        run_check(str(path))


def test_a_checked_file_belongs_to_the_survey_that_names_it(tmp_path: Path) -> None:
    path = write(tmp_path)
    second = '[[survey]]\nname = "staff"\nfile = "b.csv"\n'
    path.write_text(path.read_text(encoding="utf-8") + second, encoding="utf-8")
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / name).write_text("pay_1;pay_2\n1;2\n", encoding="utf-8")
    for name, survey in (("a.csv", "citizens"), ("b.csv", "staff"), ("c.csv", "citizens")):
        (result,) = run_check(str(path), tmp_path / name)
        assert {file.stem for file in result.files} == {survey}


def test_changes_of_agencies_are_read_when_asked(tmp_path: Path) -> None:
    register = AgencyRegister((Agency("h", Bilingual("Huyện A"), "district", "", "2025-06-30"),))
    path = write(tmp_path)
    assert load_study(path).crosswalk.rows == ()
    write_agencies_xlsx(register, tmp_path / "don_vi.xlsx")
    table = tmp_path / "crosswalk.csv"
    table.write_text("from_code,to_code,date,kind\nh,,2025-07-01,giải thể\n", encoding="utf-8")
    found = load_study(path).crosswalk
    assert (found.source, found.successors("h", "2025-07-01")) == ("crosswalk.csv", ())
    own = Crosswalk((Succession("h", "", "2026-01-01", "abolished"),))
    write_agencies_xlsx(register, tmp_path / "don_vi.xlsx", crosswalk=own)
    assert load_study(path).crosswalk.source == "don_vi.xlsx"
    write_agencies_xlsx(register, tmp_path / "don_vi.xlsx")
    table.write_text("from_code,to_code,date,kind\nla,,2025-07-01,giải thể\n", encoding="utf-8")
    study = load_study(path)
    with pytest.raises(AgencyError, match=r"'la'.*'don_vi\.xlsx'"):
        _ = study.crosswalk


def test_the_packaged_study_of_lang_son_has_its_changes() -> None:
    (only,) = load_study(resources.data("lang_son")).crosswalk.breaks()
    assert (only.date, len(only.ended)) == ("2025-07-01", 11)
