"""What a check found, as files for people: ``kiem_tra/<survey>.txt`` and ``.xlsx``."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from sipas_research.errors import InputError
from sipas_research.files import write_file, write_text
from sipas_research.results import DataKind
from sipas_research.study.plan import mark_suffix
from sipas_research.wording import LANGUAGES, both, text

if TYPE_CHECKING:
    from sipas_research.survey.read import CheckReport

CHECK_FOLDER = "kiem_tra"
_CREATED = datetime.datetime(1980, 1, 1, tzinfo=datetime.UTC)
_WIDTHS = {"row": 9, "column": 24, "value": 22, "severity": 16, "reason_vi": 80, "reason_en": 80}
_PROBLEMS = ("severity", "row", "column", "value", "reason_vi", "reason_en")
_REJECTED = ("row", "column", "value", "reason_vi", "reason_en")


def write_check(report: CheckReport, folder: Path, survey: str) -> tuple[Path, Path]:
    """Write the report of one survey's check, in both languages.

    Only row number, column, value and reason are written, and only for cells of columns that the questionnaire
    knows: no other cell of a row.

    Returns
    -------
    tuple of Path
        The text file and the workbook.
    """
    from sipas_research.survey.read import rejected_table

    stem = f"{survey}{mark_suffix(report.data_kind)}"
    content = "\n\n".join(report.summary(language) for language in LANGUAGES) + "\n"
    sheets = (
        (text("run.check.sheet_problems", "vi"), report.tidy(), _PROBLEMS),
        (text("run.check.sheet_rejected", "vi"), rejected_table(report), _REJECTED),
    )
    book = write_file(folder / f"{stem}.xlsx", lambda target: _write_book(target, sheets, report.data_kind))
    return write_text(folder / f"{stem}.txt", content), book


def write_refusal(error: InputError, folder: Path, survey: str) -> Path:
    """Write why a file could not be read at all, in both languages."""
    return write_text(folder / f"{survey}.txt", "\n\n".join(error.message(lang) for lang in LANGUAGES) + "\n")


def _write_book(target: Path, sheets: Sequence[tuple[str, pd.DataFrame, tuple[str, ...]]], kind: DataKind) -> None:
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}
    book = xlsxwriter.Workbook(str(target), options)
    book.set_properties({"created": _CREATED})
    bold = book.add_format({"bold": True, "text_wrap": True})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for name, frame, columns in sheets:
        sheet = book.add_worksheet(name)
        first = 0
        if kind.is_simulated:
            sheet.write_string(0, 0, both("common.mark.simulated").replace("\n", " / "), bold)
            first = 1
        for place, column in enumerate((*columns, "data_kind")):
            label = "data_kind" if column == "data_kind" else _label(column)
            sheet.set_column(place, place, _WIDTHS.get(column, 12))
            sheet.write_string(first, place, label, bold)
        sheet.freeze_panes(first + 1, 0)
        rows = frame[list(columns)].itertuples(index=False, name=None)
        for number, row in enumerate(rows, start=first + 1):
            for place, (column, value) in enumerate(zip(columns, row, strict=True)):
                sheet.write(number, place, _cell(column, value), wrapped)
            sheet.write_string(number, len(columns), kind.value, wrapped)
    book.close()


def _label(column: str) -> str:
    return "\n".join(text(f"run.check.{column}", language) for language in LANGUAGES)


def _cell(column: str, value: object) -> str | int:
    if pd.isna(value):
        return ""
    if column == "row":
        return int(str(value))
    if column == "severity":
        return "/".join(text(f"run.check.severity_{value}", language) for language in LANGUAGES)
    return str(value)
