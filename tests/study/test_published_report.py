"""The report on published figures: a study that waits for its data, the PAPI file, and what may not stand together."""

import sys
from pathlib import Path

import pytest

import sipas_research as sr
from sipas_research import resources
from sipas_research.errors import DataFileError, HonestyError, StudyError
from sipas_research.study.plan import CHAPTERS, chapters
from sipas_research.study.report import check_papi, check_study

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "evidence"))
from papi_invented import invented_rows, write_rows


def packaged(name):
    return sr.load_study(resources.data(name, "study.toml"))


def test_a_study_that_waits_for_data_shows_published_figures_only(tmp_path):
    study = packaged("lang_son")
    assert not study.has_data
    assert chapters(study) == ("01_evidence",)
    assert chapters(study, papi=tmp_path / "papi.csv") == ("01_evidence", "08_papi")
    assert check_study(study, tmp_path).responses == {}
    assert chapters(packaged("twin")) == CHAPTERS


def test_a_simulated_study_may_not_show_published_figures(tmp_path):
    text = resources.data("twin", "study.toml").read_text(encoding="utf-8")
    for name in ("agencies.csv", "citizens.csv", "staff.csv"):
        (tmp_path / name).write_bytes(resources.data("twin", name).read_bytes())
    (tmp_path / "study.toml").write_text(text.replace("[report]", "[report]\nevidence = true"), encoding="utf-8")
    with pytest.raises(HonestyError, match="không được đứng chung"):
        sr.load_study(tmp_path)
    with pytest.raises(HonestyError, match="bỏ --papi"):
        check_papi(packaged("twin"), tmp_path / "papi.csv")


def test_evidence_takes_true_or_false_only(tmp_path):
    text = resources.data("lang_son", "study.toml").read_text(encoding="utf-8")
    (tmp_path / "agencies.csv").write_bytes(resources.data("lang_son", "agencies.csv").read_bytes())
    (tmp_path / "study.toml").write_text(text.replace("evidence = true", 'evidence = "có"'), encoding="utf-8")
    with pytest.raises(StudyError, match=r"report\.evidence"):
        sr.load_study(tmp_path)


def test_papi_files_are_read_before_anything_runs(tmp_path):
    study = packaged("lang_son")
    check_papi(study, None)
    with pytest.raises(DataFileError, match="Không tìm thấy tệp PAPI"):
        check_papi(study, tmp_path / "khong_co.csv")
    (tmp_path / "cut.csv").write_text("province,year\nA,2018\n", encoding="utf-8")
    with pytest.raises(DataFileError):
        check_papi(study, tmp_path / "cut.csv")


def test_a_marked_papi_file_is_refused(tmp_path):
    path = write_rows(invented_rows().assign(data_kind="simulated"), tmp_path / "marked.csv")
    with pytest.raises(HonestyError, match="mô phỏng"):
        check_papi(packaged("lang_son"), path)
