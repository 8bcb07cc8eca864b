"""The truth of the simulated province: one TOML file that drives the simulation.

``twin_design.toml`` is the packaged design; calibration appends what it found under ``[calibrated]``.
The file with both parts is ``truth.toml``, the input of :func:`sipas_research.survey.twin.make_twin`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from sipas_research.errors import DataFileError
from sipas_research.wording import LANGUAGES
from sipas_research.wording import text as sentence

_CALIBRATED = "[calibrated]"
_SEED = re.compile(r"^seed = (\d+)", flags=re.MULTILINE)
_SECTIONS = ("agencies", "frame", "fieldwork", "model", "margins", "behaviour", "citizens", "staff", "records", "costs")


@dataclass(frozen=True, slots=True)
class ItemTruth:
    """One item: loading on its scale, four base thresholds, share's offset, non-response rate.

    ``direction`` -1 marks a statement about something bad: the data hold 6 minus the answer of the model.
    """

    id: str
    scale: str
    loading: float
    thresholds: tuple[float, ...]
    offset: float
    no_answer: float
    direction: int = 1


@dataclass(frozen=True, slots=True)
class Truth:
    """Every coefficient, as read from TOML text; ``text`` is the file itself, comments included.

    Attributes
    ----------
    values : mapping
        The parsed file, read-only.
    text : str
        What ``truth.toml`` holds.
    """

    values: Mapping[str, Any]
    text: str

    @property
    def seed(self) -> int:
        """Seed of the generator that made the data."""
        return int(self.values["seed"])

    @property
    def years(self) -> tuple[int, ...]:
        """Survey years, ascending."""
        return tuple(self.values["years"])

    @property
    def is_calibrated(self) -> bool:
        """True once the thresholds were shifted to the design margins."""
        return "calibrated" in self.values

    def part(self, path: str) -> Any:
        """Return what stands under a dotted path, such as ``"model.icc.access"``.

        Raises
        ------
        DataFileError
            If the file has no such entry.
        """
        node: Any = self.values
        for name in path.split("."):
            if not isinstance(node, Mapping) or name not in node:
                raise DataFileError("twin.truth.no_entry", entry=path)
            node = node[name]
        return node

    def by_year(self, path: str, year: int) -> Any:
        """Return the entry of one year in a table whose keys are years."""
        return self.part(f"{path}.{year}")

    def items(self, survey: str) -> tuple[ItemTruth, ...]:
        """Items of one survey ("citizens" or "staff") in questionnaire order."""
        rows = self.part(f"{survey}.items")
        return tuple(
            ItemTruth(
                name,
                row["scale"],
                row["loading"],
                tuple(row["thresholds"]),
                row["offset"],
                row["no_answer"],
                row.get("direction", 1),
            )
            for name, row in rows.items()
        )

    def matrix(self, path: str) -> np.ndarray:
        """Return a table of equally long lists as an array, rows in file order."""
        return np.array(list(self.part(path).values()), dtype=float)

    def shift(self, item: str, year: int) -> float:
        """Return what calibration adds to the item's four thresholds in one year; 0 before calibration."""
        if not self.is_calibrated:
            return 0.0
        return float(self.by_year(f"calibrated.shift.{item}", year))

    def uncalibrated(self) -> Truth:
        """Return the truth without its calibration."""
        return parse_truth(_design_text(self.text))

    def generator(self) -> np.random.Generator:
        """Return a fresh generator with the file's seed."""
        return np.random.default_rng(self.seed)


def parse_truth(text: str) -> Truth:
    """Read the text of a truth file.

    Raises
    ------
    DataFileError
        If the text is not TOML, does not carry the mark of simulated data, or lacks a section.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataFileError("twin.truth.not_toml", reason=str(error)) from error
    if values.get("data_kind") != "simulated":
        raise DataFileError("twin.truth.no_mark", value=str(values.get("data_kind", "")))
    for section in _SECTIONS:
        if section not in values:
            raise DataFileError("twin.truth.no_entry", entry=section)
    return Truth(_frozen(values), text)


def read_truth(path: Path) -> Truth:
    """Read ``truth.toml``.

    Raises
    ------
    DataFileError
        If it cannot be read or is not valid.
    """
    try:
        return parse_truth(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError("twin.truth.unreadable", file=path.name) from error


def design(seed: int | None = None) -> Truth:
    """Return the packaged design, before calibration, with another seed if one is given."""
    text = (resources.files("sipas_research.survey") / "twin_design.toml").read_text(encoding="utf-8")
    return parse_truth(text if seed is None else _SEED.sub(f"seed = {int(seed)}", text, count=1))


def with_calibration(
    truth: Truth, shifts: Mapping[str, Mapping[int, float]], residuals: Mapping[str, Mapping[str, float]]
) -> Truth:
    """Return the truth with a new ``[calibrated]`` part, read back from its own text.

    Parameters
    ----------
    truth : Truth
    shifts : mapping
        Item id to {year: what is added to its four thresholds}.
    residuals : mapping
        Latent variable to its residual variances {"between", "within"}.
    """
    lines = [_design_text(truth.text), _CALIBRATED]
    lines += [f"# {sentence('twin.truth.calibrated', language)}" for language in LANGUAGES]
    lines += ["[calibrated.residual_variances]", *(_inline(k, v, 9) for k, v in residuals.items()), ""]
    lines += ["[calibrated.shift]", *(_inline(k, v, 6) for k, v in shifts.items())]
    return parse_truth("\n".join(lines) + "\n")


def _design_text(text: str) -> str:
    return text.partition(_CALIBRATED)[0].rstrip("\n") + "\n"


def _inline(name: str, row: Mapping[Any, float], decimals: int) -> str:
    cells = ", ".join(f"{key} = {value:.{decimals}f}" for key, value in row.items())
    return f"{name} = {{ {cells} }}"


def _frozen(node: Any) -> Any:
    if isinstance(node, dict):
        return MappingProxyType({key: _frozen(value) for key, value in node.items()})
    if isinstance(node, list):
        return tuple(_frozen(value) for value in node)
    return node
