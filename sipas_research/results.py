"""What every result has in common: the kind of its data and three ways to be read."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd


class DataKind(StrEnum):
    """Where numbers come from, from the strongest to the weakest claim."""

    REAL = "real"
    PUBLISHED = "published"
    USER = "user"
    SIMULATED = "simulated"

    @property
    def is_simulated(self) -> bool:
        """True where the mark must stand on every page, table, figure and file."""
        return self is DataKind.SIMULATED


_ORDER = (DataKind.REAL, DataKind.PUBLISHED, DataKind.USER, DataKind.SIMULATED)


def weakest(kinds: Iterable[DataKind]) -> DataKind:
    """Return the weakest of several kinds: what is mixed counts as its weakest part.

    Raises
    ------
    ValueError
        If no kind is given.
    """
    return max(kinds, key=_ORDER.index)


#: Columns of a tidy table that have one meaning everywhere, in this order; others follow.
TIDY_COLUMNS = (
    "term",
    "group",
    "estimate",
    "std_error",
    "statistic",
    "p_value",
    "conf_low",
    "conf_high",
    "note",
)


@runtime_checkable
class Result(Protocol):
    """The manners of a result: frozen, knows its data kind, answers three questions."""

    @property
    def data_kind(self) -> DataKind:
        """Weakest kind of the data behind the numbers."""
        ...

    def tidy(self) -> pd.DataFrame:
        """One row a quantity; numeric columns stay float, reasons stand in ``note``."""
        ...

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        ...

    def summary(self, language: str = "vi") -> str:
        """Text for people."""
        ...
