"""Another province is a folder, no code: an invented one goes from a file to ranks, classes and its framework."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sipas_research import report
from sipas_research.results import DataKind
from sipas_research.study.framework_document import make_framework_documents
from sipas_research.study.new_folder import make_folder
from sipas_research.study.outputs import write_report
from sipas_research.study.plan import Plan, step
from sipas_research.study.run import execute, person_marks
from sipas_research.study.study import Study, load_study
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.agency_files import write_agencies_xlsx
from sipas_research.survey.questionnaire_files import load_questionnaire
from sipas_research.wording import Bilingual

pytestmark = pytest.mark.slow

FORMS = 300
LEVELS = {"department": "Sở Bịa", "district": "Huyện Bịa"}
PLACE = "Tỉnh Bịa Đặt"


def answers() -> pd.DataFrame:
    """Return invented answers of eight invented agencies, two of them clearly worse than the others."""
    rng = np.random.default_rng(20)
    form = load_questionnaire("citizens")
    items = [q.id for q in form.items([*form.scale_ids("factor"), *form.scale_ids("overall")])]
    parts = []
    for level in LEVELS:
        for number in range(1, 5):
            high = 0.55 if number == 4 else 0.88
            mood = rng.normal(size=(FORMS, 1))
            score = 0.7 * mood + 0.7 * rng.normal(size=(FORMS, len(items)))
            cuts = np.quantile(score, [(1 - high) / 4, (1 - high) / 2, 1 - high, 1 - high / 3])
            frame = pd.DataFrame(np.searchsorted(cuts, score) + 1, columns=items)
            parts.append(
                frame.assign(agency=f"{level}_{number}", year=2025, weight=5.0 + number, sex=1 + frame.index % 2)
            )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Study:
    work = tmp_path_factory.mktemp("tinh")
    source = work / "khao_sat.csv"
    answers().to_csv(source, index=False, encoding="utf-8")
    folder = make_folder(work / "Tỉnh Bịa Đặt", source).folder
    agencies = [
        Agency(f"{level}_{n}", Bilingual(f"{name} {n}", f"Invented {level} {n}"), level)  # type: ignore[arg-type]
        for level, name in LEVELS.items()
        for n in range(1, 5)
    ]
    (folder / "don_vi.xlsx").unlink()
    write_agencies_xlsx(AgencyRegister(tuple(agencies)), folder / "don_vi.xlsx")
    path = folder / "study.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("Chưa ghi địa bàn", PLACE), encoding="utf-8")
    return load_study(folder)


def test_ranks_and_classes_of_an_invented_province(province: Study) -> None:
    assert province.data_kind is DataKind.USER
    plan = Plan((step(province, "05_index_and_ranking", "vi", province.output),))
    executed = execute(plan, marks=person_marks(province.responses()), folder=province.folder, quiet=True)
    chapter = report.read_chapter(executed[0], "vi")
    tables = {table.id: table for table in chapter.tables}
    for level, name in LEVELS.items():
        classes = tables[f"tbl-class-{level}"]
        said = {row[0]: row[4] for row in classes.printed()}
        assert said[f"{name} 4"] == "Chưa đạt"
        assert f"{name} 1" in said
        ranks = {row[0]: row for table in chapter.tables if table.id == f"tbl-ranks-{level}" for row in table.printed()}
        assert ranks
    assert tables["tbl-misgrading-department"].data_kind is DataKind.SIMULATED
    made = write_report(province, [chapter], "vi", province.output, sources=("khao_sat.csv",))
    names = [p.name for p in made]
    # simulated years carry their own mark: the report of a province's own survey is not simulated
    assert names[0] == "bao_cao.docx"
    assert "tbl-misgrading-department_mo-phong.xlsx" in names


def test_framework_of_an_invented_province(province: Study) -> None:
    frames = province.frames("department")
    assert frames.estimated
    assert frames.sizes["department_1"] == 1800.0
    made = make_framework_documents(province, ["department"], language="en")
    page = next(p for p in made if p.name == "khung_do_luong_so_en.html").read_text(encoding="utf-8")
    assert "Invented department 3" in page
    assert "Invented district" not in page
    assert 'class="mark"' not in page
