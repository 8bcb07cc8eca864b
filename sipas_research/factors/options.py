"""Checks of the options that analyses share: counts, seeds, levels, names."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from numbers import Real

import numpy as np

from sipas_research.errors import OptionError


def check_count(name: str, received: object, lowest: int) -> None:
    """Raise OptionError unless an option is a whole number of at least ``lowest``."""
    if not isinstance(received, int | np.integer) or isinstance(received, bool) or received < lowest:
        raise OptionError("factors.error.count", name=name, received=str(received), lowest=lowest)


def check_seed(received: object) -> None:
    """Raise OptionError unless a seed is a whole number of at least 0."""
    check_count("seed", received, 0)


def check_level(received: object) -> None:
    """Raise OptionError unless a level is a number between 0 and 1."""
    if not is_number(received) or not 0 < received < 1:  # type: ignore[operator]
        raise OptionError("factors.error.level", received=str(received))


def is_number(received: object) -> bool:
    """Return True for a real number that is neither infinite, missing nor a truth value."""
    return isinstance(received, Real) and not isinstance(received, bool | np.bool_) and math.isfinite(received)


def check_choice(name: str, received: object, allowed: Iterable[str]) -> None:
    """Raise OptionError unless an option is one of the words that are allowed."""
    known = tuple(allowed)
    if not isinstance(received, str) or received not in known:
        raise OptionError("factors.error.option", name=name, received=str(received), allowed=", ".join(known))


def list_names(received: object) -> tuple[str, ...]:
    """Return one name or several as a tuple.

    Raises
    ------
    OptionError
        If ``received`` is neither text nor a list of names.
    """
    if isinstance(received, str):
        return (received,)
    names = tuple(received) if isinstance(received, Iterable) and not isinstance(received, Mapping | bytes) else None
    if names is None or not all(isinstance(name, Hashable) for name in names):
        raise OptionError("factors.error.names", received=type(received).__name__)
    return names
