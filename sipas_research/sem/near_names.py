"""Which of the data's names a name means, and which a mistyped one may have meant."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)

_MOST = 3
_LIKENESS = 0.6


def own_names(names: Iterable[str], known: Sequence[Name]) -> dict[str, str | Name]:
    """Return the data's own spelling of each name that they hold: accents may be composed here, decomposed there."""
    wanted, present = list(names), set(known)
    if present.issuperset(wanted):
        return {name: name for name in wanted}
    composed = {unicodedata.normalize("NFC", str(each)): each for each in known}
    found = {name: name if name in present else composed.get(unicodedata.normalize("NFC", name)) for name in wanted}
    return {name: own for name, own in found.items() if own is not None}


def near_names(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return at most three known names like ``name``, the likest first.

    Accents, case, dots and underscores are forgiven first: ``quy_trinh1`` finds ``Quy.trình1``.
    """
    folded: dict[str, list[str]] = {}
    for candidate in known:
        if candidate and candidate != name:
            folded.setdefault(_fold(candidate), []).append(candidate)
    target = _fold(name)
    exact = folded.pop(target, [])
    like = difflib.get_close_matches(target, folded, n=_MOST, cutoff=_LIKENESS) if len(exact) < _MOST else []
    return tuple(dict.fromkeys([*exact, *(candidate for key in like for candidate in folded[key])]))[:_MOST]


def _fold(name: str) -> str:
    plain = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return "".join(c for c in plain if not unicodedata.combining(c) and c not in "._")
