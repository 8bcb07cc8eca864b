"""``DOC_TRUOC.html``: what to do next in a new study folder, on one page that opens without a network."""

from __future__ import annotations

from html import escape

from sipas_research.wording import LANGUAGES, text

_STEPS = ("questionnaire", "columns", "agencies", "study", "check", "report", "framework")
_STYLE = (
    "body{font-family:'Times New Roman',Tinos,serif;font-size:18px;line-height:1.45;max-width:46em;margin:2em auto;"
    "padding:0 1em;color:#111}h1{font-size:1.5em}h2{font-size:1.15em;margin-top:1.6em}li{margin:.5em 0}"
    "code{font-family:monospace;background:#eee;padding:0 .25em}hr{margin:3em 0}"
)


def read_first_page(name: str, *, drafted: bool, with_data: bool) -> str:
    """Return the page, Vietnamese first, then English.

    Parameters
    ----------
    name : str
        Name of the study folder.
    drafted : bool
        True where the questionnaire was drafted from the file.
    with_data : bool
        False where the data file has still to be copied in.
    """
    parts = [_part(name, language, drafted=drafted, with_data=with_data) for language in LANGUAGES]
    title = escape(text("study.read_first.title", "vi", name=name))
    return (
        '<!DOCTYPE html>\n<html lang="vi">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n<style>{_STYLE}</style>\n'
        "</head>\n<body>\n" + "\n<hr>\n".join(parts) + "\n</body>\n</html>\n"
    )


def _part(name: str, language: str, *, drafted: bool, with_data: bool) -> str:
    def say(key: str, **fields: object) -> str:
        return _code(escape(text(f"study.read_first.{key}", language, **fields)))

    steps = list(_STEPS)
    if drafted:
        steps[0] = "questionnaire_drafted"
    if not with_data:
        steps.insert(0, "data")
    listed = "\n".join(f"<li>{say(step)}</li>" for step in steps)
    people = "".join(f"<p>{say(key)}</p>\n" for key in ("privacy", "minimum", "kind"))
    return (
        f'<section lang="{language}">\n<h1>{say("title", name=name)}</h1>\n<p>{say("intro")}</p>\n'
        f"<h2>{say('steps')}</h2>\n<ol>\n{listed}\n</ol>\n<h2>{say('people')}</h2>\n{people}"
        f"<h2>{say('results')}</h2>\n<p>{say('output')}</p>\n</section>"
    )


def _code(content: str) -> str:
    """Turn `backquoted` words into code."""
    pieces = content.split("`")
    return "".join(f"<code>{p}</code>" if n % 2 else p for n, p in enumerate(pieces))
