"""Comparing names that people typed: letters, diacritics, spaces, punctuation and question numbers aside."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_NUMBER_PREFIX = re.compile(
    r"^\s*(?:(?:câu(?:\s+hỏi)?|cau(?:\s+hoi)?|mục|question|item)\s*)?"
    r"(?:(?:[a-z]{0,2}\d+(?:[.\-_]\d+)*|[ivx]+|[a-z])\s*[.):–—-]\s*|\d+(?:\.\d+)+\s+)(?=\S)",
    re.IGNORECASE,
)
_NUMBERED_NAME = re.compile(r"^(?:câu(?:\s+hỏi)?|cau(?:\s+hoi)?|question)\s*\d+\s*[.:)]?\s+(?=\S)", re.IGNORECASE)
_BRACKET = re.compile(r"\[([^\[\]]+)\]\s*$")


@lru_cache(maxsize=65536)
def same_key(name: str) -> str:
    """Return ``name`` in NFC, casefolded, with every run of spaces and punctuation made one space."""
    folded = unicodedata.normalize("NFC", name).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


@lru_cache(maxsize=65536)
def bare_key(name: str) -> str:
    """Return :func:`same_key` without diacritics: "Đảo" and "dao" agree."""
    parts = unicodedata.normalize("NFD", same_key(name).replace("đ", "d"))
    return "".join(c for c in parts if not unicodedata.combining(c))


def without_number(name: str) -> str:
    """Return ``name`` without the number that a form puts before a question ("7. ", "Câu 7: ", "B2.1) ")."""
    shorter = _NUMBER_PREFIX.sub("", name, count=1)
    if shorter == name:
        shorter = _NUMBERED_NAME.sub("", name, count=1)
    return shorter if any(c.isalpha() for c in shorter) else name


def last_parts(name: str) -> tuple[str, ...]:
    """Return what may be the question inside "group/name", "group-name" or "Group [row]"; () if there is no group."""
    found = []
    bracket = _BRACKET.search(name)
    if bracket:
        found.append(bracket.group(1))
    for mark in ("/", "-"):
        last = name.rsplit(mark, 1)[-1].strip()
        if mark in name and any(c.isalpha() for c in last):
            found.append(last)
    return tuple(found)


def near(name: str, known: Iterable[str], *, limit: int = 3, cutoff: float = 0.6) -> tuple[str, ...]:
    """Return the names of ``known`` that look most like ``name``, best first, compared without diacritics."""
    by_key: dict[str, str] = {}
    for candidate in known:
        by_key.setdefault(bare_key(candidate), candidate)
    return tuple(by_key[k] for k in difflib.get_close_matches(bare_key(name), by_key, limit, cutoff))
