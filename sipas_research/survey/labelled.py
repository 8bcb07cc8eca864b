"""SPSS (.sav, .zsav) and Stata (.dta) files with their labels and user-missing codes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sipas_research.errors import DataFileError
from sipas_research.survey.encodings import refuse_legacy
from sipas_research.survey.legacy_vietnamese import marked_words, share_of_syllables
from sipas_research.survey.raw_table import MissingCode, Note, RawTable
from sipas_research.survey.sheet_rows import clean, name_text, note, unique_names
from sipas_research.survey.spss_dictionary import is_sound

_SPSS_START = np.datetime64("1582-10-14", "us")
_STATA_START = np.datetime64("1960-01-01", "us")
_SPSS_DAYS = ("DATE", "ADATE", "EDATE", "SDATE", "JDATE", "YMDHMS")
_SPSS_TIMES = ("TIME", "DTIME")
_FIRST, _LAST = np.datetime64("0001-01-01", "us"), np.datetime64("9999-12-31T23:59:59", "us")
_MAGIC = {".sav": (b"$FL2", b"$FL3"), ".zsav": (b"$FL2", b"$FL3"), ".dta": (b"<stata_dta>",)}
_STATA_VERSIONS = range(102, 120)


def read_labelled(path: Path, data: bytes) -> RawTable:
    """Read an SPSS or Stata file; ``data`` are its bytes, already read to see that it is one.

    Raises
    ------
    DataFileError
        If the file is damaged, is of another kind, or holds text from before Unicode.
    """
    kind = path.suffix.casefold()
    known = data.startswith(_MAGIC[kind]) or (kind == ".dta" and data[0] in _STATA_VERSIONS)
    if not known:
        raise DataFileError("reading.labelled.other_kind", file=path.name)
    if kind != ".dta" and not is_sound(data):
        raise DataFileError("reading.labelled.damaged", file=path.name)
    frame, meta, notes = _load(path, kind)
    if not all(isinstance(name, str) for name in frame.columns) or frame.columns.has_duplicates:
        raise DataFileError("reading.labelled.damaged", file=path.name)
    if not frame.shape[1] or not len(frame):
        raise DataFileError("reading.no_rows_labelled", file=path.name)
    names, name_notes = unique_names([name_text(name) for name in frame.columns])
    given = dict(zip(frame.columns, names, strict=True))
    columns = {given[old]: _column(frame[old], meta.original_variable_types.get(old) or "", kind) for old in given}
    labels = {given[o]: name_text(t) for o, t in meta.column_names_to_labels.items() if o in given and t}
    value_labels = {given[o]: _codes(v) for o, v in meta.variable_value_labels.items() if o in given and v}
    _refuse_legacy_texts(path.name, names, labels, value_labels, columns)
    missing = {given[o]: _missing(r) for o, r in meta.missing_ranges.items() if o in given and r}
    if missing:
        notes += (note("user_missing", n=len(missing)),)
    if labels or value_labels:
        notes += (note("labels", variables=len(labels), values=len(value_labels)),)
    return RawTable(
        path.name, pd.DataFrame(columns), labels, value_labels, missing, first_row=1, notes=(*notes, *name_notes)
    )


def _load(path: Path, kind: str) -> tuple[pd.DataFrame, Any, tuple[Note, ...]]:
    try:
        return (*_call(path, kind, None), ())
    except UnicodeError:
        pass
    except Exception as error:
        if "encoding" not in str(error) and "byte sequence" not in str(error):
            raise DataFileError("reading.labelled.damaged", file=path.name) from error
    # The file does not say in which code page it was written: take the bytes as they are and look at the words.
    try:
        frame, meta = _call(path, kind, "ISO-8859-1")
    except Exception as error:
        raise DataFileError("reading.labelled.code_page", file=path.name) from error
    refuse_legacy(_all_texts(frame, meta), path.name)
    _recode(frame, meta, path.name)
    words = marked_words(_all_texts(frame, meta))
    if not words or share_of_syllables(words) < 0.7:
        raise DataFileError("reading.labelled.code_page", file=path.name)
    return frame, meta, (note("encoding", encoding="Windows-1258"),)


def _recode(frame: pd.DataFrame, meta: Any, file: str) -> None:
    """Turn texts that were read byte by byte into Windows-1258 text, in place.

    The reader is not asked to do it: its converter holds the last letter back, in case a tone follows, and
    the letter then turns up at the start of the next text.
    """

    def turned(cell: Any) -> Any:
        if not isinstance(cell, str):
            return cell
        return unicodedata.normalize("NFC", cell.encode("latin-1").decode("cp1258"))

    try:
        for position, name in enumerate(frame.columns):
            if not pd.api.types.is_numeric_dtype(frame[name].dtype):
                frame.isetitem(position, pd.Series([turned(cell) for cell in frame[name]], dtype=object))
        meta.variable_value_labels = {
            turned(name): {turned(code): turned(label) for code, label in labels.items()}
            for name, labels in meta.variable_value_labels.items()
        }
        meta.column_names_to_labels = {turned(n): turned(label) for n, label in meta.column_names_to_labels.items()}
        meta.original_variable_types = {turned(n): kind for n, kind in meta.original_variable_types.items()}
        meta.missing_ranges = {turned(name): ranges for name, ranges in meta.missing_ranges.items()}
        frame.columns = [turned(name) for name in frame.columns]
    except UnicodeError as error:
        raise DataFileError("reading.labelled.code_page", file=file) from error


def _call(path: Path, kind: str, encoding: str | None) -> tuple[pd.DataFrame, Any]:
    import pyreadstat

    if kind == ".dta":
        return pyreadstat.read_dta(path, encoding=encoding, disable_datetime_conversion=True)
    return pyreadstat.read_sav(path, encoding=encoding, user_missing=True, disable_datetime_conversion=True)


def _all_texts(frame: pd.DataFrame, meta: Any) -> list[str]:
    texts = [*map(str, frame.columns), *(str(t) for t in meta.column_names_to_labels.values() if t)]
    texts += [str(label) for labels in meta.variable_value_labels.values() for label in labels.values()]
    for name in frame.columns:
        if frame[name].dtype != float:
            texts += [cell for cell in frame[name].dropna().unique() if isinstance(cell, str)]
    return texts


def _codes(labels: dict[object, object]) -> dict[float | str, str]:
    return {
        (clean(code) or "") if isinstance(code, str) else float(code): name_text(label)  # type: ignore[arg-type]
        for code, label in labels.items()
    }


def _missing(ranges: Iterable[dict[str, Any]]) -> tuple[MissingCode, ...]:
    """Single codes as they are, true ranges as (low, high); SPSS's LOWEST and HIGHEST become infinities."""
    found: list[MissingCode] = []
    for entry in ranges:
        low, high = entry["lo"], entry["hi"]
        if isinstance(low, str):
            found.append(low.strip())
            continue
        low = -np.inf if low < -1e300 else float(low)
        high = np.inf if high > 1e300 else float(high)
        found.append(low if low == high else (low, high))
    return tuple(found)


def _column(cells: pd.Series, stored: str, kind: str) -> pd.Series:
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return _numbers(cells.to_numpy(dtype=float), stored.upper().lstrip("%-"), kind)
    distinct = {cell: clean(cell) if isinstance(cell, str) else _other(cell) for cell in set(cells)}
    values = [distinct[cell] for cell in cells]
    if all(value is None for value in distinct.values()):
        return pd.Series(np.full(len(values), np.nan))
    if not any(isinstance(value, str) for value in distinct.values()):
        return pd.Series(np.array([np.nan if value is None else value for value in values], dtype=float))
    return pd.Series(values, dtype=object)


def _other(cell: object) -> object:
    if cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)):
        return None
    return float(cell) if isinstance(cell, int | float) else str(cell)


def _numbers(values: np.ndarray, stored: str, kind: str) -> pd.Series:
    """Return numbers, or the dates and clock times that the file's display format makes of them."""
    if kind == ".dta":
        if stored.startswith("TC"):
            return _dates(values, _STATA_START, 1_000)
        return _dates(values, _STATA_START, 86_400_000_000) if stored.startswith(("TD", "D")) else pd.Series(values)
    if stored.startswith(_SPSS_DAYS):
        return _dates(values, _SPSS_START, 1_000_000)
    if stored.startswith(_SPSS_TIMES):
        return pd.Series([_clock(value) for value in values], dtype=object)
    return pd.Series(values)


def _dates(values: np.ndarray, start: np.datetime64, microseconds: int) -> pd.Series:
    with np.errstate(invalid="ignore", over="ignore"):
        steps = values * microseconds
    known = np.isfinite(steps)
    if known.any() and np.abs(steps[known]).max() > 9e17:
        return pd.Series(values)
    dates = np.full(len(values), np.datetime64("NaT", "us"))
    dates[known] = start + np.rint(steps[known]).astype("timedelta64[us]")
    if known.any() and (dates[known].min() < _FIRST or dates[known].max() > _LAST):
        # Not a date on any calendar: the number stays, so that the check can point at it.
        return pd.Series(values)
    return pd.Series(dates)


def _clock(seconds: float) -> str | None:
    if not np.isfinite(seconds):
        return None
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}"


def _refuse_legacy_texts(
    file: str,
    names: tuple[str, ...],
    labels: dict[str, str],
    value_labels: dict[str, dict[float | str, str]],
    columns: dict[str, pd.Series],
) -> None:
    answers = [label for codes in value_labels.values() for label in codes.values()]
    refuse_legacy([*names, *labels.values(), *answers], file)
    for name, cells in columns.items():
        if cells.dtype == object:
            refuse_legacy([cell for cell in cells.unique() if isinstance(cell, str)], file, place=name)
