"""A kernel that another program kept from starting is started again; a notebook's own error is not run twice."""

import json

import pytest

from sipas_research.study import worker
from sipas_research.study.worker import Job, run_job

NO_START = RuntimeError("Kernel died before replying to kernel_info")


@pytest.fixture
def job(tmp_path):
    notebook = tmp_path / "sổ.ipynb"
    cells = [{"cell_type": "code", "id": "a", "execution_count": 1, "metadata": {}, "outputs": [], "source": "1"}]
    notebook.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return Job(notebook, (), tmp_path / "out.ipynb", tmp_path / "out.loi.ipynb", tmp_path)


def run_with(monkeypatch, job, failures):
    """Run a job whose first runs fail as told; return the outcome and the number of runs."""
    left, runs = list(failures), []

    def execute(source, target, *_, **__):
        runs.append(source)
        if left:
            raise left.pop(0)
        notebook = json.loads(job.notebook.read_text())
        notebook["cells"][0]["metadata"]["papermill"] = {"status": "completed", "exception": False}
        with open(target.replace("{{", "{"), "w", encoding="utf-8") as file:
            json.dump(notebook, file)

    monkeypatch.setattr("papermill.execute_notebook", execute)
    return run_job(job), len(runs)


def test_a_kernel_that_did_not_start_is_started_again(monkeypatch, job):
    outcome, runs = run_with(monkeypatch, job, [NO_START, NO_START])
    assert (outcome.error, runs) == ("", 3)
    assert job.output.is_file()


def test_a_kernel_that_never_starts_ends_the_run(monkeypatch, job):
    outcome, runs = run_with(monkeypatch, job, [NO_START] * 9)
    assert (outcome.error, runs) == ("RuntimeError", worker._STARTS)
    assert not job.output.exists()


def test_another_error_is_told_at_once(monkeypatch, job):
    outcome, runs = run_with(monkeypatch, job, [RuntimeError("no room on the disk")])
    assert (outcome.error, runs) == ("RuntimeError", 1)
