"""Runs pandoc and Typst in a temporary folder; same input, same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import warnings
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from sipas_research.errors import OutputError, SipasWarning
from sipas_research.report.source import Source

#: 1 January 1980, the first moment a zip archive can name: documents carry no clock.
EPOCH = 315532800
_READER = (
    "markdown-raw_html-raw_tex-markdown_in_html_blocks-native_divs-native_spans"
    "+ascii_identifiers+lists_without_preceding_blankline"
)
_ASSETS = ("report.openxml", "sipas.lua", "report.html", "report.css", "report.typ")
# what pandoc warns of though no reader sees it
_HARMLESS = frozenset(
    {"DuplicateIdentifier", "DuplicateLinkReference", "DuplicateNoteReference", "NoteDefinedButNotUsed"}
)


class FontWarning(SipasWarning):
    """The fonts of the PDF lack a character."""


def prepare(source: Source, folder: Path, fonts: Sequence[str] = ()) -> None:
    """Write Markdown, pictures, metadata, filter and templates into a temporary folder."""
    (folder / "media").mkdir()
    for name, content in source.media.items():
        (folder / "media" / name).write_bytes(content)
    (folder / "document.md").write_text(source.markdown, encoding="utf-8", newline="\n")
    metadata = {**source.metadata, "fonts": list(fonts)}
    (folder / "metadata.json").write_text(json.dumps(metadata, ensure_ascii=False), encoding="utf-8")
    packaged = resources.files("sipas_research.report") / "assets"
    for name in _ASSETS:
        (folder / name).write_bytes((packaged / name).read_bytes())


@cache
def pandoc_program() -> str:
    """Return the path of the pandoc that pip installed."""
    import pypandoc

    return str(pypandoc.get_pandoc_path())


def run_pandoc(folder: Path, arguments: Sequence[str], output: str, *, name: str) -> Path:
    """Convert ``document.md`` inside the folder to ``output``; ``name`` is the file that the user waits for.

    Raises
    ------
    OutputError
        If pandoc refuses, or warns of something that a reader would see.
    """
    command = [
        pandoc_program(),
        "document.md",
        f"--from={_READER}",
        "--standalone",
        "--toc",
        "--toc-depth=2",
        "--wrap=none",
        "--metadata-file=metadata.json",
        "--lua-filter=sipas.lua",
        "--resource-path=.",
        "--log=log.json",
        *arguments,
        f"--output={output}",
    ]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    if done.returncode or _serious(folder / "log.json"):
        reason = done.stderr.decode("utf-8", errors="replace").strip()
        raise OutputError("report.conversion_failed", file=name, program="pandoc", reason=reason)
    return folder / output


def _serious(log: Path) -> bool:
    messages = json.loads(log.read_text(encoding="utf-8"))
    return any(m.get("verbosity") == "WARNING" and m.get("type") not in _HARMLESS for m in messages)


def make_html(folder: Path, name: str) -> Path:
    """Return one HTML file that holds its pictures and style and asks the network for nothing."""
    arguments = ["--to=html5", "--mathml", "--embed-resources", "--number-sections"]
    return run_pandoc(folder, [*arguments, "--template=report.html", "--css=report.css"], "document.html", name=name)


def make_pdf(folder: Path, name: str, fonts: Path | None = None) -> Path:
    """Return a PDF/A-2b made by Typst with embedded fonts only.

    Warns
    -----
    FontWarning
        If the fonts lack a character: the PDF is made all the same, without the archive standard.
    """
    import typst

    source = run_pandoc(folder, ["--to=typst", "--template=report.typ"], "document.typ", name=name)
    target = folder / "document.pdf"
    attempts: tuple[Any, ...] = (["a-2b"], [])
    for standards in attempts:
        try:
            typst.compile_with_warnings(
                str(source),
                output=str(target),
                root=str(folder),
                font_paths=[str(fonts)] if fonts else [],
                ignore_system_fonts=True,
                pdf_standards=standards,
                timestamp=EPOCH,
            )
        except typst.TypstError as error:
            reason = str(error.args[0] if error.args else error).strip()
            if not standards or "PDF/A" not in reason:
                raise OutputError("report.conversion_failed", file=name, program="Typst", reason=reason) from error
            warnings.warn(FontWarning("report.missing_glyph", file=name, reason=reason), stacklevel=3)
        else:
            break
    return target
