"""What may stand in an executed notebook: no machine path, no clock, no row about one person."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Columns of people's records that never stand in a table.
PERSON_COLUMNS = frozenset({"respondent_id", "start_time", "end_time"})
_SHORTEST_ID = 4
_SHORTEST_NUMBER_ID = 6
_SEVERAL_NUMBERS = 10
_ITEM_COLUMNS = 3
_ANSWER = re.compile(r"^(?:\d{1,3}(?:[.,]\d+)?|nan|none|<na>)$", re.IGNORECASE)
_PROCESS_NUMBER = re.compile(r"ipykernel_\d+")
_TEXT_MIMES = ("text/plain", "text/markdown")


@dataclass(frozen=True, slots=True)
class PersonMarks:
    """What would give a person away: ids and collector codes of the data, and the ids of the questions."""

    values: frozenset[str] = field(default_factory=frozenset)
    questions: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One find: ordinal of the code cell, and why ("id", "column" or "rows")."""

    cell: int
    reason: str


def code_cells(notebook: Any) -> list[Any]:
    """Return the code cells in order, as a reader counts them: papermill's own cell is one of them."""
    return [c for c in notebook.cells if c.cell_type == "code"]


def unfinished_cell(notebook: Any) -> int | None:
    """Return the ordinal (from 1) of the first code cell that did not complete, None if all did.

    An exception alone says too little: a cell that raises ``SystemExit`` with code 0 ends the run silently,
    and after a dead kernel every status reads "completed" while the cell never got its number.
    """
    for ordinal, cell in enumerate(code_cells(notebook), start=1):
        status = cell.metadata.get("papermill", {}).get("status")
        failed = any(o.output_type == "error" for o in cell.get("outputs", ()))
        if status != "completed" or failed or (cell.source.strip() and cell.execution_count is None):
            return ordinal
    return None


def last_started_cell(notebook: Any) -> int | None:
    """Return the ordinal of the last code cell that was started: the one in which a kernel died.

    Its number does not tell: it arrives from the kernel, before or after the death.
    """
    cells = list(enumerate(code_cells(notebook), start=1))
    started = [n for n, c in cells if c.metadata.get("papermill", {}).get("start_time")]
    return started[-1] if started else None


def normalise(notebook: Any, replacements: Sequence[tuple[str, str]]) -> None:
    """Take times, durations and machine paths out of an executed notebook, in place.

    Parameters
    ----------
    notebook : NotebookNode
    replacements : sequence of (str, str)
        Texts to replace everywhere, longest first, e.g. the absolute path of study.toml by its name.
    """
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells):
        for name in ("papermill", "execution"):
            cell.metadata.pop(name, None)
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell["id"] = f"injected-parameters-{number}"
        cell["source"] = replace_all(cell.source, replacements)
        if cell.get("outputs"):
            cell["outputs"] = _joined(cell["outputs"])
        for output in cell.get("outputs", ()):
            for name in ("text", "data", "traceback", "evalue"):
                if name in output:
                    output[name] = _clean(output[name], replacements)


def _joined(outputs: Sequence[Any]) -> list[Any]:
    """Join printed text that follows printed text of the same stream: where a kernel cuts it is a matter of timing."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last["text"] = "".join(last["text"]) + "".join(output["text"])
        else:
            joined.append(output)
    return joined


def _clean(value: Any, replacements: Sequence[tuple[str, str]]) -> Any:
    if isinstance(value, str):
        return replace_all(value, replacements)
    if isinstance(value, list):
        return [_clean(v, replacements) for v in value]
    if isinstance(value, dict):
        # Pictures are left alone: a base64 text may hold any letters.
        return {k: v if str(k).startswith("image/") else _clean(v, replacements) for k, v in value.items()}
    return value


def replace_all(content: str, replacements: Sequence[tuple[str, str]]) -> str:
    """Replace each text by its short form, the longest first."""
    for old, new in sorted(replacements, key=lambda pair: -len(pair[0])):
        # In Python source a path's backslashes are doubled and papermill writes its letters as escapes.
        for form in {old, old.replace("\\", "\\\\"), old.encode("unicode_escape").decode("ascii")}:
            content = content.replace(form, new)
    return _PROCESS_NUMBER.sub("ipykernel", content)


def forget_outputs(notebook: Any) -> None:
    """Remove every output but errors' names, in place: for a failed notebook that shows a person's row."""
    for cell in code_cells(notebook):
        cell["outputs"] = [o for o in cell.get("outputs", ()) if o.output_type == "error"]
        for output in cell["outputs"]:
            output["traceback"] = []


def person_rows(notebook: Any, marks: PersonMarks) -> tuple[PersonRow, ...]:
    """Return every code cell whose output shows rows about single persons.

    Looked for, in tables (HTML, text, JSON) and printed text: an id or collector code of the data as a whole
    cell; a column named like a person's record; three or more questions side by side over rows that are
    numbered like respondents.
    """
    found = []
    for ordinal, cell in enumerate(code_cells(notebook), start=1):
        for output in cell.get("outputs", ()):
            found += [PersonRow(ordinal, reason) for reason in _reasons(output, marks)]
    return tuple(dict.fromkeys(found))


def shows_persons(bundle: Mapping[str, Any], marks: PersonMarks) -> bool:
    """True where something displayed, by mime type, shows rows about single persons; see :func:`person_rows`."""
    return any(True for _ in _reasons({"data": bundle}, marks))


def _reasons(output: Mapping[str, Any], marks: PersonMarks) -> Iterator[str]:
    for table in _tables(output):
        cells = [c for row in table for c in row]
        if _known(cells, marks.values):
            yield "id"
        if PERSON_COLUMNS & set(cells):
            yield "column"
        if _numbered_answers(table, marks.questions, prose="text" in output):
            yield "rows"


def _known(cells: Iterable[str], values: frozenset[str]) -> bool:
    hits = {c for c in cells if c in values}
    if any(not c.isdigit() and len(c) >= _SHORTEST_ID for c in hits):
        return True
    # A short number may be a year or a count; a long one or many are ids.
    numbers = {c for c in hits if c.isdigit()}
    return any(len(c) >= _SHORTEST_NUMBER_ID for c in numbers) or len(numbers) >= _SEVERAL_NUMBERS


def _numbered_answers(table: Sequence[Sequence[str]], questions: frozenset[str], *, prose: bool) -> bool:
    """Tell whether questions head rows numbered like respondents; in ``prose`` such a row holds answers in figures.

    Printed warnings name questions too, and a sentence may begin with a count.
    """
    for number, row in enumerate(table):
        if sum(c in questions for c in row) < _ITEM_COLUMNS:
            continue
        people = [r for r in table[number + 1 :] if r and r[0].isdigit() and not questions & set(r)]
        if prose:
            people = [r for r in people if sum(bool(_ANSWER.match(c)) for c in r[1:]) >= _ITEM_COLUMNS]
        return any(not 1990 <= int(r[0]) <= 2100 for r in people)
    return False


def _tables(output: Mapping[str, Any]) -> Iterator[list[list[str]]]:
    if "text" in output:
        yield _text_rows("".join(output["text"]))
    for mime, content in output.get("data", {}).items():
        if mime == "text/html":
            parser = _TableReader()
            parser.feed("".join(content))
            yield parser.rows
        elif mime in _TEXT_MIMES:
            yield _text_rows("".join(content))
        elif mime.endswith("json"):
            yield [[str(v) for v in _leaves(content)]]


def _text_rows(content: str) -> list[list[str]]:
    return [[c.strip(",;()[]'\"") for c in re.split(r"[|\s]+", line) if c] for line in content.splitlines()]


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "id":
                yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


class _TableReader(html.parser.HTMLParser):
    """Collects the cells of HTML tables, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """Start a row or a cell."""
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            if not self.rows:
                self.rows.append([])
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        """Add text to the open cell."""
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()
