"""What --resume keeps, what it runs again, and that a killed run leaves nothing behind that matters."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

import sipas_research as sr
from sipas_research import resources
from sipas_research.files import clear_leftovers
from sipas_research.study.plan import Step, report_plan
from sipas_research.study.report import make_report
from sipas_research.study.resume import input_checksum, is_current, stamp, step_checksum

ENDS = (".docx", ".pdf", ".html", ".ipynb", ".xlsx", ".png", ".svg")
#: Seconds after the start at which the run is killed: while reading, in the first and second notebook, in documents.
MOMENTS = (1.0, 3.0, 5.0, 8.0, 12.0)


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


def results(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.suffix in ENDS}


@pytest.fixture(scope="module")
def small_study(tmp_path_factory):
    """Six hundred forms of the simulated province in a folder of their own."""
    source = resources.data("twin")
    folder = tmp_path_factory.mktemp("Khảo sát năm 2025")
    lines = (source / "citizens.csv").read_text(encoding="utf-8-sig").splitlines()
    kept = [lines[0], *[line for line in lines[1:] if ",2021," in line or ",2020," in line][:600]]
    (folder / "citizens.csv").write_text("\n".join(kept) + "\n", encoding="utf-8-sig")
    (folder / "agencies.csv").write_bytes((source / "agencies.csv").read_bytes())
    text = (source / "study.toml").read_text(encoding="utf-8").replace("year = 2022", "year = 2021")
    head, _, rest = text.partition('[[survey]]\nname = "staff"')
    (folder / "study.toml").write_text(head + rest[rest.index("[report]") :], encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL does not exist on Windows: the killed run was not tried")
def test_killed_at_five_moments_and_resumed_gives_the_same_bytes(small_study, tmp_path):
    study = sr.load_study(small_study / "study.toml")
    whole = tmp_path / "whole"
    make_report(study, language="vi", out=whole)
    broken = tmp_path / "broken"
    command = [sys.executable, "-m", "sipas_research", "report", "--study", str(small_study), "--out", str(broken)]
    for seconds in MOMENTS:
        with subprocess.Popen([*command, "--language", "vi", "--quiet", "--resume"]) as run:
            time.sleep(seconds)
            run.send_signal(signal.SIGKILL)
    done = subprocess.run([*command, "--language", "vi", "--quiet", "--resume"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode("utf-8")
    expected, found = results(whole), results(broken)
    assert len(expected) > 30
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
