"""Imports point down: a module imports its own folder and lower floors, hidden imports included."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "sipas_research"
FLOORS = {
    "errors": 0,
    "files": 0,
    "resources": 0,
    "results": 0,
    "wording": 0,
    "numerics": 0,
    "survey": 1,
    "evidence": 2,
    "sem": 2,
    "factors": 3,
    "levers": 4,
    "verification": 4,
    "framework": 4,
    "report": 5,
    "study": 6,
    "cli": 7,
    "__main__": 8,
    "__init__": 8,
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imported_rooms(source: str) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (
                [node.module] if node.module != "sipas_research" else [f"sipas_research.{a.name}" for a in node.names]
            )
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "import_module":
            names = [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
        rooms |= {n.split(".")[1] for n in names if n.startswith("sipas_research.") and not n.endswith("__version__")}
    return rooms


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path):
    here = room(path)
    assert here in FLOORS, f"{here} has no floor: change the plan in README first"
    for other in imported_rooms(path.read_text(encoding="utf-8")) - {here}:
        assert FLOORS[other] < FLOORS[here] or {other, here} == {"errors", "wording"} or FLOORS[here] == 0, (
            f"{here} imports {other}"
        )


def test_numerics_stands_on_numpy_and_scipy():
    allowed = {
        "numpy",
        "scipy",
        "math",
        "dataclasses",
        "__future__",
        "typing",
        "collections",
        "sipas_research",
        "functools",
    }
    for path in (PACKAGE / "numerics").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [a.name for a in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.split(".")[0] in allowed, f"{path.name} imports {name}"
                assert not name.startswith("sipas_research") or name.startswith("sipas_research.numerics"), path.name


def test_floor_check_can_fail():
    assert imported_rooms("def f():\n    from sipas_research.report import tables\n") == {"report"}
    assert imported_rooms("from importlib import import_module\nimport_module('sipas_research.study.run')\n") == {
        "study"
    }
