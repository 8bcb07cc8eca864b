"""Alphabetical order as Vietnamese readers know it: a ă â b c d đ e ê …, tones after letters, numbers by size."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import TypeVar

Thing = TypeVar("Thing")

_LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
#: Combining marks of the tones in the order of dictionaries: grave, hook, tilde, acute, dot below.
_TONES = "\u0300\u0309\u0303\u0301\u0323"


def alphabetical(name: str) -> tuple[object, ...]:
    """Return a key that sorts names: letters first, then tones, then the name as it is written."""
    letters: list[tuple[int, int]] = []
    tones: list[int] = []
    for part in re.findall(r"\d+|\D", unicodedata.normalize("NFC", name).casefold()):
        if part.isdecimal():
            letters.append((1, int(part)))
            continue
        plain = unicodedata.normalize("NFD", part)
        tone = next((mark for mark in plain if mark in _TONES), "")
        letter = unicodedata.normalize("NFC", plain.replace(tone, "") if tone else plain)
        place = _LETTERS.find(letter)
        letters.append((2, place) if place >= 0 else (0, 0) if letter.isspace() else (3, ord(letter[0])))
        tones.append(1 + _TONES.index(tone) if tone else 0)
    return tuple(letters), tuple(tones), name


def in_order(things: Iterable[Thing], name: Callable[[Thing], str]) -> list[Thing]:
    """Return things sorted by the name that ``name`` gives each of them."""
    return sorted(things, key=lambda thing: alphabetical(name(thing)))
