"""``sipas new``: a study folder made from a data file, ready to be corrected in Excel."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sipas_research import resources
from sipas_research.errors import OptionError, OutputError, StudyError
from sipas_research.files import write_text
from sipas_research.framework.file_names import ACTIONS_FILE, FILE_NAMES, FRAME_FILE, REGISTER_FILE
from sipas_research.study.place import AGENCIES_FILE, COLUMNS_FILE, QUESTIONNAIRE_FILE, STUDY_FILE
from sipas_research.study.plan import NOTEBOOKS_FOLDER
from sipas_research.study.read_first import read_first_page
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.raw_table import SIMULATED_COLUMN
from sipas_research.survey.specs import ColumnMap
from sipas_research.wording import text

if TYPE_CHECKING:
    from sipas_research.survey.questionnaire import Questionnaire
    from sipas_research.survey.raw_table import RawTable

DATA_FOLDER = "du_lieu"
READ_FIRST = "DOC_TRUOC.html"
#: Parts of the sampling design and the questions that carry them.
DESIGN = (("weight", "weight"), ("stratum", "stratum"), ("population", "frame_size"))
#: Share of a packaged questionnaire's items in a file from which on the file answers it.
_ENOUGH = 0.5
_USUAL_FORM = "citizens"
#: What to tell the user: catalogue key and fields.
Message = tuple[str, tuple[tuple[str, object], ...]]


@dataclass(frozen=True, slots=True)
class NewFolder:
    """A study folder that was made: its place, its files by relative name, and what to tell the user."""

    folder: Path
    files: tuple[str, ...]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Content:
    """What the folder will hold, decided before anything is written."""

    form: str
    source: Path | None
    raw: RawTable | None
    questionnaire: Questionnaire
    drafted: bool
    columns: ColumnMap
    agencies: AgencyRegister
    year: int | None

    @property
    def mapped(self) -> dict[str, str]:
        """Column of the file by question id."""
        return {rule.question: rule.column for rule in self.columns.rules if rule.question}


def make_folder(folder: Path, source: Path | None = None, *, form: str = "", sheet: str = "") -> NewFolder:
    """Make a study folder.

    Parameters
    ----------
    folder : Path
        Must not exist, or be empty.
    source : Path, optional
        Data file (.csv, .xlsx, .sav, .dta); it is copied into the folder.
    form : str
        Packaged questionnaire that the file answers: "citizens" or "staff"; "" takes the one whose items the
        file holds, or else "citizens".
    sheet : str
        Sheet of an Excel file that holds the answers; "" takes the first one with data.

    Returns
    -------
    NewFolder

    Raises
    ------
    StudyError
        If the folder exists and is not empty, or is a file.
    OptionError
        If the form is unknown.
    DataFileError
        If the data file cannot be read.
    OutputError
        If the folder cannot be written; nothing is left behind.
    """
    folder = folder.expanduser().absolute()
    if folder.is_file():
        raise StudyError("study.new.is_file", folder=folder.name)
    if folder.is_dir() and any(folder.iterdir()):
        raise StudyError("study.new.not_empty", folder=folder.name)
    content = _decide(source, form, sheet)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".sipas_", dir=folder.parent))
    except OSError as error:
        raise OutputError("files.folder_not_writable", folder=folder.parent.name, reason=str(error.strerror)) from error
    try:
        _fill(temporary, folder.name, content)
        temporary.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()
        temporary.rename(folder)
    except OSError as error:
        raise OutputError("files.folder_not_writable", folder=folder.name, reason=str(error.strerror)) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    made = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return NewFolder(folder, tuple(made), tuple(_messages(content)))


def _decide(source: Path | None, form: str, sheet: str) -> _Content:
    from sipas_research.survey.questionnaire_files import load_questionnaire, packaged_ids

    if form and form not in packaged_ids():
        raise OptionError("study.new.unknown_form", value=form, allowed=", ".join(packaged_ids()))
    if source is None:
        base = load_questionnaire(form or _USUAL_FORM)
        return _Content(base.id, None, None, base, False, ColumnMap(()), AgencyRegister(), None)
    from sipas_research.survey.columns import match_columns
    from sipas_research.survey.reading import read_table

    raw = read_table(source.expanduser(), sheet=sheet)
    form = form or _form_of(raw)
    questionnaire, drafted = _choose(raw, load_questionnaire(form))
    columns = match_columns(raw, questionnaire)
    found = {rule.question: rule.column for rule in columns.rules if rule.question}
    return _Content(
        form, source.expanduser(), raw, questionnaire, drafted, columns, _agencies(raw, found), _year(raw, found)
    )


def _form_of(raw: RawTable) -> str:
    """Return the packaged questionnaire that the file answers best, the usual one where it answers none."""
    from sipas_research.survey.questionnaire_files import load_questionnaire, packaged_ids

    forms = sorted(packaged_ids(), key=lambda form: form != _USUAL_FORM)
    shares = {form: _answered(raw, load_questionnaire(form))[1] for form in forms}
    best = max(forms, key=lambda form: shares[form])
    return best if shares[best] >= _ENOUGH else _USUAL_FORM


def _answered(raw: RawTable, base: Questionnaire) -> tuple[int, float]:
    """Return how many items of a questionnaire are in the file, and their share; of its factors, where it has any."""
    from sipas_research.survey.columns import match_columns

    asked = {i for ids in base.scale_items("factor").values() for i in ids} or {q.id for q in base.items()}
    matched = {rule.question for rule in match_columns(raw, base).rules} & asked
    return len(matched), len(matched) / len(asked)


def _choose(raw: RawTable, base: Questionnaire) -> tuple[Questionnaire, bool]:
    """Keep the packaged questionnaire where enough of its items are in the file, else draft one."""
    from sipas_research.survey.questionnaire_files import draft_questionnaire

    matched, share = _answered(raw, base)
    if share >= _ENOUGH:
        return base, False
    draft = draft_questionnaire(raw, base)
    return (draft, True) if len(draft.items()) > matched else (base, False)


def _agencies(raw: RawTable, mapped: dict[str, str]) -> AgencyRegister:
    from sipas_research.survey.agency_column import agency_codes

    column = mapped.get("agency")
    if column is None:
        return AgencyRegister()
    labels = raw.value_labels.get(column)
    missing = tuple(raw.missing_codes.get(column, ()))
    register = agency_codes(raw.frame[column], column, AgencyRegister(), labels, missing).register
    return replace(register, simulated=raw.simulated)


def _year(raw: RawTable, mapped: dict[str, str]) -> int | None:
    import pandas as pd

    column = mapped.get("year")
    if column is None:
        return None
    years = pd.to_numeric(raw.frame[column], errors="coerce").dropna()
    years = years[years.between(1990, 2100)]
    return int(years.max()) if len(years) else None


def _fill(folder: Path, name: str, content: _Content) -> None:
    from sipas_research.survey.agency_files import write_agencies_xlsx
    from sipas_research.survey.column_files import FormColumns, write_column_map
    from sipas_research.survey.questionnaire_files import write_questionnaire_xlsx

    data = f"{DATA_FOLDER}/khao_sat.csv"
    (folder / DATA_FOLDER).mkdir()
    if content.source is not None:
        data = f"{DATA_FOLDER}/{content.source.name}"
        shutil.copyfile(content.source, folder / data)
    write_text(folder / STUDY_FILE, study_toml(name, data, content))
    write_questionnaire_xlsx(content.questionnaire, folder / QUESTIONNAIRE_FILE)
    form = FormColumns(content.form, content.questionnaire, content.raw, content.year)
    write_column_map(folder / COLUMNS_FILE, [form])
    write_agencies_xlsx(content.agencies, folder / AGENCIES_FILE)
    _write_framework(folder, content.agencies)
    (folder / NOTEBOOKS_FOLDER).mkdir()
    for notebook in sorted(resources.notebooks().glob("*.ipynb")):
        shutil.copyfile(notebook, folder / NOTEBOOKS_FOLDER / notebook.name)
    write_text(folder / READ_FIRST, read_first_page(name, drafted=content.drafted, with_data=content.raw is not None))


def _write_framework(folder: Path, agencies: AgencyRegister) -> None:
    """Write the frameworks, the measures, an empty register of results and the frame, to be edited in Excel."""
    from sipas_research.framework.actions import load_actions, write_actions_xlsx
    from sipas_research.framework.frame_file import write_frames_xlsx
    from sipas_research.framework.framework_file import load_framework, write_framework_xlsx
    from sipas_research.framework.results_register import ResultsRegister, write_register

    for level, name in FILE_NAMES.items():
        write_framework_xlsx(load_framework(level), folder / name)
    write_actions_xlsx(load_actions(), folder / ACTIONS_FILE)
    write_register(ResultsRegister(), folder / REGISTER_FILE)
    write_frames_xlsx(agencies, folder / FRAME_FILE)


def study_toml(name: str, data: str, content: _Content) -> str:
    """Return the text of study.toml: every key with a comment in Vietnamese, unknown ones left empty."""
    simulated = content.raw is not None and content.raw.simulated
    lines = [*_comment("head"), "[study]", f"id = {_quoted(identifier(name))}"]
    lines += [*_comment("title"), f"title_vi = {_quoted(name)}", 'title_en = ""']
    lines += [*_comment("place")]
    lines += [f"place_{lang} = {_quoted(text('study.new.place', lang))}" for lang in ("vi", "en")]
    lines += [*_comment("year"), f"year = {content.year}" if content.year else "# year = 2025"]
    lines += [*_comment("kind"), f"data_kind = {_quoted('simulated' if simulated else 'user')}", ""]
    lines += [*_comment("provenance"), "[provenance]"]
    lines += [f'{key} = ""' for key in ("owner", "collected_from", "collected_to", "decision")]
    lines += ["", *_comment("survey"), "[[survey]]", f"name = {_quoted(content.form)}", f"file = {_quoted(data)}"]
    if content.raw is not None and content.raw.sheet:
        lines += [f"sheet = {_quoted(content.raw.sheet)}"]
    lines += [f"questionnaire = {_quoted(content.questionnaire.id)}", "", *_comment("design"), "[survey.design]"]
    for part, question in DESIGN:
        lines.append(f"{part} = {_quoted(question)}" if question in content.mapped else f'# {part} = "{question}"')
    # never switched on by itself: a column of sites does not say that sites were drawn
    lines.append('# cluster = "site"')
    lines += ["", *_comment("report"), "[report]", 'languages = ["vi", "en"]']
    lines += [*_comment("scorecard"), 'scorecard_agency = ""']
    return "\n".join(lines) + "\n"


def _comment(key: str) -> list[str]:
    return [f"# {line}" for line in text(f"study.new.comment.{key}", "vi").splitlines()]


def _quoted(value: str) -> str:
    # TOML's basic strings take JSON's escapes.
    return json.dumps(value, ensure_ascii=False)


def identifier(name: str) -> str:
    """Return a folder's name as a study id: "Khảo sát năm 2025" becomes "khao_sat_nam_2025"."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("đ", "d"))
    ascii_only = "".join(c for c in plain if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "_", ascii_only).strip("_")[:60] or "nghien_cuu"


def _messages(content: _Content) -> list[Message]:
    if content.raw is None:
        return [("study.new.no_data", (("folder", DATA_FOLDER),))]
    columns = len([c for c in content.raw.frame if c != SIMULATED_COLUMN])
    found: list[Message] = [
        ("study.new.copied", (("file", content.raw.name), ("folder", DATA_FOLDER))),
        ("study.new.privacy", ()),
        (
            "study.new.matched" if len(content.mapped) < columns else "study.new.matched_all",
            (("matched", len(content.mapped)), ("columns", columns), ("file", COLUMNS_FILE)),
        ),
    ]
    found += [("study.new.sheet", fields) for key, fields in content.raw.notes if key == "reading.note.sheet_of"]
    if content.raw.simulated:
        found.append(("study.new.simulated", (("file", content.raw.name),)))
    if content.drafted:
        items = len(content.questionnaire.items())
        found.append(("study.new.drafted", (("items", items), ("file", QUESTIONNAIRE_FILE))))
    else:
        found.append(("study.new.form", (("title", content.questionnaire.title),)))
    if content.agencies.agencies:
        found.append(("study.new.agencies", (("n", len(content.agencies.agencies)), ("file", AGENCIES_FILE))))
    return found
