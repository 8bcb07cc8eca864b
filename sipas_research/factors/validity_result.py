"""What convergent and discriminant validity is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.errors import OptionError
from sipas_research.numerics.correlation import Array
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.wording import number, percent, text

NAN = float("nan")
#: Conventions that the tables and the list of conventions name, with their cut-offs where there is one number.
CONVENTIONS = ("cr", "ave", "fornell_larcker", "htmt", "htmt2")
#: The usual cut-offs: CR and AVE at least, HTMT and HTMT2 below the strict one, then the liberal one.
LEAST_CR, LEAST_AVE, MOST_HTMT = 0.70, 0.50, (0.85, 0.90)
#: Measures of one factor, and of a pair of factors, in the order of the tidy table.
OF_FACTOR = (
    "cr", "ave", "msv", "asv", "max_reliability", "cr_standardized", "ave_standardized", "cr_general",
)  # fmt: skip
OF_PAIR = ("correlation", "htmt", "htmt2")


@dataclass(frozen=True, slots=True)
class FactorValidity:
    """One factor in one group.

    Attributes
    ----------
    name : str
    items : tuple of str
        Observed indicators.
    cr, ave : float
        Of raw items: (sum of loadings)^2 phi over the observed variance of the sum score, and the sum of squared
        loadings times phi over the sum of the observed variances. NaN where ``reason`` says why.
    cr_standardized, ave_standardized : float
        From standardised loadings, as computed by hand from a table of loadings (Fornell & Larcker 1981).
    cr_general : float
        Over the variance of the sum score that the model implies, covariances of errors included (Raykov 2001).
    max_reliability : float
        Coefficient H, the reliability of the best weighted sum, MaxR(H) (Hancock & Mueller 2001).
    msv, asv : float
        Largest and mean squared correlation with another factor.
    reason : str
        Catalogue key of why CR and AVE are refused; "" where they are not.
    notes : tuple of str
        Catalogue keys of what a reader must know.
    reversed_items : tuple of str
        Items whose loading has the opposite sign of most.
    """

    name: str
    items: tuple[str, ...]
    cr: float
    ave: float
    msv: float
    asv: float
    max_reliability: float
    cr_standardized: float
    ave_standardized: float
    cr_general: float
    reason: str
    notes: tuple[str, ...]
    reversed_items: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Ratios:
    """HTMT or HTMT2 of all pairs of factors: (k, k) arrays, ends and errors NaN without bootstrap."""

    estimate: Array
    std_error: Array
    conf_low: Array
    conf_high: Array


@dataclass(frozen=True, slots=True, eq=False)
class GroupValidity:
    """One group of respondents.

    Attributes
    ----------
    label : str
        "" without groups.
    n : int
    factors : tuple of FactorValidity
        First-order factors in the order of the model, then second-order ones.
    correlations, correlation_low, correlation_high : (k, k) arrays
        Of the k first-order factors, by the model; ends where the correlation is a parameter of the model.
    htmt, htmt2 : Ratios
        Of the first-order factors.
    pair_notes : mapping as tuple of ((int, int), tuple of str)
        Catalogue keys about pairs.
    """

    label: str
    n: int
    factors: tuple[FactorValidity, ...]
    correlations: Array
    correlation_low: Array
    correlation_high: Array
    htmt: Ratios
    htmt2: Ratios
    pair_notes: tuple[tuple[tuple[int, int], tuple[str, ...]], ...]

    @property
    def first_order(self) -> tuple[FactorValidity, ...]:
        """The factors of the matrices, in their order."""
        return self.factors[: len(self.correlations)]

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Pairs of first-order factors, the earlier one first."""
        size = len(self.correlations)
        return ((i, j) for i in range(size) for j in range(i + 1, size))

    def notes_of(self, first: int, second: int) -> tuple[str, ...]:
        """Catalogue keys about one pair."""
        return dict(self.pair_notes).get((min(first, second), max(first, second)), ())

    def fornell_larcker_failures(self) -> tuple[int, int]:
        """Return the pairs whose correlation reaches the root of an AVE, and the pairs that can be judged."""
        failed = judged = 0
        for i, j in self.pairs():
            least = float(np.minimum(self.factors[i].ave, self.factors[j].ave))
            correlation = self.correlations[i, j]
            if np.isfinite(least) and np.isfinite(correlation):
                judged += 1
                failed += bool(correlation**2 >= least)
        return failed, judged


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Validity:
    """Convergent and discriminant validity of a fitted model.

    Attributes
    ----------
    groups : tuple of GroupValidity
    bootstrap, seed : int
        Samples behind the intervals of HTMT and HTMT2; 0 where there are none.
    level : float
        Coverage of the intervals.
    n : int
    notes : tuple of str
        Catalogue keys about the whole.
    data_kind : DataKind
    """

    groups: tuple[GroupValidity, ...]
    bootstrap: int
    seed: int
    level: float
    n: int
    notes: tuple[str, ...]
    data_kind: DataKind

    def __repr__(self) -> str:
        return f"Validity({len(self.groups[0].factors)} factors, {self.n} rows, {self.data_kind.value})"

    @property
    def factors(self) -> pd.DataFrame:
        """One row a factor and group: n_items, CR, AVE, MSV, ASV, MaxR(H), the other forms of CR and AVE, note."""
        rows = []
        for group in self.groups:
            for factor in group.factors:
                values = {name: getattr(factor, name) for name in OF_FACTOR}
                note = "; ".join(filter(None, (factor.reason, *factor.notes)))
                named = {"term": factor.name, "group": group.label, "n_items": len(factor.items)}
                rows.append(named | values | {"note": note})
        return pd.DataFrame(rows)

    def tidy(self) -> pd.DataFrame:
        """One row a measure of a factor, then of a pair (``term`` and ``other``); ``measure`` names it.

        Measures: cr, ave, msv, asv, max_reliability, cr_standardized, ave_standardized, cr_general; correlation,
        htmt, htmt2 with their intervals. ``group`` is the group of respondents.
        """
        rows = [row for group in self.groups for row in (*_factor_rows(group), *_pair_rows(group))]
        return pd.DataFrame(rows, columns=[*TIDY_COLUMNS, "measure", "other"])

    def fornell_larcker(self, *, standardized: bool = False) -> pd.DataFrame:
        """Return the root of AVE on the diagonal and the correlations of factors below it; NaN above.

        Parameters
        ----------
        standardized : bool
            AVE from standardised loadings instead of raw items.
        """

        def matrix(group: GroupValidity) -> Array:
            found = np.where(np.tri(len(group.correlations), k=-1) > 0, group.correlations, np.nan)
            name = "ave_standardized" if standardized else "ave"
            np.fill_diagonal(found, np.sqrt([getattr(factor, name) for factor in group.first_order]))
            return found

        return self._frames([matrix(group) for group in self.groups])

    def heterotrait(self, measure: str = "htmt") -> pd.DataFrame:
        """Return HTMT ("htmt") or HTMT2 ("htmt2") of all pairs of factors, a symmetric table with a unit diagonal."""
        if measure not in ("htmt", "htmt2"):
            raise OptionError("validity.error.measure", received=str(measure), allowed="htmt, htmt2")
        return self._frames([getattr(group, measure).estimate for group in self.groups])

    def _frames(self, matrices: list[Array]) -> pd.DataFrame:
        frames = []
        for group, matrix in zip(self.groups, matrices, strict=True):
            names = [factor.name for factor in group.first_order]
            frames.append(pd.DataFrame(np.array(matrix), index=names, columns=names))
        if len(frames) == 1:
            return frames[0]
        return pd.concat(frames, keys=[group.label for group in self.groups], names=["group", "factor"])

    def glance(self) -> pd.DataFrame:
        """Return one row: smallest CR and AVE, largest HTMT and HTMT2, Fornell-Larcker failures, n, data_kind."""
        table = self.factors
        judged = [group.fornell_larcker_failures() for group in self.groups]
        row = {
            "n_factors": len(self.groups[0].factors),
            "n_groups": len(self.groups),
            "n_refused": sum(bool(factor.reason) for group in self.groups for factor in group.factors),
            "smallest_cr": table["cr"].min(),
            "smallest_ave": table["ave"].min(),
            "largest_htmt": max((largest(group, "htmt")[0] for group in self.groups), default=NAN),
            "largest_htmt2": max((largest(group, "htmt2")[0] for group in self.groups), default=NAN),
            "fornell_larcker_failures": sum(failed for failed, _ in judged),
            "fornell_larcker_pairs": sum(pairs for _, pairs in judged),
            "bootstrap": self.bootstrap,
            "seed": self.seed,
            "level": self.level,
            "n": self.n,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return the factors, the closest pair, what was refused and why, the formulas and the conventions."""
        lines = [
            text(
                "validity.summary.head", language, factors=len(self.groups[0].factors), n=self.n,
                kind=text(f"common.kind.{self.data_kind.value}", language),
            )
        ]  # fmt: skip
        for group in self.groups:
            if group.label:
                lines.append(text("validity.summary.group", language, group=group.label, n=group.n))
            for factor in group.factors:
                lines += _factor_lines(factor, language)
            lines += _pair_lines(group, self.level, language)
        lines.append(text("validity.summary.formula", language))
        if self.bootstrap:
            lines.append(text("validity.summary.bootstrap", language, draws=self.bootstrap, seed=self.seed))
        lines += [text(key, language) for key in self.notes]
        lines.append(text("validity.convention.title", language) + ":")
        lines += [f"  {line}" for line in convention_lines(language)]
        return "\n".join(lines)


def conventions(language: str = "vi") -> pd.DataFrame:
    """Return the usual cut-offs: convention, proposed_by, limit (where it fails); they are conventions, not tests."""
    rows = [
        {
            "measure": name,
            "convention": text(f"validity.convention.{name}_bar", language),
            "proposed_by": text(f"validity.convention.{name}_by", language),
            "limit": text(f"validity.convention.{name}_limit", language),
        }
        for name in CONVENTIONS
    ]
    return pd.DataFrame(rows)


def convention_lines(language: str) -> list[str]:
    """Return a sentence a convention: the cut-off, who proposed it, where it fails."""
    return [
        text("validity.convention.line", language, bar=row.convention, by=row.proposed_by, limit=row.limit)
        for row in conventions(language).itertuples()
    ]


def largest(group: GroupValidity, measure: str) -> tuple[float, int, int]:
    """Return the largest HTMT or HTMT2 of a group and its pair; NaN where there is none."""
    values = getattr(group, measure).estimate
    found = [(float(values[i, j]), i, j) for i, j in group.pairs() if np.isfinite(values[i, j])]
    return max(found, default=(NAN, -1, -1))


def _factor_rows(group: GroupValidity) -> Iterator[dict[str, object]]:
    for factor in group.factors:
        for measure in OF_FACTOR:
            values = {"estimate": getattr(factor, measure), "measure": measure, "other": ""}
            keys = [*([factor.reason] if measure not in ("msv", "asv") else []), *factor.notes]
            yield dict.fromkeys(TIDY_COLUMNS, NAN) | {
                "term": factor.name, "group": group.label, "note": "; ".join(filter(None, keys)), **values,
            }  # fmt: skip


def _pair_rows(group: GroupValidity) -> Iterator[dict[str, object]]:
    low, high = group.correlation_low, group.correlation_high
    correlation = Ratios(group.correlations, np.full(low.shape, NAN), low, high)
    for i, j in group.pairs():
        for measure, found in zip(OF_PAIR, (correlation, group.htmt, group.htmt2), strict=True):
            yield dict.fromkeys(TIDY_COLUMNS, NAN) | {
                "term": group.factors[i].name, "other": group.factors[j].name, "group": group.label,
                "measure": measure, "note": "; ".join(group.notes_of(i, j)),
                **{name: float(getattr(found, name)[i, j]) for name in Ratios.__dataclass_fields__},
            }  # fmt: skip


def _factor_lines(factor: FactorValidity, language: str) -> list[str]:
    def shown(value: float) -> str:
        return number(value, 3, language)

    if factor.reason:
        reason = text(factor.reason, language)
        lines = [text("validity.summary.refused", language, factor=factor.name, reason=reason)]
        if np.isfinite(factor.cr_general):
            lines.append(text("validity.summary.general", language, cr=shown(factor.cr_general)))
    else:
        lines = [
            text(
                "validity.summary.factor_standardized", language, factor=factor.name, cr=shown(factor.cr),
                ave=shown(factor.ave), msv=shown(factor.msv), cr_standardized=shown(factor.cr_standardized),
                ave_standardized=shown(factor.ave_standardized),
            )
        ]  # fmt: skip
    for key in factor.notes:
        lines.append(text("validity.summary.remark", language, factor=factor.name, reason=text(key, language)))
    if factor.reversed_items:
        lines.append(text("validity.summary.reversed", language, items=", ".join(factor.reversed_items)))
    return lines


def _pair_lines(group: GroupValidity, level: float, language: str) -> list[str]:
    top, top2 = largest(group, "htmt"), largest(group, "htmt2")
    lines = []
    if np.isfinite(top[0]) and np.isfinite(top2[0]):
        fields: dict[str, object] = {}
        for suffix, (value, i, j), ratios in (("", top, group.htmt), ("2", top2, group.htmt2)):
            fields |= {f"htmt{suffix}": number(value, 3, language), f"first{suffix}": group.factors[i].name}
            fields |= {f"second{suffix}": group.factors[j].name, f"interval{suffix}": ""}
            if np.isfinite(ratios.conf_low[i, j]):
                fields[f"interval{suffix}"] = text(
                    "validity.summary.interval", language, level=percent(level, language, 0),
                    low=number(ratios.conf_low[i, j], 3, language), high=number(ratios.conf_high[i, j], 3, language),
                )  # fmt: skip
        lines.append(text("validity.summary.largest", language, **fields))
    failed, pairs = group.fornell_larcker_failures()
    if pairs:
        lines.append(text("validity.summary.fornell_larcker", language, failed=failed, pairs=pairs))
    for (i, j), keys in group.pair_notes:
        names = f"{group.factors[i].name} – {group.factors[j].name}"
        lines += [text("validity.summary.remark", language, factor=names, reason=text(key, language)) for key in keys]
    return lines
