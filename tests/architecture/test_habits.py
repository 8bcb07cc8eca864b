"""House rules that a syntax tree can hold: sizes, frozen values, rounding, tails, paths, prints."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "sipas_research"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def body_lines(function: ast.FunctionDef) -> int:
    body = function.body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_functions_fit_a_screen():
    lengths = []
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef):
                lengths.append((body_lines(node), f"{path.name}:{node.name}"))
    assert max(lengths)[0] <= 60, sorted(lengths)[-5:]
    long = [n for n, _ in lengths if n > 30]
    assert len(long) <= 0.1 * len(lengths), f"{len(long)} of {len(lengths)} bodies are longer than 30 lines"


def test_dataclasses_are_frozen():
    found = 0
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.ClassDef):
                continue
            for mark in node.decorator_list:
                name = getattr(getattr(mark, "func", mark), "id", "")
                if name == "dataclass":
                    found += 1
                    options = {k.arg: getattr(k.value, "value", None) for k in getattr(mark, "keywords", [])}
                    assert options.get("frozen") is True, f"{path.name}:{node.name} is not frozen"
    assert found > 10


def test_rounding_only_where_people_read():
    for path in SOURCES:
        if path.relative_to(PACKAGE).parts[0] in {"wording", "report"}:
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                simulated = path.name.startswith("twin")  # the twin's numbers are made, not measured
                assert name not in {"round", "round_"} or simulated, f"{path.name}:{node.lineno} rounds"


def test_tails_are_survival_functions():
    for path in SOURCES:
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"\b1(\.0)?\s*-\s*[\w.]*cdf\(", source), f"{path.name} takes a tail as one minus a cdf"


def test_methods_do_not_write_self():
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef) and node.name not in {"__init__", "__post_init__"}:
                for inner in ast.walk(node):
                    targets = inner.targets if isinstance(inner, ast.Assign) else []
                    for target in targets:
                        owner = getattr(getattr(target, "value", None), "id", "")
                        assert not (isinstance(target, ast.Attribute) and owner == "self"), (
                            f"{path.name}:{inner.lineno}"
                        )


def test_no_machine_paths_in_tracked_text():
    needles = ["/" + "root/", "/" + "work/", "/home/" + "user", ".." + "/shared", "site-" + "packages/sipas"]
    for path in [*SOURCES, *TESTS, *ROOT.glob("*.md"), *ROOT.glob("*.toml"), *ROOT.glob("notebooks/*.ipynb")]:
        source = path.read_text(encoding="utf-8")
        for needle in needles:
            assert needle not in source, f"{path.name} holds {needle}"


def test_import_is_fast():
    code = "import time; t = time.perf_counter(); import sipas_research; print(time.perf_counter() - t)"
    seconds = min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    )
    assert seconds < 0.5


def test_public_names_exist():
    import sipas_research as sr

    for name in sr.__all__:
        assert getattr(sr, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'khong_co'"):
        _ = sr.khong_co
