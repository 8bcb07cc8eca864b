"""A change of a ratio between two samples split into composition, rates and cells without a counterpart.

Kitagawa (1955), Journal of the American Statistical Association 50, 1168-1194: with shares c and rates r of the cells,
the difference of two ratios is the sum over cells of (c2 - c1)(r1 + r2) / 2, the part of composition, and of
(r2 - r1)(c1 + c2) / 2, the part of rates. In the part of composition the rates of single cells are taken from their
mean: the sum stays as it is, and a cell has a part only where its rate is unlike the others'. Cells of one
sample only have no rate to compare with: what they add is a part of its own, so that the three parts always add up to
the difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.correlation import Array

PARTS = ("composition", "rate", "support")


@dataclass(frozen=True, slots=True, eq=False)
class Decomposition:
    """The parts and their derivatives.

    Attributes
    ----------
    change : float
        Second ratio less first.
    parts : (3,) array
        Composition, rate, support; they add up to ``change``.
    by_cell : (2, cells) array
        Composition and rate of each cell; NaN where a cell is in one sample only.
    common : (cells,) array of bool
        Cells that both samples have.
    tops, bottoms : (statistics, 2, cells) arrays
        Derivatives with respect to the total of numerators and of denominators of a sample's cell; statistics are
        the change, the three parts, then composition and rate of each cell.
    """

    change: float
    parts: Array
    by_cell: Array
    common: np.ndarray
    tops: Array
    bottoms: Array


def kitagawa(tops: Array, bottoms: Array) -> Decomposition:
    """Split the difference of two ratios.

    Parameters
    ----------
    tops, bottoms : (2, cells) arrays
        Weighted totals of numerators and denominators, not negative; each sample has a positive denominator.

    Raises
    ------
    ValueError
        If a sample has no answer, or no cell is in both samples.
    """
    above, below = np.asarray(tops, dtype=float), np.asarray(bottoms, dtype=float)
    sums = below.sum(axis=1)
    common = np.asarray((below > 0).all(axis=0))
    if not (sums > 0).all() or not common.any():
        raise ValueError("two samples with a common cell are needed")
    safe = np.where(common, below, 1.0)
    rates = np.where(common, above / safe, 0.0)
    held = np.where(common, below, 0.0)
    shares = held / held.sum(axis=1, keepdims=True)
    middle, width = rates.mean(axis=0), shares.mean(axis=0)
    centre = float((shares * rates).sum() / 2.0)
    composition = (shares[1] - shares[0]) * (middle - centre)
    rate = (rates[1] - rates[0]) * width
    ratios = above.sum(axis=1) / sums
    change = float(ratios[1] - ratios[0])
    parts = np.array([composition.sum(), rate.sum(), change - composition.sum() - rate.sum()])
    slopes = _slopes(shares, rates, common)
    grads = [_chain(by_share, by_rate, shares, rates, safe, common) for by_share, by_rate in slopes]
    whole = _ratio_difference(ratios, sums, common.size)
    pieces = [whole, grads[0], grads[1], (whole[0] - grads[0][0] - grads[1][0], whole[1] - grads[0][1] - grads[1][1])]
    pieces += grads[2:]
    by_cell = np.where(common, np.array([composition, rate]), np.nan)
    return Decomposition(
        change, parts, by_cell, common, np.array([g[0] for g in pieces]), np.array([g[1] for g in pieces])
    )


def _slopes(shares: Array, rates: Array, common: np.ndarray) -> list[tuple[Array, Array]]:
    """Derivatives of composition and rate with respect to shares and rates: the sums, then each cell's."""
    sign = np.array([-1.0, 1.0])[:, None]
    middle, width, moved = rates.mean(axis=0), shares.mean(axis=0), shares[1] - shares[0]
    centre = (shares * rates).sum() / 2.0
    rate = (np.tile((rates[1] - rates[0]) / 2.0, (2, 1)), sign * width)
    cells = np.diag(common.astype(float))
    mixes = [
        (
            sign * (middle - centre) * cell - shift * rates / 2.0,
            np.tile(moved / 2.0, (2, 1)) * cell - shift * shares / 2.0,
        )
        for cell, shift in zip(cells, moved, strict=True)
    ]
    return [
        (sign * middle, np.tile(moved / 2.0, (2, 1))),
        rate,
        *mixes,
        *[(rate[0] * cell, rate[1] * cell) for cell in cells],
    ]


def _chain(
    by_share: Array, by_rate: Array, shares: Array, rates: Array, below: Array, common: np.ndarray
) -> tuple[Array, Array]:
    """Turn derivatives with respect to shares and rates into those with respect to totals."""
    held = np.where(common, below, 0.0).sum(axis=1, keepdims=True)
    tops = np.where(common, by_rate / below, 0.0)
    bottoms = -tops * rates + (by_share - (by_share * shares).sum(axis=1, keepdims=True)) / held
    return tops, np.where(common, bottoms, 0.0)


def _ratio_difference(ratios: Array, sums: Array, cells: int) -> tuple[Array, Array]:
    sign = np.array([-1.0, 1.0])
    return np.tile((sign / sums)[:, None], (1, cells)), np.tile((-sign * ratios / sums)[:, None], (1, cells))
