"""The file that holds what every scorecard shows, computed once: published cells, sentences and pictures, no person.

One line of JSON a scorecard and language, behind a first line that names them with the checksum of each: reading one
scorecard touches nothing else, and a line that was changed is refused. This module imports little, because each
scorecard's notebook loads it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sipas_research.errors import DataFileError, HonestyError
from sipas_research.files import write_text
from sipas_research.report.display import Figure, Finding, Table, from_payload
from sipas_research.results import DataKind
from sipas_research.study.notebook_check import PersonMarks, shows_persons

Shown = Table | Figure | Finding
Parts = Mapping[str, tuple[Shown, ...]]
FILE_STEM = "so_lieu"
_FORMAT = "sipas-scorecards-1"


@dataclass(frozen=True, slots=True)
class AgencyScorecard:
    """What one scorecard shows, part by part, ready to display."""

    agency: str
    language: str
    parts: Parts

    def show(self, *names: str) -> None:
        """Display parts in a notebook, in the order given."""
        from IPython.display import display

        display(*[shown for name in names for shown in self.parts.get(name, ())])

    def index_table(self) -> None:
        """Show index and components beside those of all and of the peers."""
        self.show("index")

    def index_figure(self) -> None:
        """Show the same as dots with intervals."""
        self.show("figure")

    def standing_table(self) -> None:
        """Show rank, group and class."""
        self.show("standing")

    def items_table(self) -> None:
        """Show the lowest and the highest questions."""
        self.show("items")

    def measures_table(self) -> None:
        """Show suggested measures."""
        self.show("measures")

    def history_table(self) -> None:
        """Show the comparable years."""
        self.show("history")

    def scorecard_findings(self) -> None:
        """Show key values, findings and limits."""
        self.show("findings")

    def appeal_tables(self) -> None:
        """Show every number behind the class, and the steps of appeal."""
        self.show("appeal")


def open_scorecard(study: str = "", agency: str = "", language: str = "vi", *, data: str = "") -> AgencyScorecard:
    """Open one agency's scorecard: from the file that holds all of them, or computed from the forms.

    Parameters
    ----------
    study : str
        Path of study.toml; "" finds it as :func:`sipas_research.load_study` does.
    agency : str
        Code of the agency; "" takes the one of the study's example.
    language : str
        "vi" or "en".
    data : str
        Path of the file that ``sipas scorecards`` wrote; "" computes.

    Raises
    ------
    DataFileError
        If ``data`` cannot be used; see :func:`read_scorecard`.
    StudyError, AgencyError, AnalysisError
        If nothing can be computed for this agency.
    """
    if data:
        return read_scorecard(Path(data), agency, language)
    from sipas_research.study.scorecard_content import compute_scorecard

    return compute_scorecard(study, agency, language)


def write_scorecards_file(
    path: Path, cards: Iterable[AgencyScorecard], *, data_kind: DataKind, marks: PersonMarks, inputs: str = ""
) -> tuple[Path, dict[tuple[str, str], str]]:
    """Write what all scorecards show; return where it landed and each scorecard's checksum by agency and language.

    Parameters
    ----------
    path : Path
    cards : iterable of AgencyScorecard
    data_kind : DataKind
        Weakest kind of the numbers; the file says it.
    marks : PersonMarks
        What would give a person away.
    inputs : str
        Checksum of what the scorecards were computed from.

    Raises
    ------
    HonestyError
        If a part shows rows about single respondents.
    """
    lines: list[str] = []
    sums: dict[tuple[str, str], str] = {}
    for card in cards:
        _check_persons(card, marks)
        parts = {name: [_packed(shown) for shown in part] for name, part in card.parts.items()}
        lines.append(_json(parts))
        sums[(card.agency, card.language)] = _digest(lines[-1])
    listed = [[agency, language, checksum] for (agency, language), checksum in sums.items()]
    head = {"format": _FORMAT, "data_kind": DataKind(data_kind).value, "inputs": inputs, "cards": listed}
    head["checksum"] = _digest(_json(head))
    return write_text(path, "\n".join([_json(head), *lines]) + "\n"), sums


def read_scorecard(path: Path, agency: str, language: str) -> AgencyScorecard:
    """Read one scorecard of the file; "" takes the first agency.

    Raises
    ------
    DataFileError
        If the file is not there or is another file, was changed, or does not hold this agency in this language.
    """
    lines = _lines(path)
    head = _head(path, lines[0])
    known = [(code, spoken) for code, spoken, _ in head["cards"]]
    wanted = agency or next((code for code, spoken in known if spoken == language), "")
    if (wanted, language) not in known:
        listed = ", ".join(code for code, spoken in known if spoken == language) or "–"
        fields = {"agency": wanted or "–", "spoken": language, "known": listed}
        raise DataFileError("scorecard.file.absent", file=path.name, problems=(), **fields)
    place = known.index((wanted, language))
    line = lines[place + 1] if place + 1 < len(lines) else ""
    if _digest(line) != head["cards"][place][2]:
        raise DataFileError("scorecard.file.changed", file=path.name)
    parts = {name: tuple(_unpacked(shown) for shown in part) for name, part in json.loads(line).items()}
    return AgencyScorecard(wanted, language, parts)


def scorecard_sums(path: Path, inputs: str) -> dict[tuple[str, str], str]:
    """Return the checksum of each scorecard that a file holds whole; () where it was made from other inputs."""
    try:
        lines = _lines(path)
        head = _head(path, lines[0])
    except DataFileError:
        return {}
    if not inputs or head["inputs"] != inputs:
        return {}
    found = zip(head["cards"], lines[1:], strict=False)
    return {(agency, language): checksum for (agency, language, checksum), line in found if _digest(line) == checksum}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise DataFileError("scorecard.file.unreadable", file=path.name) from error


def _head(path: Path, line: str) -> dict[str, Any]:
    try:
        head = json.loads(line)
        checksum = head.pop("checksum")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataFileError("scorecard.file.unreadable", file=path.name) from error
    if head.get("format") != _FORMAT:
        raise DataFileError("scorecard.file.unreadable", file=path.name)
    if checksum != _digest(_json(head)):
        raise DataFileError("scorecard.file.changed", file=path.name)
    return dict(head)


def _check_persons(card: AgencyScorecard, marks: PersonMarks) -> None:
    for name, part in card.parts.items():
        for shown in part:
            bundle = {k: v for k, v in shown._repr_mimebundle_().items() if not k.startswith("image/")}
            if shows_persons(bundle, marks):
                raise HonestyError("scorecard.file.person", part=name, agency=card.agency)


def _packed(shown: Shown) -> dict[str, Any]:
    packed: dict[str, Any] = {"payload": shown.payload()}
    if isinstance(shown, Figure):
        packed |= {"png": base64.b64encode(shown.png).decode("ascii"), "svg": shown.svg}
    return packed


def _unpacked(packed: Mapping[str, Any]) -> Shown:
    png = base64.b64decode(packed.get("png", ""))
    return from_payload(packed["payload"], png=png, svg=packed.get("svg", ""))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode("utf-8")).hexdigest()
