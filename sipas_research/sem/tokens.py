"""The pieces of a model's text: names, numbers, strings, operators, each with its line and column.

One compiled regular expression reads the whole text once. Text pasted from a word processor is forgiven: curly
quotes, a typographic minus, tilde or space count as the plain character; each stands for one character, so that
columns stay true. Names are compared in Unicode's composed form (NFC).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from sipas_research.errors import ModelSyntaxError

NAME, NUMBER, STRING, OPERATOR, PUNCTUATION = "name", "number", "string", "operator", "punctuation"
BLOCK, BREAK, COMMENT, END, BAD = "block", "newline", "comment", "end", "bad"
_BREAKS = frozenset((BREAK, COMMENT, END))
_CHECKED = frozenset((BLOCK, BAD))

#: Operators of formulas about variables, and of formulas about parameters.
FORMULA_OPERATORS = ("=~", "~", "~~", "|", "~*~")
CONSTRAINT_OPERATORS = (":=", "==", "<", ">", "<=", ">=")

_TOKEN = re.compile(
    r"""[^\S\n]*(?:
      (?P<block>(?<![\w.])(?i:group|level|block|class)[^\S\n]*:(?!=)[^\n;\#!]*)
    | (?P<name>(?:[^\W\d]|\.(?![0-9]))(?:[\w.]|[^\x00-\x7f\s])*)
    | (?P<operator>=~|~\*~|~~|~|:=|==|<~|<=|>=|<|>|\|)
    | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<punctuation>[+*(),?/^:-])
    | (?P<string>"[^"\n]*"|'[^'\n]*')
    | (?P<newline>\n|;)
    | (?P<comment>[\#!][^\n]*)
    | (?P<end>\Z)
    | (?P<bad>.)
    )""",
    re.VERBOSE,
)

#: One character for one character, so that columns stay true.
_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»", '"'),
        **dict.fromkeys("‘’‚‛", "'"),
        **dict.fromkeys("˜∼～", "~"),
        **dict.fromkeys("−–—", "-"),
        **dict.fromkeys("×∗⁎", "*"),
        **dict.fromkeys("\u200b\u2060\ufeff", " "),
        **dict.fromkeys("\u2028\u2029", "\n"),
        "＝": "=",
        "＋": "+",
    }
)

_EXCERPT = 72


class Token(NamedTuple):
    """One piece of the text; ``line`` and ``column`` count from one."""

    kind: str
    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Statement:
    """The tokens of one formula without its line ends; ``at`` is the place of its (first) operator."""

    tokens: tuple[Token, ...]
    at: int


def normalise(text: str) -> str:
    """Return the text in NFC with typographic signs made plain and line ends made one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else unicodedata.normalize("NFC", text).translate(_TYPOGRAPHY)


def model_error(key: str, syntax_text: str, line: int, column: int, **fields: object) -> ModelSyntaxError:
    """Return the error ``key`` with the line of the model it is about and a caret under the place.

    Parameters
    ----------
    key : str
        Catalogue key of the sentence (any topic); line, column and excerpt are offered to it too.
    syntax_text : str
        The whole model.
    line, column : int
        The place, counted from one; 0 where the whole model is meant.
    """
    lines = syntax_text.split("\n")
    source = lines[line - 1] if 0 < line <= len(lines) else ""
    place: dict[str, object] = {"line": line, "column": column, "excerpt": _excerpt(source, column)}
    return ModelSyntaxError(key, problems=(), **fields, **place)


def _excerpt(source: str, column: int) -> str:
    """Return the line, or its part around the place, and a caret below."""
    source = "".join(" " if c.isspace() or not c.isprintable() else c for c in source)
    first = 0 if len(source) <= _EXCERPT or column <= _EXCERPT * 2 // 3 else column - _EXCERPT // 2
    shown = source[first : first + _EXCERPT].rstrip()
    before = "…" if first else ""
    after = "…" if len(source.rstrip()) > first + _EXCERPT else ""
    width = sum(0 if unicodedata.combining(c) else _width(c) for c in source[first : column - 1])
    return f"  {before}{shown}{after}\n  {' ' * (len(before) + width)}^"


def _width(character: str) -> int:
    """Return how many cells of a fixed-width screen a character takes."""
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def statements(text: str) -> list[Statement]:
    """Return the formulas of a normalised text; a line without an operator continues the formula above it.

    Raises
    ------
    ModelSyntaxError
        If a character has no place in a model, or a line without an operator has nothing to continue.
    """
    found: list[tuple[list[Token], int]] = []
    line, start = 1, 0
    row: list[Token] = []
    at, ended = -1, True
    checked = _CHECKED if text.isascii() else _CHECKED | {NAME}
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or BAD
        if kind not in _BREAKS:
            token = Token(kind, match[kind], line, match.start(kind) - start + 1)
            if kind in checked:
                _check(token, bool(row), text)
            if at < 0 and kind in (OPERATOR, BLOCK):
                at = len(row)
            row.append(token)
        elif kind != COMMENT:
            if at >= 0:
                found.append((row, at))
                ended = False
            elif len(row) > 2 and row[1].text == ":" and (ended or found[-1][0][-1].text != "+"):
                raise model_error("model_syntax.heading_unknown", text, row[0].line, row[0].column, found=row[0].text)
            elif row and ended:
                raise model_error("model_syntax.no_operator", text, row[0].line, row[0].column, found=row[0].text)
            elif row:
                found[-1][0].extend(row)
            row, at = [], -1
            if match[kind] == "\n":
                line, start = line + 1, match.end()
            elif kind == BREAK:
                ended = True
    return [Statement(tuple(tokens), at) for tokens, at in found]


def _check(token: Token, inside: bool, text: str) -> None:
    """Refuse a character that no model holds, a block's heading inside a formula, a name with a foreign sign."""
    if token.kind == BAD:
        key = {"=": "equals", '"': "quote", "'": "quote"}.get(token.text, "character")
        raise model_error(f"model_syntax.{key}", text, token.line, token.column, found=token.text)
    if token.kind == BLOCK and inside:
        raise model_error("model_syntax.interaction", text, token.line, token.column, found=token.text.strip())
    if token.kind == NAME and not token.text.replace(".", "_").isidentifier():
        wrong = next(i for i in range(len(token.text)) if not _fits(token.text[: i + 1]))
        raise model_error("model_syntax.character", text, token.line, token.column + wrong, found=token.text[wrong])


def _fits(name: str) -> bool:
    return name.replace(".", "_").isidentifier()
