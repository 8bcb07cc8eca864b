"""The text of ``study.toml``: which keys it may hold and what each may say. Nothing else is opened here."""

from __future__ import annotations

import datetime
import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sipas_research.errors import StudyError
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import LANGUAGES, Bilingual

DATA_KINDS = ("real", "user", "simulated")
YEARS = (1990, 2100)
_DATE_FORMS = ("%Y-%m-%d", "%d/%m/%Y")
_ALLOWED: dict[str, tuple[str, ...]] = {
    "": ("study", "provenance", "survey", "report"),
    "study": ("id", "title_vi", "title_en", "place_vi", "place_en", "year", "data_kind", "agencies"),
    "provenance": ("owner", "collected_from", "collected_to", "decision"),
    "survey": ("name", "file", "sheet", "questionnaire", "design", "max_rejected_share"),
    "survey.design": ("weight", "stratum", "cluster", "population"),
    "report": ("languages", "scorecard_agency", "evidence"),
}


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who owns the data, when they were collected and by which decision; all four make data "real"."""

    owner: str = ""
    collected_from: datetime.date | None = None
    collected_to: datetime.date | None = None
    decision: str = ""

    @property
    def complete(self) -> bool:
        """True when all four parts are filled."""
        return bool(self.owner and self.collected_from and self.collected_to and self.decision)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the keys that are not filled."""
        return tuple(name for name in _ALLOWED["provenance"] if not getattr(self, name))


@dataclass(frozen=True, slots=True)
class SurveyEntry:
    """One ``[[survey]]`` of the file, with names only."""

    name: str
    file: str
    questionnaire: str
    design: SampleDesign = field(default_factory=SampleDesign)
    max_rejected_share: float = 0.05
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class StudyFile:
    """The whole file, checked for form."""

    id: str
    title: Bilingual
    place: Bilingual
    year: int | None
    data_kind: str
    agencies: str
    provenance: Provenance
    surveys: tuple[SurveyEntry, ...]
    languages: tuple[str, ...]
    scorecard_agency: str
    evidence: bool = False


def near(word: str, known: Iterable[str]) -> str:
    """Return the known name that looks like ``word`` most, or an empty string."""
    found = difflib.get_close_matches(word.casefold(), list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def read_study_file(path: Path) -> StudyFile:
    """Read ``study.toml`` and refuse what it may not say.

    Raises
    ------
    StudyError
        If the file cannot be read, is not TOML, holds an unknown key or a value that is not allowed.
    """
    tables = _parse(path)
    _refuse_unknown(path.name, "", tables)
    study = _table(path.name, tables, "study")
    provenance = _table(path.name, tables, "provenance")
    report = _table(path.name, tables, "report")
    entries = _surveys(path.name, tables.get("survey", []))
    kind = _string(path.name, study, "study.data_kind", "user")
    if kind not in DATA_KINDS:
        raise StudyError(
            "study.not_allowed", file=path.name, setting="study.data_kind", value=kind, allowed=_join(DATA_KINDS)
        )
    return StudyFile(
        id=_identifier(path.name, "study.id", _string(path.name, study, "study.id", "")),
        title=_bilingual(path.name, study, "title"),
        place=_bilingual(path.name, study, "place"),
        year=_year(path.name, study.get("year")),
        data_kind=kind,
        agencies=_string(path.name, study, "study.agencies", ""),
        provenance=_provenance(path.name, provenance),
        surveys=entries,
        languages=_languages(path.name, report.get("languages", list(LANGUAGES))),
        scorecard_agency=_string(path.name, report, "report.scorecard_agency", ""),
        evidence=_switch(path.name, report.get("evidence", False), "report.evidence"),
    )


def _parse(path: Path) -> dict[str, Any]:
    try:
        # Notepad writes a byte-order mark, which TOML does not know.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise StudyError("study.not_utf8", file=path.name) from error
    except tomllib.TOMLDecodeError as error:
        raise StudyError("study.not_toml", file=path.name, reason=str(error)) from error
    except OSError as error:
        raise StudyError("study.unreadable", file=path.name, reason=str(error.strerror)) from error


def _join(words: Iterable[str]) -> str:
    return ", ".join(words)


def _refuse_unknown(file: str, table: str, found: Mapping[str, Any]) -> None:
    allowed = _ALLOWED[table]
    for name in found:
        if name in allowed:
            continue
        key = f"{table}.{name}" if table else name
        suggestion = near(name, allowed)
        if suggestion:
            raise StudyError("study.unknown_key_near", file=file, setting=key, near=suggestion, allowed=_join(allowed))
        raise StudyError("study.unknown_key", file=file, setting=key, allowed=_join(allowed))


def _table(file: str, tables: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = tables.get(name.rsplit(".", 1)[-1], {})
    if not isinstance(found, dict):
        raise StudyError("study.not_table", file=file, setting=name)
    _refuse_unknown(file, name, found)
    return found


def _string(file: str, table: Mapping[str, Any], key: str, default: str) -> str:
    value = table.get(key.rsplit(".", 1)[-1], default)
    if not isinstance(value, str):
        raise StudyError("study.not_text", file=file, setting=key, value=str(value))
    return value.strip()


def _bilingual(file: str, table: Mapping[str, Any], name: str) -> Bilingual:
    vi = _string(file, table, f"study.{name}_vi", "")
    en = _string(file, table, f"study.{name}_en", "")
    if not vi and not en:
        raise StudyError("study.needed", file=file, setting=f"study.{name}_vi")
    return Bilingual(vi or en, en or vi)


def _identifier(file: str, key: str, value: str) -> str:
    """Accept what can stand in the name of a file."""
    if not value:
        raise StudyError("study.needed", file=file, setting=key)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}", value):
        raise StudyError("study.bad_id", file=file, setting=key, value=value)
    return value


def _year(file: str, value: object) -> int | None:
    if value is None or value == "":
        return None
    low, high = YEARS
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise StudyError(
            "study.bad_year", file=file, setting="study.year", value=str(value), low=str(low), high=str(high)
        )
    return value


def _provenance(file: str, table: Mapping[str, Any]) -> Provenance:
    start = _date(file, "provenance.collected_from", table.get("collected_from", ""))
    end = _date(file, "provenance.collected_to", table.get("collected_to", ""))
    if start and end and end < start:
        raise StudyError("study.dates_reversed", file=file, setting="provenance.collected_to")
    owner = _string(file, table, "provenance.owner", "")
    return Provenance(owner, start, end, _string(file, table, "provenance.decision", ""))


def _date(file: str, key: str, value: object) -> datetime.date | None:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    if not str(value).strip():
        return None
    for form in _DATE_FORMS:
        try:
            return datetime.datetime.strptime(str(value).strip(), form).date()
        except ValueError:
            continue
    raise StudyError("study.bad_date", file=file, setting=key, value=str(value))


def _surveys(file: str, found: object) -> tuple[SurveyEntry, ...]:
    if not isinstance(found, list):
        raise StudyError("study.not_survey_list", file=file)
    entries = tuple(_survey(file, entry) for entry in found)
    names = [e.name for e in entries]
    for name in names:
        if names.count(name) > 1:
            raise StudyError("study.survey_twice", file=file, setting="survey.name", value=name)
    return entries


def _survey(file: str, table: object) -> SurveyEntry:
    if not isinstance(table, dict):
        raise StudyError("study.not_survey_list", file=file)
    _refuse_unknown(file, "survey", table)
    parts = {name: _string(file, table, f"survey.{name}", "") for name in ("name", "file", "questionnaire")}
    parts["name"] = _identifier(file, "survey.name", parts["name"] or "citizens")
    if not parts["file"]:
        raise StudyError("study.needed", file=file, setting="survey.file")
    design = _table(file, table, "survey.design")
    columns = {name: _string(file, design, f"survey.design.{name}", "") for name in _ALLOWED["survey.design"]}
    return SurveyEntry(
        name=parts["name"],
        file=parts["file"],
        questionnaire=parts["questionnaire"] or parts["name"],
        design=SampleDesign(**columns),
        sheet=_string(file, table, "survey.sheet", ""),
        max_rejected_share=_share(file, table.get("max_rejected_share", 0.05)),
    )


def _share(file: str, value: object) -> float:
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not 0 <= number <= 1:
        raise StudyError("study.bad_share", file=file, setting="survey.max_rejected_share", value=str(value))
    return number


def _switch(file: str, value: object, setting: str) -> bool:
    if isinstance(value, bool):
        return value
    raise StudyError("study.not_allowed", file=file, setting=setting, value=str(value), allowed="true, false")


def _languages(file: str, value: object) -> tuple[str, ...]:
    chosen = [value] if isinstance(value, str) else value
    if isinstance(chosen, list) and chosen and all(c in LANGUAGES for c in chosen):
        return tuple(dict.fromkeys(chosen))
    raise StudyError(
        "study.not_allowed", file=file, setting="report.languages", value=str(value), allowed=_join(LANGUAGES)
    )
