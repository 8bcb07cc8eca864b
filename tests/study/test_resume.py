"""What --resume keeps, what it runs again, and that a killed run leaves nothing behind that matters.

Runs that are killed and resumed stand in tests/end_to_end/test_report_of_the_province.py and test_scorecard_run.py.
"""

import json
from dataclasses import replace

import pytest

import sipas_research as sr
from sipas_research import resources
from sipas_research.files import clear_leftovers
from sipas_research.study.plan import Step, report_plan
from sipas_research.study.resume import input_checksum, is_current, stamp, step_checksum


def notebook():
    return {"cells": [{"cell_type": "code", "source": "1 + 1\n2", "outputs": [], "metadata": {}}], "metadata": {}}


def test_a_stamped_notebook_is_current_until_it_changes(tmp_path):
    path = tmp_path / "a.ipynb"
    made = notebook()
    stamp(made, "abc")
    path.write_text(json.dumps(made), encoding="utf-8")
    assert is_current(path, "abc")
    assert not is_current(path, "other inputs")
    made["cells"][0]["source"] = ["1 + 1\n", "2"]  # how notebooks are stored
    path.write_text(json.dumps(made), encoding="utf-8")
    assert is_current(path, "abc")
    made["cells"][0]["source"] = "1 + 2"
    path.write_text(json.dumps(made), encoding="utf-8")
    assert not is_current(path, "abc")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"metadata": 3}', "half a noteb"])
def test_a_damaged_notebook_is_never_kept(tmp_path, content):
    (tmp_path / "a.ipynb").write_text(content, encoding="utf-8")
    assert not is_current(tmp_path / "a.ipynb", "abc")
    assert not is_current(tmp_path / "missing.ipynb", "abc")


def test_inputs_tell_data_parameters_and_notebook_apart(tmp_path):
    study = sr.load_study(resources.data("twin", "study.toml"))
    base = input_checksum(study)
    assert base == input_checksum(study)
    path = resources.notebooks() / "02_survey_quality.ipynb"
    step = Step(path, (("study", str(study.path)), ("language", "vi")), tmp_path / "out.ipynb", "vi")
    english = replace(step, parameters=(("study", str(study.path)), ("language", "en")))
    assert len({step_checksum(step, base), step_checksum(english, base), step_checksum(step, "other inputs")}) == 3


def test_the_papi_file_counts_for_its_own_chapter_only(tmp_path):
    study = sr.load_study(resources.data("lang_son", "study.toml"))
    papi = tmp_path / "papi.csv"
    sums = []
    for content in ("a", "b"):
        papi.write_text(content, encoding="utf-8")
        plan = report_plan(study, ["vi"], tmp_path, papi=papi)
        sums.append({step.name: step_checksum(step, input_checksum(study)) for step in plan.steps})
    assert sums[0]["01_evidence"] == sums[1]["01_evidence"]
    assert sums[0]["08_papi"] != sums[1]["08_papi"]


def test_leftovers_of_a_killed_run_are_removed(tmp_path):
    (tmp_path / "bang").mkdir()
    (tmp_path / "bang" / ".sipas-x1.xlsx").write_bytes(b"half")
    (tmp_path / ".~lock.bao_cao.docx#").write_bytes(b"of another program")
    clear_leftovers(tmp_path)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [".~lock.bao_cao.docx#"]
