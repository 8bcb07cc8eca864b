"""Tables of convergent and discriminant validity: readable, marked, and the numbers of the result."""

import json
import re
import warnings
from dataclasses import replace

import numpy as np
import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.report import Finding
from sipas_research.report.cells import Absent
from sipas_research.results import DataKind

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


def model_of(responses):
    scales = responses.scale_items("factor")
    return "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in scales.items())


@pytest.fixture(scope="module")
def found(current):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sr.validity(sr.cfa(model_of(current), current), bootstrap=60)


def words(table):
    return " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])


@pytest.mark.parametrize("language", ["vi", "en"])
def test_tables_are_readable_and_marked(found, current, language):
    tables = [
        report.validity_table(found, current, language),
        report.htmt_table(found, current, language),
        report.validity_conventions_table(found, current, language),
    ]
    mark = "DỮ LIỆU MÔ PHỎNG" if language == "vi" else "SIMULATED DATA"
    for table in tables:
        said = words(table)
        assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+", said), said[:400]
        assert json.loads(json.dumps(table.payload()))["id"] == table.id
        assert mark in table.caption
    assert len({table.id for table in tables}) == 3


def test_the_matrix_is_the_results(found, current):
    table = report.validity_table(found, current, "en")
    names = [column.id for column in table.columns]
    rows = found.factors
    at = names.index("f1")
    for place, row in enumerate(table.rows):
        assert row[names.index("cr")] == rows["cr_standardized"][place]
        assert row[names.index("msv")] == rows["msv"][place]
        assert row[at + place] == pytest.approx(np.sqrt(rows["ave_standardized"][place]))
        assert all(cell == "" for cell in row[at + place + 1 :])
        assert row[at : at + place] == tuple(found.groups[0].correlations[place, :place])
    pairs = report.htmt_table(found, current, "vi")
    assert len(pairs.rows) == 10
    assert pairs.rows[0][2] == found.groups[0].htmt.estimate[0, 1]
    assert pairs.rows[0][3] == (found.groups[0].htmt.conf_low[0, 1], found.groups[0].htmt.conf_high[0, 1])
    assert pairs.n == found.n


def test_refusals_stand_in_the_notes(current):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refused = sr.validity(
            sr.cfa(model_of(current) + "\naccess_1 ~~ access_2\nresult =~ feedback_1", current), bootstrap=0
        )
    table = report.validity_table(refused, current, "vi")
    assert isinstance(table.rows[0][1], Absent)
    assert "Raykov" in table.note_line
    assert "tải lên nhiều nhân tố" in table.note_line
    assert np.isfinite(table.rows[0][2])
    pairs = report.htmt_table(refused, current, "en")
    assert "share an item" in pairs.note_line
    assert len(pairs.columns) == 4


def test_groups_one_factor_and_findings(current):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both = sr.validity(sr.cfa(model_of(current), current, group="respondent_type"), bootstrap=0)
        alone = sr.validity(sr.cfa(model_of(current).splitlines()[0], current))
    label = both.groups[1].label
    table = report.validity_table(both, current, "vi", group=label)
    assert table.id.endswith("-2")
    assert table.n == both.groups[1].n
    assert report.htmt_table(both, current, "vi", group=label).id != report.htmt_table(both, current, "vi").id
    assert report.htmt_table(alone, current, "vi") is None
    assert "một nhân tố" in report.validity_table(alone, current, "vi").note_line
    reason = Finding("reason-x", "x", "vi", DataKind.USER, role="reason")
    for build in (report.validity_table, report.htmt_table, report.validity_conventions_table):
        assert build(reason, current, "vi") is reason


def test_a_factor_of_the_analysts_own_keeps_its_name(current):
    model = model_of(current).replace("access =~", "Tiếp_cận =~")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = sr.validity(sr.cfa(model, replace(current)), bootstrap=0)
    assert report.validity_table(made, current, "vi").rows[0][0] == "Tiếp_cận"
