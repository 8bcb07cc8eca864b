"""The plan is checked as a whole: notebooks, parameter names, values, files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sipas_research.errors import RunError
from sipas_research.results import DataKind
from sipas_research.study.plan import (
    CHAPTERS,
    SCORECARD,
    Plan,
    Step,
    declared_parameters,
    report_plan,
    safe_name,
    scorecard_plan,
    validate,
)
from sipas_research.study.study import Study
from sipas_research.study.study_file import Provenance
from sipas_research.wording import Bilingual


def write(path: Path, *sources: str, tagged: bool = True) -> Path:
    cells = [
        {"cell_type": "code", "metadata": {"tags": ["parameters"] if tagged and n == 0 else []}, "source": source}
        for n, source in enumerate(sources)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}), encoding="utf-8")
    return path


@pytest.fixture
def study(tmp_path: Path) -> Study:
    for name in CHAPTERS:
        write(tmp_path / "notebooks" / f"{name}.ipynb", 'study = ""\nlanguage = "vi"')
    write(tmp_path / "notebooks" / f"{SCORECARD}.ipynb", 'study = ""\nlanguage = "vi"\nagency: str = ""')
    return Study(
        id="thu",
        title=Bilingual("Thử"),
        place=Bilingual("Nơi thử"),
        year=None,
        folder=tmp_path,
        data_kind=DataKind.SIMULATED,
        provenance=Provenance(),
        surveys=(),
        languages=("vi", "en"),
        scorecard_agency="",
        path=tmp_path / "study.toml",
    )


def test_report_plan_holds_each_chapter_in_each_language_and_the_scorecard(study: Study, tmp_path: Path) -> None:
    plan = report_plan(study, ("vi", "en"), tmp_path / "ket_qua", agency="so/07")
    validate(plan)
    assert len(plan.steps) == 2 * len(CHAPTERS) + 2
    assert plan.steps[0].output.name == "02_survey_quality_vi_mo-phong.ipynb"
    assert plan.steps[-1].output.name == "90_agency_scorecard_so-07_en_mo-phong.ipynb"
    assert dict(plan.steps[-1].parameters)["agency"] == "so/07"
    for language in ("vi", "en"):
        lines = plan.summary(language).splitlines()
        assert len(lines) == 1 + len(plan.steps)
        assert str(tmp_path) not in "".join(lines)


def test_user_data_carry_no_mark(study: Study, tmp_path: Path) -> None:
    plan = scorecard_plan(replace(study, data_kind=DataKind.USER), ("vi",), tmp_path, agencies=("a", "b"))
    assert [s.output.name for s in plan.steps] == ["90_agency_scorecard_a_vi.ipynb", "90_agency_scorecard_b_vi.ipynb"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"study": "x", "langage": "vi"}, ("langage", "language")),
        ({"study": "x", "zzz": 1}, ("zzz", "study, language, needed")),
        ({"study": "x", "language": "vi"}, ("needed",)),
        ({"study": Path("x"), "needed": 1}, ("PosixPath", "study")),
    ],
)
def test_parameters_are_refused(tmp_path: Path, parameters: dict[str, object], words: tuple[str, ...]) -> None:
    path = write(tmp_path / "02_x.ipynb", 'study = ""\nlanguage = "vi"\nneeded = None')
    with pytest.raises(RunError) as caught:
        validate(Plan((Step(path, tuple(parameters.items()), tmp_path / "out.ipynb", "vi"),)))
    message = caught.value.message("vi")
    for word in words:
        assert word.replace("PosixPath", type(Path("x")).__name__) in message
    assert "02_x.ipynb" in message


def test_every_trouble_is_listed_at_once(tmp_path: Path) -> None:
    bad = write(tmp_path / "03_bad.ipynb", "x = 1", tagged=False)
    code = write(tmp_path / "04_code.ipynb", "study = input()")
    out = tmp_path / "out.ipynb"
    steps = tuple(Step(p, (), out, "vi") for p in (tmp_path / "02_none.ipynb", bad, code))
    with pytest.raises(RunError) as caught:
        validate(Plan(steps))
    message = caught.value.message("en")
    assert [p.key for p in caught.value.problems].count("run.plan.same_output") == 1
    for name in ("02_none", "03_bad", "04_code"):
        assert name in message


def test_declared_parameters(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", '"""Doc."""\nstudy = ""\nlevels: list = [1, 2]\nlow = -1.5', "other = 2")
    assert declared_parameters(path) == {"study": "", "levels": [1, 2], "low": -1.5}


def test_agency_codes_become_safe_file_names() -> None:
    assert safe_name("Sở/7: a*b.") == "Sở-7--a-b"
