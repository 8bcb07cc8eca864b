"""How many agencies a set of bands misgrades: years are simulated from stated true values and graded again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from sipas_research import wording
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.framework.bands import Bands
from sipas_research.framework.class_result import Rule
from sipas_research.framework.group_estimates import GroupEstimates
from sipas_research.framework.index import SatisfactionIndex
from sipas_research.numerics.class_bounds import one_sided_bounds
from sipas_research.results import DataKind

#: Grading by the estimate alone, as rankings do today, and by the rule of ``classify``.
RULES = ("estimate", "certified")
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One way of grading under one set of bands; shares of agencies, means over the simulated years.

    ``wrong_low`` and ``wrong_high`` hold 90% of the years, ``wrong_error`` is the Monte Carlo error of ``wrong``.
    ``changed`` is the share whose class differs between two years in which nothing changed.
    """

    bands: str
    rule: str
    right: float
    wrong: float
    open: float
    wrong_low: float
    wrong_high: float
    wrong_error: float
    changed: float


@dataclass(frozen=True, slots=True)
class Misgrading:
    """Errors of one or several sets of bands, from ``years`` simulated years of ``n_groups`` agencies.

    ``spread`` is the standard deviation of the true values on the logit scale, after sampling noise is taken out.
    The years are simulated, so that ``data_kind`` is; ``basis_kind`` is the kind of the data behind the true values.
    """

    rows: tuple[ErrorRow, ...]
    bands: Mapping[str, Bands]
    years: int
    n_groups: int
    spread: float
    family: str
    basis_kind: DataKind
    data_kind: DataKind = DataKind.SIMULATED

    def tidy(self) -> pd.DataFrame:
        """One row a set of bands and way of grading."""
        table = pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(ErrorRow)])
        table.insert(0, "term", "misgraded")
        return table

    def glance(self) -> pd.DataFrame:
        """One row: years, agencies, spread of the true values."""
        row = {"years": self.years, "n_groups": self.n_groups, "spread": self.spread, "family": self.family}
        return pd.DataFrame([row | {"basis_kind": self.basis_kind.value, "data_kind": self.data_kind.value}])

    def summary(self, language: str = "vi") -> str:
        """Return one line a set of bands and way of grading, and what was assumed."""
        lines = []
        for row in self.rows:
            shown = {name: wording.percent(getattr(row, name), language, 1) for name in ("wrong", "open", "changed")}
            rule = wording.text(f"classes.errors.rule_{row.rule}", language)
            lines.append(wording.text("classes.errors.line", language, bands=row.bands, rule=rule, **shown))
        said = wording.text("classes.errors.assumed", language, years=self.years, n=self.n_groups)
        return "\n".join([*lines, said, wording.text(f"common.kind.{self.data_kind.value}", language)])


def misgraded(
    index: SatisfactionIndex,
    bands: Bands | Mapping[str, Bands],
    *,
    rng: np.random.Generator,
    family: str | None = None,
    years: int = 1000,
    rule: Rule | None = None,
) -> Misgrading:
    """Return the share of agencies that bands misgrade over simulated years.

    True values are the published estimates drawn towards their mean until their spread is the one left when sampling
    noise is taken out (constrained empirical Bayes on the logit scale, Ghosh 1992, JASA 87). A year's estimate is a
    binomial share at the size at which a simple random sample would have the agency's variance; its bounds follow the
    rule of :func:`sipas_research.framework.classes.classify`. The truth's class is the band its true value lies in.

    Parameters
    ----------
    index : SatisfactionIndex
        By agency; agencies without a published estimate and a variance are left out.
    bands : Bands, or mapping of a name to Bands
        Several sets are graded on the same simulated years.
    rng : numpy.random.Generator
    family : str, optional
        Which family; needed where the index has several.
    years : int
    rule : Rule, optional
        The rule of classification; the defaults of ``classify`` if not given.

    Returns
    -------
    Misgrading

    Raises
    ------
    OptionError
        If ``years`` is below 2, or the index has several families and none is named.
    AnalysisError
        If fewer than two agencies have an estimate and a variance.
    """
    if years < 2:
        raise OptionError("classes.error.few_years", value=years)
    found = _usable(index, family)
    truth, spread = true_shares(found)
    sets = dict(bands) if isinstance(bands, Mapping) else {"": bands}
    rows = simulated_rows(found, truth, sets, rng=rng, years=years, rule=rule or Rule())
    label = found.families[0] if found.families else ""
    return Misgrading(rows, sets, years, len(truth), spread, label, index.data_kind)


def simulated_rows(
    found: GroupEstimates,
    truth: np.ndarray,
    sets: Mapping[str, Bands],
    *,
    rng: np.random.Generator,
    years: int,
    rule: Rule,
) -> tuple[ErrorRow, ...]:
    """Return the errors of sets of bands over simulated years of groups with true shares ``truth`` (0-1).

    Estimates, variances, forms and degrees of freedom of ``found`` say how large a year's samples are.
    """
    drawn = _simulate(found, truth, 2 * years, rng)
    return tuple(row for name, bands in sets.items() for row in _rows(name, bands, found, truth, drawn, rule))


def _usable(index: SatisfactionIndex, family: str | None) -> GroupEstimates:
    found = index.published if family is None else index.published.family(family)
    known = tuple(dict.fromkeys(found.families))
    if len(known) > 1:
        raise OptionError("classes.error.several_families", allowed=", ".join(known))
    share, variance = found.estimates, np.diag(found.covariance)
    keep = (share > 0.0) & (share < 1.0) & np.isfinite(variance) & (variance > 0.0)
    if keep.sum() < 2:
        raise AnalysisError("classes.error.few_groups", n=int(keep.sum()))
    return found.only(keep)


def true_shares(found: GroupEstimates) -> tuple[np.ndarray, float]:
    """Return values whose spread is that of the true shares: the estimates drawn towards their mean.

    Returns
    -------
    shares : (groups,) array, 0-1
    spread : float
        Standard deviation of the true values on the logit scale, at least 0 (the estimates' variance less the mean
        sampling variance).
    """
    centre = logit(found.estimates)
    noise = np.diag(found.covariance) / (found.estimates * (1.0 - found.estimates)) ** 2
    total = float(np.var(centre, ddof=1))
    between = max(total - float(noise.mean()), 0.0)
    factor = np.sqrt(between / total) if total > 0.0 else 0.0
    return expit(centre.mean() + factor * (centre - centre.mean())), float(np.sqrt(between))


def _simulate(
    found: GroupEstimates, truth: np.ndarray, draws: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return estimates and standard errors (draws x groups), and the sizes of the binomial samples."""
    share, variance = found.estimates, np.diag(found.covariance)
    sizes = np.maximum(np.floor(share * (1.0 - share) / variance), 2.0)
    shares = rng.binomial(sizes.astype(int), truth, size=(draws, len(truth))) / sizes
    return shares, np.sqrt(shares * (1.0 - shares) / sizes), sizes


def _rows(
    name: str,
    bands: Bands,
    found: GroupEstimates,
    truth: np.ndarray,
    years: tuple[np.ndarray, np.ndarray, np.ndarray],
    rule: Rule,
) -> list[ErrorRow]:
    shares, errors, sizes = years
    right = _place(truth, bands)
    naive = _place(shares, bands)
    people = np.minimum(found.n, sizes)
    given = (shares, errors, found.degrees_of_freedom, found.n, people)
    bounds = one_sided_bounds(*given, level=rule.level, exact_below=rule.exact_below)
    low, high = _place(bounds.lower, bands), _place(bounds.upper, bands)
    ends = one_sided_bounds(*given, level=(1.0 + rule.confidence) / 2.0, exact_below=rule.exact_below)
    precise = (ends.upper - ends.lower) / 2.0 <= rule.half_width
    certified = np.where((low == high) & precise & np.isfinite(bounds.lower), low, -1)
    return [_row(name, "estimate", naive, right), _row(name, "certified", certified, right)]


def _place(values: np.ndarray, bands: Bands) -> np.ndarray:
    return (values[..., None] >= np.array(bands.cuts)).sum(axis=-1)


def _row(name: str, rule: str, given: np.ndarray, right: np.ndarray) -> ErrorRow:
    """Return shares over the first half of the years; the second half is the year after each of them."""
    half = len(given) // 2
    first, second = given[:half], given[half:]
    wrong = ((first >= 0) & (first != right)).mean(axis=1)
    both = (first >= 0) & (second >= 0)
    changed = float((both & (first != second)).sum() / both.sum()) if both.any() else _NAN
    low, high = np.quantile(wrong, [0.05, 0.95])
    return ErrorRow(
        name,
        rule,
        float((first == right).mean()),
        float(wrong.mean()),
        float((first < 0).mean()),
        float(low),
        float(high),
        float(wrong.std(ddof=1) / np.sqrt(half)),
        changed,
    )
