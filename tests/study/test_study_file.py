"""What study.toml may say, and how it is refused."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from sipas_research import wording
from sipas_research.errors import StudyError
from sipas_research.study.study_file import read_study_file

GOOD = """
[study]
id = "khao_sat"
title_vi = "Khảo sát"
place_vi = "Tỉnh thử"
year = 2025
data_kind = "real"

[provenance]
owner = "Chủ dữ liệu"
collected_from = "01/03/2025"
collected_to = 2025-04-30
decision = "Quyết định thử"

[[survey]]
name = "citizens"
file = "du_lieu/a.csv"
[survey.design]
weight = "weight"

[report]
languages = ["vi"]
"""


def write(folder: Path, content: str) -> Path:
    path = folder / "study.toml"
    path.write_text(content, encoding="utf-8")
    return path


def test_whole_file(tmp_path: Path) -> None:
    file = read_study_file(write(tmp_path, "\ufeff" + GOOD))
    assert file.title("en") == "Khảo sát"
    assert file.provenance.collected_from == datetime.date(2025, 3, 1)
    assert file.provenance.complete
    assert file.surveys[0].questionnaire == "citizens"
    assert file.surveys[0].design.weight == "weight"
    assert file.languages == ("vi",)


def test_year_may_be_absent(tmp_path: Path) -> None:
    assert read_study_file(write(tmp_path, GOOD.replace("year = 2025", ""))).year is None


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("[report]", "[raport]", "study.unknown_key_near", ("raport", "report")),
        ("weight =", "wieght =", "study.unknown_key_near", ("survey.design.wieght", "weight")),
        ("owner =", "zzz =", "study.unknown_key", ("provenance.zzz", "owner")),
        ('id = "khao_sat"', 'id = ""', "study.needed", ("study.id",)),
        # The survey's name becomes the name of a file in kiem_tra.
        ('name = "citizens"', 'name = "../x"', "study.bad_id", ("survey.name", "../x")),
        ('id = "khao_sat"', "id = 7", "study.not_text", ("study.id", "7")),
        ('id = "khao_sat"', 'id = "khảo sát"', "study.bad_id", ("khảo sát",)),
        ("year = 2025", "year = 25", "study.bad_year", ("25", "1990")),
        ("year = 2025", "year = true", "study.bad_year", ("True",)),
        ('"real"', '"thật"', "study.not_allowed", ("thật", "real, user, simulated")),
        ('"01/03/2025"', '"31/02/2025"', "study.bad_date", ("31/02/2025",)),
        ('"01/03/2025"', '"01/06/2025"', "study.dates_reversed", ("collected_to",)),
        ('file = "du_lieu/a.csv"', "", "study.needed", ("survey.file",)),
        ('title_vi = "Khảo sát"', "", "study.needed", ("study.title_vi",)),
        ('"du_lieu/a.csv"', '"du_lieu\\a.csv"', "study.not_toml", ("TOML",)),
        ("[[survey]]", "[survey]", "study.not_survey_list", ("[[survey]]",)),
        ('["vi"]', '["fr"]', "study.not_allowed", ("fr", "vi, en")),
        ("[provenance]", "max = 1\n[provenance]", "study.unknown_key", ("study.max",)),
        ('name = "citizens"', "max_rejected_share = 7", "study.bad_share", ("max_rejected_share",)),
    ],
)
def test_refusals_name_file_and_key(tmp_path: Path, old: str, new: str, key: str, words: tuple[str, ...]) -> None:
    assert old in GOOD
    with pytest.raises(StudyError) as caught:
        read_study_file(write(tmp_path, GOOD.replace(old, new, 1)))
    assert caught.value.key == key
    for language in wording.LANGUAGES:
        message = caught.value.message(language)
        assert "study.toml" in message
        for word in words:
            assert word in message


def test_same_survey_twice(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="hai lần"):
        read_study_file(write(tmp_path, GOOD + '\n[[survey]]\nname = "citizens"\nfile = "b.csv"\n'))


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(GOOD.encode("utf-16"))
    with pytest.raises(StudyError, match="UTF-8"):
        read_study_file(path)
