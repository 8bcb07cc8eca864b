"""From an executed notebook to one chapter of a document, in one language.

Only two things are taken: Markdown cells, and what code cells showed as :class:`Table`, :class:`Figure`,
:class:`Finding` or :class:`~sipas_research.report.passages.Passage` (which is Markdown again). Printed text, data
frames and other outputs stay in the notebook.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sipas_research import wording
from sipas_research.errors import RunError
from sipas_research.report.display import MIME, Figure, Finding, Table, from_payload
from sipas_research.report.passages import Passage, passage_from

#: One piece of a document: Markdown text, or something shown.
Block = str | Table | Figure | Finding

#: Cells with one of these tags are for the machine, not for the reader.
SKIPPED_TAGS = frozenset({"parameters", "injected-parameters", "setup"})


@dataclass(frozen=True, slots=True)
class Chapter:
    """What one notebook gives to a document, in the order of its cells.

    Attributes
    ----------
    name : str
        Name of the notebook without its ending.
    language : str
    blocks : tuple of str, Table, Figure or Finding
        Strings are Markdown.
    """

    name: str
    language: str
    blocks: tuple[Block, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Table))

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Figure))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Finding))


def read_chapter(path: Path, language: str) -> Chapter:
    """Read an executed notebook.

    Parameters
    ----------
    path : Path
        The .ipynb that papermill wrote.
    language : str
        "vi" or "en": cells tagged with the other language, and objects made in it, are left out.

    Raises
    ------
    RunError
        If the file is no notebook, a cell failed, or a stored result cannot be read.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = list(notebook["cells"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError("report.not_a_notebook", notebook=path.name, reason=str(error)) from error
    others = frozenset(wording.LANGUAGES) - {language}
    blocks: list[Block] = []
    for number, cell in enumerate(cells, start=1):
        tags = set(cell.get("metadata", {}).get("tags", ()))
        _refuse_failure(cell, path, number)
        if not tags & (SKIPPED_TAGS | others):
            blocks.extend(_cell_blocks(cell, path, number, language))
    return Chapter(path.stem, language, tuple(blocks))


def _text(value: object) -> str:
    return "".join(value) if isinstance(value, list) else str(value)


def _refuse_failure(cell: dict[str, Any], path: Path, number: int) -> None:
    for output in cell.get("outputs", ()):
        if output.get("output_type") == "error":
            said = f"{output.get('ename', '')}: {_text(output.get('evalue', ''))}"
            raise RunError("report.failed_cell", notebook=path.name, cell=number, error=said)


def _cell_blocks(cell: dict[str, Any], path: Path, number: int, language: str) -> list[Block]:
    if cell.get("cell_type") == "markdown":
        source = _text(cell.get("source", "")).strip()
        return [source] if source else []
    blocks: list[Block] = []
    for output in cell.get("outputs", ()):
        bundle = output.get("data", {})
        if MIME not in bundle:
            continue
        try:
            shown = _rebuild(bundle)
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise RunError("report.wrong_payload", notebook=path.name, cell=number, reason=str(error)) from error
        if shown.language == language:
            blocks.append(shown.markdown if isinstance(shown, Passage) else shown)
    return blocks


def _rebuild(bundle: dict[str, Any]) -> Table | Figure | Finding | Passage:
    payload = bundle[MIME]
    if isinstance(payload, str | list):
        payload = json.loads(_text(payload))
    if payload["kind"] == "passage":
        return passage_from(payload)
    png = base64.b64decode(_text(bundle.get("image/png", "")))
    return from_payload(payload, png=png, svg=_text(bundle.get("image/svg+xml", "")))
