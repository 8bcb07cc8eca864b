"""From a data file to checked answers: the report of the check, and the answers or an error."""

from __future__ import annotations

import unicodedata
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sipas_research.errors import DataFileError, Problem, RejectedRowsWarning
from sipas_research.results import DataKind
from sipas_research.survey.checking import Checked, check_table
from sipas_research.survey.findings import Finding, list_problems
from sipas_research.survey.raw_table import Note, RawTable
from sipas_research.survey.reading import read_table
from sipas_research.survey.responses import Responses
from sipas_research.survey.specs import HasSurveys, SurveySpec
from sipas_research.wording import text

#: Rows of :func:`rejected_table` at most; a sheet of Excel holds about a million.
MOST_REJECTED_CELLS = 100_000


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class CheckReport:
    """What a check of one data file found.

    Attributes
    ----------
    problems : tuple of Problem
        Errors, questions, rows, warnings, in this order. Beyond 20 equal problems in a column the others
        are counted in one line.
    responses : Responses or None
        The answers that may be used; None where the file is refused or a question waits for the user.
    n_rows, n_rejected : int
        Rows in the file and rows kept out.
    reading : tuple of Note
        How the file was read, as catalogue sentences.
    refused : bool
        True where an error, or too many rejected rows, refuse the whole file.
    findings : tuple of Finding
        The same troubles in cells, whole, for :func:`rejected_table`.
    row_numbers : array of shape (n_rows,)
        Row numbers that the user sees.
    """

    file: str
    data_kind: DataKind
    problems: tuple[Problem, ...]
    responses: Responses | None
    n_rows: int
    n_rejected: int
    reading: tuple[Note, ...]
    refused: bool
    findings: tuple[Finding, ...]
    row_numbers: np.ndarray

    def __repr__(self) -> str:
        return f"CheckReport({self.file}: {self.n_rows} rows, {len(self.problems)} problems)"

    @property
    def undecided(self) -> bool:
        """True where the file is not refused but the user must answer a question before it can be read."""
        return not self.refused and any(p.severity == "question" for p in self.problems)

    def tidy(self) -> pd.DataFrame:
        """Return one row a problem: severity, file, row, column, value, reason in both languages, key."""
        rows = [
            (p.severity, p.file or self.file, p.row, p.column, p.value, p.text("vi"), p.text("en"), p.key)
            for p in self.problems
        ]
        names = ["severity", "file", "row", "column", "value", "reason_vi", "reason_en", "key"]
        return pd.DataFrame(rows, columns=names).astype({"row": "Int64"})

    def glance(self) -> pd.DataFrame:
        """Return one row: rows read, rejected and used, problems by severity, the verdict."""
        by = Counter(p.severity for p in self.problems)
        row = {
            "file": self.file,
            "n_rows": self.n_rows,
            "n_rejected": self.n_rejected,
            "n_used": self.n_rows - self.n_rejected,
            "n_errors": by["error"],
            "n_questions": by["question"],
            "n_row_problems": by["row"],
            "n_warnings": by["warning"],
            "refused": self.refused,
            "undecided": self.undecided,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return the report as text: how the file was read, counts, one line a problem, the verdict."""
        used = self.n_rows - self.n_rejected
        lines = [text("check.report.title", language, file=self.file)]
        lines += [f"  {text(key, language, **dict(fields))}" for key, fields in self.reading]
        lines.append(
            text("check.report.counts", language, read=self.n_rows, rejected=self.n_rejected, used=used)
            if self.n_rows
            else text("check.report.no_rows", language)
        )
        for severity in ("error", "question", "row", "warning"):
            listed = [p for p in self.problems if p.severity == severity]
            if listed:
                lines.append(text(f"check.report.{severity}", language))
                lines += [f"  - {p.text(language)}" for p in listed]
        if self.data_kind.is_simulated:
            lines.append(text("common.mark.simulated", language))
        return "\n".join([*lines, text(f"check.verdict.{self._verdict()}", language, file=self.file)])

    def _verdict(self) -> str:
        if self.refused:
            return "refused"
        if self.undecided:
            return "undecided"
        return "accepted_with_problems" if self.problems else "accepted"


def check_responses(
    path: str | Path | None, study: SurveySpec | HasSurveys, *, survey: str = "citizens"
) -> CheckReport:
    """Read and check a data file; list everything that is wrong.

    Parameters
    ----------
    path : str, Path or None
        .csv, .xlsx, .sav or .dta; "" or None takes the file that the study names.
    study : SurveySpec or Study
        A study, or the specification of one survey.
    survey : str, keyword only
        Which survey of the study the file belongs to.

    Returns
    -------
    CheckReport

    Raises
    ------
    DataFileError
        If the file cannot be read at all.
    HonestyError
        If a file marked as simulated is to be read as real or user data.
    ColumnMapError
        If the column map does not fit the questionnaire.
    """
    spec = study if isinstance(study, SurveySpec) else study.survey(survey)
    chosen = Path(path) if path else spec.file
    # Another file has sheets of its own.
    raw = read_table(chosen, sheet=spec.sheet if chosen == spec.file else "")
    checked = check_table(raw, spec)
    refused = any(p.severity == "error" for p in checked.problems)
    waiting = any(p.severity == "question" for p in checked.problems)
    own = not path or chosen == spec.file
    source = spec.source if own and spec.source else unicodedata.normalize("NFC", chosen.name)
    reading = (*raw.notes, *checked.notes)
    return CheckReport(
        file=raw.name,
        data_kind=spec.data_kind,
        problems=checked.problems,
        responses=None if refused or waiting else _responses(raw, checked, spec, source, reading),
        n_rows=len(raw),
        n_rejected=int(checked.rejected.sum()),
        reading=reading,
        refused=refused,
        findings=checked.findings,
        row_numbers=raw.row_numbers(),
    )


def read_responses(path: str | Path | None, study: SurveySpec | HasSurveys, *, survey: str = "citizens") -> Responses:
    """Read a data file whose answers pass the check.

    Parameters
    ----------
    path, study, survey
        As :func:`check_responses`.

    Returns
    -------
    Responses
        Without the rejected rows.

    Raises
    ------
    DataFileError
        If the file is refused or a question waits for the user; ``problems`` lists why.
    HonestyError, ColumnMapError
        As :func:`check_responses`.

    Warns
    -----
    RejectedRowsWarning
        With counts, if rows were rejected.
    """
    return accepted(check_responses(path, study, survey=survey), stacklevel=3)


def accepted(report: CheckReport, *, stacklevel: int = 2) -> Responses:
    """Return the answers of a file that passed its check, with a warning about rejected rows.

    Raises
    ------
    DataFileError
        If the file is refused or a question waits for the user; ``problems`` lists why.
    """
    if report.responses is None:
        verdict = "check.refused" if report.refused else "check.undecided"
        listed = [p for p in report.problems if p.severity != "warning"]
        raise DataFileError(verdict, problems=listed, file=report.file)
    if report.n_rejected:
        counts = {"rejected": report.n_rejected, "read": report.n_rows, "used": len(report.responses)}
        warnings.warn(RejectedRowsWarning("check.rejected", file=report.file, **counts), stacklevel=stacklevel)
    return report.responses


def rejected_table(report: CheckReport) -> pd.DataFrame:
    """Return every cell that rejects its row, for ``kiem_tra``: no other cell of the row is shown.

    Returns
    -------
    DataFrame
        Columns row, column, value, reason_vi, reason_en; ordered by row. Beyond 100,000 cells each column
        is shortened to an equal share, and a row without number tells how many cells are not listed.
    """
    of_rows = [f for f in report.findings if f.severity == "row"]
    share = MOST_REJECTED_CELLS // max(len(of_rows), 1)
    problems = list_problems(of_rows, report.row_numbers, report.file, limit=share)
    rows = [(p.row, p.column, p.value, p.text("vi"), p.text("en")) for p in problems]
    table = pd.DataFrame(rows, columns=["row", "column", "value", "reason_vi", "reason_en"]).astype({"row": "Int64"})
    return table.sort_values("row", kind="stable", na_position="last", ignore_index=True)


def _responses(raw: RawTable, checked: Checked, spec: SurveySpec, source: str, reading: tuple[Note, ...]) -> Responses:
    return Responses(
        frame=checked.frame.loc[~checked.rejected].reset_index(drop=True),
        questionnaire=spec.questionnaire,
        agencies=checked.agencies,
        design=checked.design,
        data_kind=spec.data_kind,
        source=source,
        n_read=len(raw),
        n_rejected=int(checked.rejected.sum()),
        problems=checked.problems,
        reading=reading,
    )
