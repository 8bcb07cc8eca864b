"""Measurement frameworks as files: one a level in the package, and a workbook of the same content to edit.

``load_framework("department")`` reads the packaged one; a study folder may hold its own, named as in ``FILE_NAMES``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sipas_research.errors import FrameworkError
from sipas_research.framework.file_names import FILE_NAMES
from sipas_research.framework.framework_build import build_framework
from sipas_research.framework.framework_spec import LEVELS, Framework, Level
from sipas_research.framework.framework_tables import TOPIC, framework_tables
from sipas_research.framework.sheet_tables import both_cells, read_tables, write_tables
from sipas_research.survey.register_rows import word
from sipas_research.survey.workbook import cell_text

_FOLDER = Path(__file__).resolve().parent / "files"
_Cells = Mapping[str, object]


def load_framework(source: str | Path) -> Framework:
    """Load a measurement framework.

    Parameters
    ----------
    source : str or Path
        "department", "district" or "commune" for the packaged one, or the path of a .toml or .xlsx file.

    Returns
    -------
    Framework

    Raises
    ------
    FrameworkError
        If the file cannot be read, or with one Problem for each cell that breaks a rule: file, sheet, row.
    """
    if isinstance(source, str) and source in LEVELS:
        return _packaged(source)
    path = Path(source).expanduser()
    if not path.suffix:
        raise FrameworkError("framework_file.error.unknown_level", value=str(source), allowed=", ".join(LEVELS))
    rows, problems = read_tables(path, framework_tables(), FrameworkError)
    return build_framework(rows, problems, path.name)


@cache
def _packaged(level: str) -> Framework:
    return load_framework(_FOLDER / f"{level}.toml")


def framework_for(folder: Path, level: Level) -> Framework:
    """Return the framework that a study folder holds for a level, else the packaged one.

    Raises
    ------
    FrameworkError
        As :func:`load_framework`; also where the folder's file is about another level.
    """
    own = folder / FILE_NAMES[level]
    if not own.is_file():
        return load_framework(level)
    found = load_framework(own)
    if found.level != level:
        raise FrameworkError(
            "framework_file.error.other_level",
            file=own.name,
            level=word(TOPIC, found.level),
            wanted=word(TOPIC, level),
        )
    return found


def write_framework_xlsx(framework: Framework, path: Path) -> Path:
    """Write a framework as a workbook for people to edit; :func:`load_framework` reads it back.

    Returns
    -------
    Path
        Where the file landed.
    """
    return write_tables(path, framework_tables(), {"framework": [_head(framework)], **_tables(framework)})


def _percent(share: float) -> str:
    """Return a share as a percentage in the fewest digits that read back to the same share."""
    return cell_text(float(f"{100 * share:.10g}"))


def _head(framework: Framework) -> _Cells:
    return {
        "level": word(TOPIC, framework.level),
        **both_cells(framework.title, "title_"),
        **both_cells(framework.purpose, "purpose_"),
        **both_cells(framework.respondents, "respondents_"),
        "regime": framework.regime,
        "definition": word(TOPIC, framework.definition),
        "valid_from": framework.valid_from,
        "valid_to": framework.valid_to,
        "status": word(TOPIC, framework.status),
        "weights": word(TOPIC, framework.weight_method),
        **both_cells(framework.weight_reason, "weights_reason_"),
        **both_cells(framework.bands.reason, "bands_reason_"),
        "bands_decided": word(TOPIC, "yes" if framework.bands.decided else "no"),
        "confidence": _percent(framework.confidence),
        "half_width": _percent(framework.half_width),
        "minimum_forms": framework.minimum_forms,
    }


def _tables(framework: Framework) -> dict[str, list[_Cells]]:
    fixed = framework.weight_method != "equal"
    bounded = framework.weight_method == "benefit_of_doubt"
    bands = framework.bands.bands
    uppers = [*(b.lower for b in bands[1:]), 1.0]
    return {
        "component": [{"id": c.id, **both_cells(c.name)} for c in framework.components],
        "criterion": [
            {"id": c.id, "component": c.component, **both_cells(c.name)}
            | ({"weight": _percent(c.weight)} if fixed else {})
            | ({"weight_low": _percent(c.low), "weight_high": _percent(c.high)} if bounded else {})
            for c in framework.criteria
        ],
        "item": [{"id": i.id, "criterion": i.criterion, **both_cells(i.text)} for i in framework.items],
        "procedure": [
            {"id": p.id, **both_cells(p.name), "status": word(TOPIC, p.status)} for p in framework.procedures
        ],
        "indicator": [
            {
                "id": i.id,
                **both_cells(i.name),
                **both_cells(i.definition, "definition_"),
                "column": i.column,
                "per": i.per,
                "better": word(TOPIC, i.better),
                "status": word(TOPIC, i.status),
            }
            for i in framework.indicators
        ],
        "band": [
            {"id": b.id, **both_cells(b.name), "lower": _percent(b.lower), "upper": _percent(upper)}
            for b, upper in zip(bands, uppers, strict=True)
        ],
        "rule": [{"id": r.id, **both_cells(r.text), "status": word(TOPIC, r.status)} for r in framework.publication],
        "step": [
            {
                "id": s.id,
                **both_cells(s.text),
                **both_cells(s.who, "who_"),
                "days": s.days or "",
                "status": word(TOPIC, s.status),
            }
            for s in framework.appeal
        ],
        "basis": [
            {"number": b.number, **both_cells(b.title), **both_cells(b.note, "note_"), "status": word(TOPIC, b.status)}
            for b in framework.basis
        ],
    }
