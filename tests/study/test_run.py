"""Running notebooks: failures name notebook, cell and error; nothing of the machine stays in the result."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
import pytest

from sipas_research.errors import RunError
from sipas_research.study.notebook_check import PersonMarks
from sipas_research.study.plan import Plan, Step
from sipas_research.study.run import execute

GOOD = "study = ''\nlanguage = 'vi'"


def notebook(folder: Path, name: str, *cells: str) -> Path:
    content = nbformat.v4.new_notebook()
    first = nbformat.v4.new_code_cell(GOOD, metadata={"tags": ["parameters"]}, id="parameters")
    content.cells = [first] + [nbformat.v4.new_code_cell(c, id=f"cell-{n}") for n, c in enumerate(cells)]
    path = folder / f"{name}.ipynb"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(content), encoding="utf-8")
    return path


def step(path: Path, study: Path, out: Path) -> Step:
    return Step(path, (("study", str(study)), ("language", "vi")), out / "so_tay" / path.name, "vi")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "Khảo sát {năm} 2025"
    place.mkdir()
    (place / "study.toml").write_text("", encoding="utf-8")
    return place


def test_two_runs_leave_the_same_bytes_and_no_machine_path(folder: Path) -> None:
    first = notebook(
        folder / "notebooks", "02_a", "import sys, warnings\nprint(study)\nwarnings.warn('x')\nsys.executable"
    )
    second = notebook(folder / "notebooks", "03_b", "language * 2")
    made = []
    for run in ("mot", "hai"):
        out = folder / run
        plan = Plan((step(first, folder / "study.toml", out), step(second, folder / "study.toml", out)))
        paths = execute(plan, folder=folder, quiet=True)
        assert [p.name for p in paths] == ["02_a.ipynb", "03_b.ipynb"]
        made.append([p.read_bytes() for p in paths])
    assert made[0] == made[1]
    written = made[0][0].decode("utf-8")
    assert 'study = \\"study.toml\\"' in written
    assert "study.toml\\n" in written
    assert "u1ea3" not in written
    for path in (str(folder.parent), sys.prefix, str(Path.home()) + "/"):
        assert path not in written
    assert "papermill" not in json.loads(written)["metadata"]
    assert "vivi" in made[0][1].decode("utf-8")


FAILURES = {
    "error": ("1 / 0", "run.failed_cell", "ZeroDivisionError"),
    "exit": ("raise SystemExit(0)", "run.system_exit", "SystemExit"),
    "killed": ("import os, signal\nos.kill(os.getpid(), getattr(signal, 'SIGKILL', 9))", "run.dead_kernel", "kernel"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures_name_notebook_cell_and_kept_file(folder: Path, name: str) -> None:
    source, key, words = FAILURES[name]
    path = notebook(folder / "notebooks", f"02_{name}", "1 + 1", source, "2 + 2")
    with pytest.raises(RunError) as caught:
        execute(Plan((step(path, folder / "study.toml", folder),)), folder=folder, quiet=True)
    assert caught.value.key == key
    message = caught.value.message("vi")
    assert path.name in message
    assert words in message
    assert "ô mã thứ 4" in message  # parameters, papermill's own cell, 1 + 1, then this one
    kept = folder / "so_tay" / f"02_{name}.loi.ipynb"
    assert kept.name in message
    assert kept.is_file()
    assert not (folder / "so_tay" / path.name).exists()
    assert str(folder.parent) not in kept.read_text(encoding="utf-8")


def test_a_row_about_one_person_stops_the_run(folder: Path) -> None:
    path = notebook(folder / "notebooks", "02_row", "import pandas as pd\npd.DataFrame({'ma': ['P0001x'], 'v': [3]})")
    marks = PersonMarks(frozenset({"P0001x"}))
    with pytest.raises(RunError) as caught:
        execute(Plan((step(path, folder / "study.toml", folder),)), marks=marks, folder=folder, quiet=True)
    assert caught.value.key == "run.person_row"
    kept = json.loads((folder / "so_tay" / "02_row.loi.ipynb").read_text(encoding="utf-8"))
    assert all(not cell.get("outputs") for cell in kept["cells"])


def test_nothing_runs_when_one_step_is_refused(folder: Path) -> None:
    good = notebook(folder / "notebooks", "02_good", "open('chay_roi', 'w').close()")
    missing = folder / "notebooks" / "99_none.ipynb"
    with pytest.raises(RunError, match="99_none"):
        execute(Plan((step(good, folder / "study.toml", folder), step(missing, folder / "study.toml", folder))))
    assert not (folder / "notebooks" / "chay_roi").exists()
