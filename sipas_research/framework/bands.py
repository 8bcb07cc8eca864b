"""Bands of an index: classes in order, fixed before the data, each with the cut it begins at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from sipas_research.errors import OptionError
from sipas_research.wording import Bilingual

NO_REASON = Bilingual("")


@dataclass(frozen=True, slots=True)
class Band:
    """One class: from ``lower`` (0-1, belongs to it) up to the next band's ``lower``."""

    id: str
    name: Bilingual
    lower: float


@dataclass(frozen=True, slots=True)
class Bands:
    """All classes from the lowest, which begins at 0; ``reason`` says how the cuts were chosen, and by whom.

    ``decided`` is False while no decision sets the cuts; a class then says that the cuts are a proposal.
    """

    bands: tuple[Band, ...]
    reason: Bilingual = NO_REASON
    decided: bool = False

    def __post_init__(self) -> None:
        lowers = [b.lower for b in self.bands]
        rising = all(a < b for a, b in pairwise(lowers))
        ids = {b.id for b in self.bands}
        if len(lowers) < 2 or lowers[0] != 0.0 or not rising or lowers[-1] >= 1.0 or len(ids) < len(lowers):
            shown = "; ".join(f"{b.id}: {b.lower}" for b in self.bands)
            raise OptionError("classes.error.bands", value=shown)

    @property
    def cuts(self) -> tuple[float, ...]:
        """Where one class ends and the next begins, 0-1, ascending."""
        return tuple(b.lower for b in self.bands[1:])

    def place(self, value: float) -> int:
        """Return the position of the class that a value lies in; a value at a cut lies in the class above it."""
        return sum(value >= cut for cut in self.cuts)


def make_bands(cuts: Iterable[float], names: Iterable[Bilingual], *, reason: Bilingual = NO_REASON) -> Bands:
    """Return bands from their inner cuts (0-1, ascending) and the names of the classes from the lowest.

    Raises
    ------
    OptionError
        If there is not one name more than there are cuts, or the cuts do not rise inside 0-1.
    """
    lowers, titles = (0.0, *cuts), tuple(names)
    if len(titles) != len(lowers):
        raise OptionError("classes.error.names", cuts=len(lowers) - 1, names=len(titles))
    bands = (Band(f"class_{n}", name, float(low)) for n, (low, name) in enumerate(zip(lowers, titles, strict=True), 1))
    return Bands(tuple(bands), reason)
