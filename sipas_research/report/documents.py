"""A document written as HTML, Word and PDF."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sipas_research import files
from sipas_research.errors import OptionError
from sipas_research.report import conversion
from sipas_research.report.display import mark
from sipas_research.report.source import Document, make_source

FORMATS = ("docx", "pdf", "html")


def write_documents(
    document: Document,
    folder: Path,
    stem: str,
    formats: Sequence[str] = FORMATS,
    *,
    fonts: Path | None = None,
    font_family: str = "",
) -> list[Path]:
    """Write a document in several formats; same input, same bytes.

    Parameters
    ----------
    document : Document
    folder : Path
        Created if it does not exist.
    stem : str
        File name without ending; the caller adds the suffix of simulated data.
    formats : sequence of str
        Of "docx", "pdf", "html".
    fonts : Path, optional
        A folder of font files for the PDF, and ``font_family`` the name of the family in it; without them the PDF
        is set in Libertinus Serif, which Typst carries and which holds every Vietnamese letter.

    Returns
    -------
    list of Path
        Where the files landed: another name than asked for where Word held the old file open.

    Raises
    ------
    OptionError
        If a format is unknown.
    RunError
        If an id is used twice or a reference points nowhere.
    HonestyError
        If something simulated stands in a document that does not say so.
    OutputError
        If a file cannot be made or written.
    """
    for name in formats:
        if name not in FORMATS:
            raise OptionError("report.unknown_format", received=name, allowed=", ".join(FORMATS))
    source = make_source(document)
    landed = []
    with tempfile.TemporaryDirectory(prefix="sipas-") as temporary:
        work = Path(temporary)
        conversion.prepare(source, work, [font_family] if font_family else ())
        for name in formats:
            made = _make(name, work, f"{stem}.{name}", document, fonts)
            landed.append(files.write_file(folder / f"{stem}.{name}", partial(shutil.copyfile, made)))
    return landed


def _make(name: str, work: Path, shown: str, document: Document, fonts: Path | None) -> Path:
    if name == "html":
        return conversion.make_html(work, shown)
    if name == "pdf":
        return conversion.make_pdf(work, shown, fonts)
    from sipas_research.report.word import make_docx

    return make_docx(work, shown, mark(document.data_kind, document.language))
