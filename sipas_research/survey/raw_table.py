"""A data file as it was read, before anything is known about the questionnaire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd

from sipas_research.wording import text

#: One sentence of the catalogue: its key and its fields.
Note = tuple[str, tuple[tuple[str, object], ...]]
#: A user-missing code, or the ends (both included) of a range of them.
MissingCode = float | str | tuple[float, float]

SIMULATED_COLUMN = "data_kind"
SIMULATED_VALUES = frozenset({"simulated", "mo_phong"})

_NO_LABELS: Mapping[str, str] = MappingProxyType({})
_NO_VALUE_LABELS: Mapping[str, Mapping[float | str, str]] = MappingProxyType({})
_NO_MISSING: Mapping[str, tuple[MissingCode, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class RawTable:
    """The cells of a data file with what the file itself says about them.

    Attributes
    ----------
    name : str
        The file's name without its folder.
    frame : DataFrame
        Row labels 0, 1, ...; columns are the names in the file, NFC, stripped, made unique ("Tên (2)").
        A column is float64 (numbers only, NaN where empty), datetime64 (dates only, NaT where empty) or
        object. An object column holds ``str`` (NFC, stripped, never ""), ``float`` and ``Timestamp`` cells
        as the file has them, and ``None`` where empty. Digits that stand in a column with other text, or in
        a cell that Excel holds as text, stay ``str``: "5" is not turned into 5.0 here. Clock times become
        "08:30:00", Excel's truth values "TRUE" and "FALSE", its error cells their own text ("#N/A").
    labels : mapping of str to str
        Variable labels of .sav and .dta files: the question's text by column.
    value_labels : mapping of str to mapping
        Code to label, by column; the codes are float (str for a text variable).
    missing_codes : mapping of str to tuple
        User-missing codes of .sav files: single codes, or (low, high) pairs with both ends included. They
        are NOT applied: the codes still stand in ``frame``. System-missing values and Stata's .a to .z are
        empty in ``frame`` and not listed.
    first_row : int
        Number that the user sees beside the first data row: 2 for .csv and .xlsx with names in row 1
        (more where empty rows or titles stand above), 1 for .sav and .dta.
    notes : tuple of Note
        How the file was read, as catalogue sentences; see :meth:`summary`.
    simulated : bool
        True if the file carries the marker column ``data_kind`` with a value that says simulated.
    skipped : tuple of int, ascending
        Numbers of wholly empty rows between the data rows; they are not in ``frame``.
    sheet : str
        Name of the Excel sheet that was read; "" for other files.
    """

    name: str
    frame: pd.DataFrame
    labels: Mapping[str, str] = field(default_factory=lambda: _NO_LABELS)
    value_labels: Mapping[str, Mapping[float | str, str]] = field(default_factory=lambda: _NO_VALUE_LABELS)
    missing_codes: Mapping[str, tuple[MissingCode, ...]] = field(default_factory=lambda: _NO_MISSING)
    first_row: int = 2
    notes: tuple[Note, ...] = ()
    simulated: bool = False
    skipped: tuple[int, ...] = ()
    sheet: str = ""

    def __repr__(self) -> str:
        # Never a row: a notebook that ends a cell with the table must not print people.
        return f"RawTable({self.name}: {len(self.frame)} rows, {self.frame.shape[1]} columns)"

    def __len__(self) -> int:
        return len(self.frame)

    def row_number(self, position: int) -> int:
        """Return the number that the user sees in Excel or SPSS beside row ``position`` (from 0) of ``frame``."""
        return int(self.row_numbers()[position])

    def row_numbers(self) -> np.ndarray:
        """Return the numbers that the user sees beside all rows of ``frame``, shape (rows,)."""
        last = self.first_row + len(self.frame) + len(self.skipped)
        numbers = np.arange(self.first_row, last)
        return numbers[~np.isin(numbers, self.skipped)] if self.skipped else numbers

    def summary(self, language: str = "vi") -> str:
        """Return how the file was read, one sentence a line."""
        return "\n".join(text(key, language, **dict(fields)) for key, fields in self.notes)


def is_simulated(frame: pd.DataFrame) -> bool:
    """True if any cell of the marker column says that the rows are simulated."""
    if SIMULATED_COLUMN not in frame:
        return False
    cells = frame[SIMULATED_COLUMN].dropna().unique()
    return any(str(cell).strip().casefold() in SIMULATED_VALUES for cell in cells)
