"""Reading a survey's data file as it is: .csv, .xlsx, .sav, .dta.

Nothing is known here about the questionnaire: no code is turned into "no answer", no text into a code. How
the file was read (encoding, separator, decimal mark, dates, sheet) is told in the notes of the table.
"""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import replace
from pathlib import Path

from sipas_research.errors import DataFileError, OptionError
from sipas_research.survey.delimited import read_delimited
from sipas_research.survey.excel import read_excel
from sipas_research.survey.labelled import read_labelled
from sipas_research.survey.raw_table import RawTable, is_simulated
from sipas_research.survey.sheet_rows import note

__all__ = ["DATA_SUFFIXES", "RawTable", "read_table"]

_TEXT = (".csv", ".txt", ".tsv")
_EXCEL = (".xlsx", ".xlsm", ".xls")
_LABELLED = (".sav", ".zsav", ".dta")
#: File name endings that can be read, in the order in which messages list them.
DATA_SUFFIXES = (*_TEXT, *_EXCEL, *_LABELLED)

_MOST_NAMES = 8
_OTHER_KINDS = ((b"PK\x03\x04", ".xlsx"), (b"\xd0\xcf\x11\xe0", ".xls"), (b"$FL2", ".sav"), (b"<stata_dta>", ".dta"))


def read_table(path: str | Path, *, sheet: str = "") -> RawTable:
    """Read a data file into named columns, keeping its cells, labels and codes as they are.

    Parameters
    ----------
    path : str or Path
        A .csv, .txt, .tsv, .xlsx, .xlsm, .xls, .sav, .zsav or .dta file.
    sheet : str, keyword only
        Name of the Excel sheet; "" takes the first one that holds data.

    Returns
    -------
    RawTable
        At least one row and one column.

    Raises
    ------
    DataFileError
        If the file is missing, of another kind, damaged, empty, or its text is in an encoding from before
        Unicode. The message says what to do.
    OptionError
        If ``sheet`` is given for a file that has no sheets.
    """
    path = Path(path)
    suffix = path.suffix.casefold()
    data = _bytes(path, suffix)
    if sheet and suffix not in _EXCEL:
        raise OptionError("reading.sheet_without_excel", file=path.name, sheet=sheet)
    if suffix in _EXCEL:
        table = read_excel(data, path.name, sheet=sheet)
    elif suffix in _LABELLED:
        table = read_labelled(path, data)
    else:
        _refuse_renamed(data, path.name, suffix)
        table = read_delimited(data, path.name)
    if not is_simulated(table.frame):
        return table
    return replace(table, simulated=True, notes=(*table.notes, note("simulated")))


def _bytes(path: Path, suffix: str) -> bytes:
    if path.is_dir():
        raise DataFileError("reading.is_folder", file=path.name)
    if not path.is_file():
        raise _missing(path)
    if path.name.startswith("~$"):
        raise DataFileError("reading.owner_file", file=path.name, real=path.name[2:])
    if suffix not in DATA_SUFFIXES:
        key = "reading.suffix" if suffix else "reading.no_suffix"
        raise DataFileError(key, file=path.name, suffix=suffix, allowed=", ".join(DATA_SUFFIXES))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataFileError("reading.not_readable", file=path.name) from error
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise DataFileError("reading.zero_bytes", file=path.name)
    return data


def _missing(path: Path) -> DataFileError:
    """Name the folder, and the data files in it that have a similar name, or any."""
    folder = path.parent
    if not folder.is_dir():
        return DataFileError("reading.missing_folder", file=path.name, folder=folder.name)
    shown = folder.name or folder.resolve().name
    try:
        names = sorted(f.name for f in folder.iterdir() if f.suffix.casefold() in DATA_SUFFIXES and f.is_file())
    except OSError:
        names = []
    names = [name for name in names if not name.startswith(("~$", "."))]
    if not names:
        return DataFileError("reading.missing_none", file=path.name, folder=shown)
    plain = {unicodedata.normalize("NFC", name).casefold(): name for name in names}
    wanted = unicodedata.normalize("NFC", path.name).casefold()
    near = [plain[match] for match in difflib.get_close_matches(wanted, plain, n=_MOST_NAMES, cutoff=0.5)]
    listed = ", ".join(near or names[:_MOST_NAMES])
    return DataFileError(
        "reading.missing_near" if near else "reading.missing", file=path.name, folder=shown, names=listed
    )


def _refuse_renamed(data: bytes, file: str, suffix: str) -> None:
    for magic, real in _OTHER_KINDS:
        if data.startswith(magic):
            raise DataFileError("reading.renamed", file=file, suffix=suffix, real=real)
