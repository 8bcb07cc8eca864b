"""The plan of a run: which notebook, with which parameters, into which file; checked as a whole first."""

from __future__ import annotations

import ast
import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sipas_research import resources
from sipas_research.errors import Problem, RunError
from sipas_research.results import DataKind
from sipas_research.study.study import Study
from sipas_research.wording import text

#: Notebooks of the report, in the order of its chapters.
CHAPTERS = ("02_survey_quality", "03_measurement", "04_structural_model", "05_index_and_ranking")
SCORECARD = "90_agency_scorecard"
#: The framework document of one level.
FRAMEWORK = "06_framework"
#: Notebooks on published figures, for a study whose file says ``evidence = true``.
EVIDENCE, PAPI = "01_evidence", "08_papi"
NOTEBOOKS_FOLDER = "notebooks"
RUNS_FOLDER = "so_tay"
_LONGEST_NAME = 60
#: What papermill writes into a notebook without changing it.
_PLAIN = (str, bool, int, float, list, dict, type(None))


class Finish(Protocol):
    """What is made of an executed notebook in the process that ran it; it travels there, so it is a plain value."""

    def __call__(self, executed: Path) -> tuple[Path, ...]:
        """Make files from an executed notebook and return them."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One run of one notebook. ``parameters`` are (name, plain value) pairs.

    ``finish`` makes further files of the executed notebook, which lands after them: where it stands, they do too.
    ``inputs`` is the checksum of what this step alone is made from, where a parameter names a file that holds more.
    """

    notebook: Path
    parameters: tuple[tuple[str, Any], ...]
    output: Path
    language: str
    finish: Finish | None = None
    inputs: str = ""

    @property
    def name(self) -> str:
        """The notebook's name without its ending."""
        return self.notebook.stem

    @property
    def failed(self) -> Path:
        """Where the partly executed notebook is kept if the run fails."""
        return self.output.with_suffix(".loi.ipynb")

    @property
    def label(self) -> str:
        """Short name for the progress bar: notebook, language, agency."""
        given = dict(self.parameters)
        what = [str(given.get(name, "")) for name in ("level", "agency")]
        return " ".join(part for part in (self.name, self.language, *what) if part)


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of a run, in order."""

    steps: tuple[Step, ...]

    def summary(self, language: str = "vi") -> str:
        """Return one line a step: notebook, parameters without folders, file."""
        lines = [text("run.plan.title", language, n=len(self.steps))]
        for number, step in enumerate(self.steps, start=1):
            shown = ", ".join(f"{k} = {_short(v)}" for k, v in step.parameters)
            lines.append(
                text(
                    "run.plan.step",
                    language,
                    number=number,
                    notebook=step.notebook.name,
                    parameters=shown,
                    output=f"{step.output.parent.name}/{step.output.name}",
                )
            )
        return "\n".join(lines)


def _short(value: object) -> str:
    return Path(value).name if isinstance(value, str) and value.endswith((".toml", ".json")) else str(value)


def mark_suffix(kind: DataKind, language: str = "vi") -> str:
    """Return what simulated data add to every file name, "" for other kinds."""
    return text("common.mark.file_suffix", language) if kind.is_simulated else ""


def notebook_path(study: Study, name: str) -> Path:
    """Return the study folder's copy of a notebook where it has one, else the packaged notebook."""
    own = study.folder / NOTEBOOKS_FOLDER / f"{name}.ipynb"
    return own if own.is_file() else resources.notebooks() / f"{name}.ipynb"


def chapters(study: Study, *, papi: Path | None = None) -> tuple[str, ...]:
    """Return the notebooks of a study's report: published figures where it asks for them, its surveys where they are.

    Parameters
    ----------
    papi : Path, optional
        The user's PAPI file; its chapter stands in reports of published figures only.
    """
    published = ((EVIDENCE,) if study.evidence else ()) + ((PAPI,) if papi else ())
    return published + (CHAPTERS if study.has_data or not study.evidence else ())


def report_plan(
    study: Study, languages: Iterable[str], out: Path, *, agency: str = "", papi: Path | None = None
) -> Plan:
    """Return the plan of the report: each chapter in each language, then one scorecard where ``agency`` is given."""
    names = chapters(study, papi=papi)
    steps = [step(study, name, language, out, papi=papi) for language in languages for name in names]
    if agency:
        steps += scorecard_plan(study, languages, out, agencies=(agency,)).steps
    return Plan(tuple(steps))


def scorecard_plan(study: Study, languages: Iterable[str], out: Path, *, agencies: Iterable[str]) -> Plan:
    """Return the plan of scorecards: each agency in each language."""
    chosen = tuple(languages)
    return Plan(tuple(step(study, SCORECARD, lang, out, agency=code) for code in agencies for lang in chosen))


def framework_plan(study: Study, levels: Iterable[str], languages: Iterable[str], out: Path) -> Plan:
    """Return the plan of the framework documents: each level in each language."""
    chosen = tuple(languages)
    return Plan(tuple(step(study, FRAMEWORK, lang, out, level=level) for level in levels for lang in chosen))


def step(
    study: Study,
    name: str,
    language: str,
    out: Path,
    *,
    agency: str = "",
    papi: Path | None = None,
    level: str = "",
) -> Step:
    """Return one step; the executed notebook's name carries level or agency, language and mark."""
    parameters: dict[str, Any] = {"study": str(study.path), "language": language}
    if name == PAPI and papi:
        parameters["papi"] = str(papi.resolve())
    if agency:
        parameters["agency"] = agency
    if level:
        parameters["level"] = level
    parts = [name, safe_name(agency), level, language]
    stem = "_".join(p for p in parts if p) + mark_suffix(study.data_kind)
    return Step(notebook_path(study, name), tuple(parameters.items()), out / RUNS_FOLDER / f"{stem}.ipynb", language)


def safe_name(code: str) -> str:
    """Return an agency's code as part of a file name: what Windows forbids becomes a hyphen, a long one is cut."""
    plain = "".join(c if c.isalnum() or c in "._-" else "-" for c in code).strip(". ")
    if len(plain) > _LONGEST_NAME:
        return f"{plain[:_LONGEST_NAME]}-{hashlib.sha256(code.encode()).hexdigest()[:8]}"
    return plain


def validate(plan: Plan) -> None:
    """Refuse the whole plan if any step cannot run.

    Raises
    ------
    RunError
        With one problem a trouble: a notebook that is missing or unreadable, a parameter that the notebook
        does not declare, a declared one without a value, a value that papermill cannot write.
    """
    problems: list[Problem] = []
    known: dict[Path, Mapping[str, Any] | Problem] = {}
    outputs = [s.output for s in plan.steps]
    for current in plan.steps:
        if current.notebook not in known:
            known[current.notebook] = _declared_or_problem(current.notebook)
            if isinstance(trouble := known[current.notebook], Problem):
                problems.append(trouble)
        declared = known[current.notebook]
        if not isinstance(declared, Problem):
            problems += _parameter_problems(current, declared)
        if outputs.count(current.output) > 1:
            problems.append(Problem.of("run.plan.same_output", file=current.output.name))
    if problems:
        raise RunError("run.plan.refused", problems=tuple(dict.fromkeys(problems)))


def _parameter_problems(current: Step, declared: Mapping[str, Any]) -> list[Problem]:
    given = dict(current.parameters)
    file = current.notebook.name
    allowed = ", ".join(declared)
    found = []
    for name, value in given.items():
        if name not in declared:
            close = difflib.get_close_matches(name, declared, n=1)
            key = "run.plan.unknown_parameter_near" if close else "run.plan.unknown_parameter"
            found.append(Problem.of(key, file=file, name=name, near="".join(close), allowed=allowed))
        if type(value) not in _PLAIN:
            found.append(Problem.of("run.plan.bad_value", file=file, name=name, type=type(value).__name__))
    # A default of None says that the notebook cannot do without a value.
    needed = [n for n, default in declared.items() if default is None and n not in given]
    return found + [Problem.of("run.plan.missing_parameter", file=file, name=n) for n in needed]


def _declared_or_problem(path: Path) -> Mapping[str, Any] | Problem:
    try:
        return declared_parameters(path)
    except FileNotFoundError:
        return Problem.of("run.plan.no_notebook", file=path.name)
    except (OSError, ValueError, KeyError, TypeError, SyntaxError) as error:
        return Problem.of("run.plan.bad_notebook", file=path.name, reason=type(error).__name__)


def declared_parameters(path: Path) -> dict[str, Any]:
    """Return name and default of each parameter in the notebook's cell tagged ``parameters``.

    Raises
    ------
    FileNotFoundError
        If the notebook is not there.
    ValueError
        If it is no notebook, has no such cell, or a default is not a plain value.
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    tagged = [c for c in cells if "parameters" in c.get("metadata", {}).get("tags", ()) and c["cell_type"] == "code"]
    if len(tagged) != 1:
        raise ValueError("parameters cell")
    found: dict[str, Any] = {}
    for node in ast.parse("".join(tagged[0]["source"])).body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = ast.literal_eval(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found[node.target.id] = ast.literal_eval(node.value)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            raise ValueError("parameters cell")
    return found
