"""The message catalogues: one TOML file a topic and language under ``catalogue/``.

A key is ``topic.section.name``: file, table path, entry. Both languages hold the same keys with
the same placeholders; ``tests/wording`` checks it. Whole numbers are printed with the thousands
separator of the language; other numbers must be formatted by the caller, so that no digit reaches
a reader by accident.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Literal

from sipas_research.wording.bilingual import Bilingual
from sipas_research.wording.numbers import integer

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, Language] = ("vi", "en")


@cache
def _topic(language: str, topic: str) -> dict[str, str]:
    source = resources.files("sipas_research.wording") / "catalogue" / language / f"{topic}.toml"
    return dict(_flatten(tomllib.loads(source.read_text(encoding="utf-8")), topic))


def _flatten(node: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in node.items():
        key = f"{prefix}.{name}"
        rows.extend(_flatten(value, key) if isinstance(value, dict) else [(key, str(value))])
    return rows


def keys(language: Language) -> dict[str, str]:
    """Return every key of one language with its raw text."""
    folder = resources.files("sipas_research.wording") / "catalogue" / language
    topics = sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
    return {key: value for topic in topics for key, value in _topic(language, topic).items()}


def text(key: str, language: str, **fields: object) -> str:
    """Return the sentence ``key`` in ``language`` with its placeholders filled.

    Raises
    ------
    KeyError
        If the key is not in the catalogue or a placeholder has no value: a slip of ours, not of the user.
    TypeError
        If a field is a float; format it with :func:`number`, :func:`percent` or :func:`p_value` first.
    """
    if language not in LANGUAGES:
        raise KeyError(f"language {language!r}; known: {', '.join(LANGUAGES)}")
    raw = _topic(language, key.split(".", 1)[0])[key]
    return raw.format(**{name: _plain(name, value, language) for name, value in fields.items()})


def _plain(name: str, value: object, language: str) -> str:
    if isinstance(value, Bilingual):
        return value(language)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return integer(value, language)
    raise TypeError(f"field {name!r} is a bare float; format it for {language!r} first")


def both(key: str, **fields: object) -> str:
    """Return the sentence in Vietnamese, then in English on a line of its own."""
    return "\n".join(text(key, language, **fields) for language in LANGUAGES)
