"""The simulated province as files: UTF-8 CSV with mark, SPSS with Vietnamese labels, all marked as simulated."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sipas_research.files import write_file
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.questionnaire import Question, Questionnaire
from sipas_research.survey.raw_table import SIMULATED_COLUMN
from sipas_research.wording import text

# pyreadstat stamps the moment of writing into the header: 9 bytes of date and 8 of time from byte 92.
_STAMP_AT = 92
_STAMP = b"01 Jan 2200:00:00"
_TIMES = ("start_time", "end_time")


def write_table(path: Path, table: pd.DataFrame) -> Path:
    """Write a table as UTF-8 CSV with byte-order mark, dates as ISO text, empty cells for missing values."""
    plain = table.copy()
    for name in plain.columns:
        if pd.api.types.is_datetime64_any_dtype(plain[name]):
            plain[name] = plain[name].dt.strftime("%Y-%m-%d %H:%M" if name in _TIMES else "%Y-%m-%d")
    return write_file(path, lambda target: plain.to_csv(target, index=False, encoding="utf-8-sig", lineterminator="\n"))


def write_register(path: Path, register: AgencyRegister) -> Path:
    """Write the register of agencies as CSV with the columns of an agency file and the mark."""
    rows = [
        {
            SIMULATED_COLUMN: "simulated",
            "code": agency.code,
            "name_vi": agency.name.vi,
            "name_en": agency.name.en,
            "level": agency.level,
            "valid_from": agency.valid_from,
            "valid_to": agency.valid_to,
            "aliases": "; ".join(agency.aliases),
            "source": agency.source,
            "verified": "false",
        }
        for agency in register.agencies
    ]
    return write_table(path, pd.DataFrame(rows))


def write_sav(path: Path, table: pd.DataFrame, questionnaire: str) -> Path:
    """Write a table as SPSS file with the Vietnamese labels of a packaged questionnaire.

    The code of "không trả lời" is declared as user-missing. The same table gives the same bytes.
    """
    from sipas_research.survey.questionnaire_files import load_questionnaire

    form = load_questionnaire(questionnaire)
    return write_file(path, lambda target: _fill_sav(target, table, form))


def _fill_sav(target: Path, table: pd.DataFrame, form: Questionnaire) -> None:
    import pyreadstat

    asked = {question.id: question for question in form.asked if question.id in table}
    plain = table.copy()
    for name in plain.columns:
        if pd.api.types.is_datetime64_any_dtype(plain[name]) and name not in _TIMES:
            plain[name] = plain[name].dt.date
        elif isinstance(plain[name].dtype, pd.Int64Dtype):
            plain[name] = plain[name].astype(float)
    labels: dict[str, str | None] = {"data_kind": text("twin.label.data_kind", "vi")}
    labels.update((name, question.text.vi) for name, question in asked.items())
    pyreadstat.write_sav(
        plain,
        str(target),
        file_label=text("twin.label.file", "vi"),
        column_labels=labels,
        variable_value_labels={name: _value_labels(q) for name, q in asked.items() if q.answers},
        missing_ranges={name: [float(c) for c in q.missing_codes] for name, q in asked.items() if q.missing_codes},
        variable_measure={name: _measure(q) for name, q in asked.items()},
        row_compress=True,
    )
    with target.open("r+b") as stream:
        stream.seek(_STAMP_AT)
        stream.write(_STAMP)


def _value_labels(question: Question) -> dict[int | float, str]:
    return {float(answer.code): answer.label.vi for answer in question.answers}


def _measure(question: Question) -> str:
    if question.kind == "likert":
        return "ordinal"
    return "scale" if question.kind == "number" else "nominal"
