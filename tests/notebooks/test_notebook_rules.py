"""Notebooks tell, modules do: parameters in one plain cell, prose in pairs, no functions, no outputs in git."""

import ast
import itertools
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
NAMES = [
    "01_evidence",
    "02_survey_quality",
    "03_measurement",
    "04_structural_model",
    "05_index_and_ranking",
    "06_framework",
    "08_papi",
    "90_agency_scorecard",
]


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def tags(cell):
    return cell["metadata"].get("tags", [])


def source(cell):
    return "".join(cell["source"])


def code(path):
    return [c for c in cells(path) if c["cell_type"] == "code"]


def test_the_notebooks_of_the_report_are_there():
    assert set(NAMES) <= {p.stem for p in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestNotebook:
    def test_holds_no_outputs(self, path):
        assert all(c["outputs"] == [] and c["execution_count"] is None for c in code(path))

    def test_one_cell_of_plain_defaults(self, path):
        marked = [c for c in code(path) if "parameters" in tags(c)]
        assert len(marked) == 1
        for line in ast.parse(source(marked[0])).body:
            assert isinstance(line, ast.Assign)
            assert isinstance(line.value, ast.Constant), "a derived value would stay stale after injection"

    def test_no_functions_or_classes(self, path):
        for cell in code(path):
            kinds = {type(node) for node in ast.walk(ast.parse(source(cell)))}
            assert not kinds & {ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef}

    def test_prose_stands_in_pairs(self, path):
        languages = [next(t for t in tags(c) if t in {"vi", "en"}) for c in cells(path) if c["cell_type"] == "markdown"]
        assert len(languages) >= 4
        assert languages == ["vi", "en"] * (len(languages) // 2)

    def test_opens_with_a_question_and_ends_with_a_finding(self, path):
        prose = [source(c) for c in cells(path) if c["cell_type"] == "markdown"]
        assert "**Câu hỏi:**" in prose[0]
        assert "**Question:**" in prose[1]
        body = list(itertools.takewhile(lambda c: not source(c).startswith("## Phụ lục"), cells(path)))
        assert "_findings(" in source([c for c in body if c["cell_type"] == "code"][-1])

    def test_shows_at_least_two_tables_and_a_figure(self, path):
        shown = "\n".join(source(c) for c in code(path))
        assert shown.count("_table(") >= 2
        assert "_figure(" in shown or "_figures(" in shown

    def test_cell_ids_are_unique(self, path):
        ids = [c["id"] for c in cells(path)]
        assert len(ids) == len(set(ids))
