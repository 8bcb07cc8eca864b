"""What ``--resume`` may keep: an executed notebook whose inputs are the same, and that nobody has changed since.

Each executed notebook carries two checksums: of everything it was made from (study files, data, parameters,
notebook, this package and the libraries that compute), and of its own content; and those of the documents made
from it, which are written before it. No other record is kept, so a run that was killed at any moment leaves
nothing that could be out of step.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from sipas_research import resources
from sipas_research.study.place import OWN_WORKBOOKS
from sipas_research.study.plan import Step
from sipas_research.study.study import Study

FIELD = "sipas"
_LIBRARIES = (
    "numpy",
    "scipy",
    "pandas",
    "statsmodels",
    "semopy",
    "svy",
    "polars",
    "matplotlib",
    "seaborn",
    "papermill",
)
_SOURCES = (".py", ".toml")


def input_checksum(study: Study) -> str:
    """Return the checksum of everything that a study's results are made from: its files, the package, libraries.

    A file that only one notebook reads, such as the user's PAPI file, belongs to its step: :func:`step_checksum`.
    """
    # agencies named in study.toml may lie anywhere: their content is in the register that was read
    files = [study.path, *(study.folder / n for n in OWN_WORKBOOKS), *(s.file for s in study.surveys)]
    parts = [f"{p.name}:{_file(p)}" for p in files if p.is_file()]
    return _digest([*parts, repr(study.agencies), package_checksum()])


@cache
def package_checksum() -> str:
    """Return the checksum of this package's code, wording and packaged data, and of the libraries' versions."""
    package = Path(__file__).resolve().parents[1]
    code = [p for p in package.rglob("*") if p.suffix in _SOURCES and "_bundled" not in p.parts]
    data = [p for p in (resources.root() / "data").rglob("*.csv") if p.parent.name != "twin"]
    files = sorted((p.relative_to(p.parents[1]).as_posix(), p) for p in [*code, *data])
    versions = [f"{name} {_version(name)}" for name in _LIBRARIES]
    return _digest([*(f"{name}:{_file(path)}" for name, path in files), *versions])


def step_checksum(step: Step, inputs: str) -> str:
    """Return the checksum of one step: its notebook, parameters and the files they name besides the study's inputs."""
    shown = [(name, Path(v).name if isinstance(v, str) and Path(v).is_absolute() else v) for name, v in step.parameters]
    named = [Path(v) for name, v in step.parameters if name != "study" and isinstance(v, str) and Path(v).is_absolute()]
    files = [step.inputs] if step.inputs else [_file(path) for path in named if path.is_file()]
    return _digest([inputs, _file(step.notebook), json.dumps(shown, ensure_ascii=False), *files])


def stamp(
    notebook: dict[str, Any], inputs: str, made: Iterable[Path] = (), *, root: Path | None = None, study: str = ""
) -> None:
    """Write the checksums into an executed notebook, in place.

    Parameters
    ----------
    notebook : dict
    inputs : str
        Checksum of what it was made from.
    made : iterable of Path
        Files made from it, below the folder ``root``; where there are any, ``study`` stands beside them: the checksum
        of all the study's inputs.
    """
    notebook["metadata"].pop(FIELD, None)
    record: dict[str, Any] = {"inputs": inputs, "content": _content(notebook)}
    files = {path.relative_to(root).as_posix() if root else path.name: _file(path) for path in made}
    notebook["metadata"][FIELD] = {**record, "study": study, "files": files} if files else record


def files_of(path: Path, *, study: str = "") -> dict[Path, str]:
    """Return the files made from an executed notebook, as it says, with the checksums they had then.

    Empty where it says nothing, where one of them is no longer as it was, or where ``study`` is given and they were
    made from other inputs of the study.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))["metadata"][FIELD]
        if study and record["study"] != study:
            return {}
        found = {path.parents[1] / name: str(checksum) for name, checksum in record.get("files", {}).items()}
        return found if all(_file(file) == checksum for file, checksum in found.items()) else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def is_current(path: Path, inputs: str) -> bool:
    """Tell whether an executed notebook was made from these inputs and is still as it was written."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        found = notebook["metadata"].pop(FIELD)
        return bool(found["inputs"] == inputs and found["content"] == _content(notebook))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _content(notebook: dict[str, Any]) -> str:
    """Return a checksum that does not depend on whether texts are stored whole or line by line."""
    joined = json.loads(json.dumps(notebook, ensure_ascii=False), object_hook=_joined)
    return _digest([json.dumps(joined, ensure_ascii=False, sort_keys=True)])


def _joined(node: dict[str, Any]) -> dict[str, Any]:
    return {k: "".join(v) if isinstance(v, list) and all(isinstance(x, str) for x in v) else v for k, v in node.items()}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
