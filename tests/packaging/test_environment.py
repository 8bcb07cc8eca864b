"""pyproject.toml, constraints.txt, environment.yml and the installed packages agree."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements() -> list[Requirement]:
    extras = PYPROJECT["optional-dependencies"]
    lines = [*PYPROJECT["dependencies"], *(line for group in extras.values() for line in group)]
    return [Requirement(line) for line in lines]


def pins(content: str) -> dict[str, Version]:
    found: dict[str, Version] = {}
    for line in content.splitlines():
        bare = line.split("#")[0].strip()
        if not bare:
            continue
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s;]+)(\s*;.*)?", bare)
        assert match, f"constraints.txt: {bare!r} is not an exact version"
        name = canonicalize_name(match[1])
        assert name not in found, f"constraints.txt names {name} twice"
        found[name] = Version(match[2])
    return found


CONSTRAINTS = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))


def trouble(requirement: Requirement, constraints: dict[str, Version]) -> str:
    """Return what is wrong with one requirement, "" where all agree."""
    name = canonicalize_name(requirement.name)
    if name not in constraints:
        return f"{name} is not pinned in constraints.txt"
    if constraints[name] not in requirement.specifier:
        return f"{name}: {constraints[name]} is pinned, pyproject.toml wants {requirement.specifier}"
    return ""


@pytest.mark.parametrize("requirement", requirements(), ids=lambda r: r.name)
def test_requirement_is_pinned_and_installed(requirement: Requirement) -> None:
    assert trouble(requirement, CONSTRAINTS) == ""
    assert Version(metadata.version(requirement.name)) in requirement.specifier


def test_drift_is_found() -> None:
    assert "not pinned" in trouble(Requirement("polars>=1"), {})
    assert "0.9" in trouble(Requirement("polars>=1"), {"polars": Version("0.9")})
    with pytest.raises(AssertionError, match="twice"):
        pins("polars==1.0\nPolars==1.1")


@pytest.mark.parametrize(
    ("name", "too_new", "fine"), [("scikit-learn", "1.8.0", "1.7.2"), ("matplotlib", "3.13.0", "3.11.2")]
)
def test_known_breaks_are_shut_out(name: str, too_new: str, fine: str) -> None:
    (specifier,) = [r.specifier for r in requirements() if canonicalize_name(r.name) == name]
    assert Version(too_new) not in specifier
    assert Version(fine) in specifier
    assert CONSTRAINTS[canonicalize_name(name)] < Version(too_new)


def test_environment_installs_this_project_with_the_constraints() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    conda = [line for line in environment["dependencies"] if isinstance(line, str)]
    (pip,) = [line["pip"] for line in environment["dependencies"] if isinstance(line, dict)]
    assert "pip" in conda
    assert "-c constraints.txt" in pip
    editable = [line for line in pip if line.startswith("-e ")]
    assert len(editable) == 1
    extras = re.findall(r"\[([^\]]+)\]", editable[0])
    assert set(extras) <= set(PYPROJECT["optional-dependencies"])
    (python,) = [line for line in conda if line.startswith("python") and line != "pip"]
    wanted, offered = SpecifierSet(PYPROJECT["requires-python"]), SpecifierSet(python.removeprefix("python"))
    grid = [Version(f"3.{minor}") for minor in range(8, 20)]
    assert [v for v in grid if v in offered] == [v for v in grid if v in wanted]
    # Any other package that conda would bring must agree with pyproject.toml.
    by_name = {canonicalize_name(r.name): r for r in requirements()}
    for line in conda:
        name = re.split(r"[<>=]", line)[0]
        assert name in {"python", "pip"} or canonicalize_name(name) in by_name, line


def test_makefile_uses_the_constraints() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "-c constraints.txt" in makefile
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_environment_names_the_packages_as_pyproject_does() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = [line["pip"] for line in environment["dependencies"] if isinstance(line, dict)]
    named = {canonicalize_name(r.name): r.specifier for r in map(Requirement, (x for x in pip if x[0] != "-"))}
    wanted = {canonicalize_name(r.name): r.specifier for r in requirements()}
    core = {"jupyterlab", "pandas", "statsmodels", "semopy", "factor-analyzer", "seaborn", "papermill"}
    assert core <= set(named)
    assert {name: str(s) for name, s in named.items()} == {name: str(wanted[name]) for name in named}
