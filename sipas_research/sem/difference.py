"""The likelihood-ratio test of two nested models: plain, and scaled in three ways."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.chi_squares import Test, tests_of
from sipas_research.sem.fit_indices import chi_square_p
from sipas_research.sem.implied import Implied
from sipas_research.sem.information import centred_products, information_at, inverse_within
from sipas_research.sem.layout import Index
from sipas_research.sem.nesting import Nesting, nesting
from sipas_research.sem.ordinal_difference import statistic_slopes
from sipas_research.sem.ordinal_result import OrdinalFit
from sipas_research.sem.result import SemFit

NAN = float("nan")
PLAIN, SB2001, SB2010, S2000 = "plain", "satorra_bentler_2001", "satorra_bentler_2010", "satorra_2000"
METHODS = (SB2001, SB2010, S2000)
#: A chi-square may fall by this much of itself when restrictions are added, from rounding alone.
_ROUNDING = 1e-7


@dataclass(frozen=True, slots=True)
class Difference:
    """The test of a restricted model against a free one.

    Attributes
    ----------
    plain : float
        Difference of the chi-squares.
    statistic : float
        The same, scaled where the estimator is robust.
    df : int
    p_value : float
    scaling : float
        What stands for one degree of freedom in the plain difference; 1 without scaling.
    method : str
        One of "plain" and ``METHODS``; "" where there is no test.
    rmsea : float
        RMSEA of the difference: misfit of the added restrictions for each of them.
    notes : tuple of str
    """

    plain: float
    statistic: float
    df: int
    p_value: float
    scaling: float
    method: str
    rmsea: float
    notes: tuple[str, ...]


def difference(free: SemFit, restricted: SemFit, method: str | None = None) -> Difference:
    """Test a restricted model against a free one.

    Without ``method`` a robust difference is Satorra & Bentler's (2001); where its factor is negative that of 2010,
    and where that is negative too that of Satorra (2000); the notes say so.

    Notes
    -----
    Values are those of lavaan's lavTestLRT, but for what follows.

    Satorra & Bentler (2010) take the free model's test where it implies the restricted model's moments. lavaan carries
    the estimates over name by name, which is another place where the restricted model frees what the free one fixes
    (the means of factors, once intercepts are equal across groups). With observed information, which MLR has, the
    value there depends a little on how the free model is written; with expected information it does not.

    Satorra (2000): U at the free model's estimates, Gamma with weights, clusters and what groups share of them. Of
    incomplete rows Gamma is I^-1 J I^-1, so that D'V Gamma V D is J, the covariance of the scores that the sandwich
    has: the factor is what the robust covariance matrix of the restrictions is to the plain one, and holds where
    answers are missing at random. lavaan 0.6-14 takes missing answers as zero in Gamma, and leaves weights out.

    References
    ----------
    Satorra & Bentler (2001), Psychometrika 66, 507-514; (2010), 75, 243-248. Satorra (2000), in Heijmans, Pollock &
    Satorra (eds.), Innovations in multivariate statistical analysis, 233-247; scaled and shifted: Asparouhov & Muthen
    (2010). RMSEA of the difference: Browne & Du Toit (1992), Multivariate Behavioral Research 27, 269-300; Savalei,
    Brace & Fouladi (2024), Psychological Methods 29, 466-493.
    """
    one, other = free.tests.model, restricted.tests.model
    plain, df = other.statistic - one.statistic, other.df - one.df
    if df <= 0:
        return Difference(plain, NAN, df, NAN, NAN, "", NAN, ("same_df",))
    where = nesting(free, restricted)
    notes = () if where.nested else ("not_nested",)
    if plain < -_ROUNDING * max(1.0, abs(one.statistic)):
        notes = (*notes, "negative")
    if notes:
        return Difference(plain, NAN, df, NAN, NAN, "", NAN, notes)
    held = ("at_bound",) if free.optimum.active or restricted.optimum.active else ()
    allowed = methods_of(free)
    if not allowed:
        return _tested(plain, plain, df, 1.0, PLAIN, free, held)
    tried: list[str] = []
    for name in (method,) if method else allowed:
        statistic, scaling = _scaled(name, free, restricted, where, plain)
        if math.isfinite(statistic) and scaling > 0:
            return _tested(plain, statistic, df, scaling, name, free, (*held, *tried))
        tried.append("negative_2001" if name == SB2001 else "negative_2010" if name == SB2010 else "no_scaling")
    return Difference(plain, NAN, df, NAN, NAN, "", NAN, (*held, *tried))


def methods_of(fit: SemFit) -> tuple[str, ...]:
    """Return how a difference can be scaled, the first by default; () where it is a chi-square as it stands."""
    if fit.options.categorical:
        return () if fit.options.estimator == "WLS" else (S2000,)
    return METHODS if fit.options.robust else ()


def _tested(
    plain: float, statistic: float, df: int, scaling: float, method: str, free: SemFit, notes: tuple[str, ...]
) -> Difference:
    away = max(plain - scaling * df, 0.0) / (df * free.problem.n)
    rmsea = math.sqrt(len(free.groups) * away)
    return Difference(plain, statistic, df, chi_square_p(max(statistic, 0.0), df), scaling, method, rmsea, notes)


def _scaled(name: str, free: SemFit, restricted: SemFit, where: Nesting, plain: float) -> tuple[float, float]:
    """Return the scaled difference and its factor, not positive where the method fails."""
    one, other = free.tests.model, restricted.tests.model
    if name == S2000:
        return _satorra_2000(free, restricted, plain)
    factor = _weighted(one)
    if name == SB2010:
        factor = _weighted(_test_there(free, where))
    scaling = (_weighted(other) - factor) / (other.df - one.df)
    return (plain / scaling, scaling) if scaling > 0 else (NAN, scaling)


def _weighted(test: Test) -> float:
    return test.df * test.scaling if test.df > 0 else 0.0


def _test_there(free: SemFit, where: Nesting) -> Test:
    """Return the free model's test evaluated at the estimates of the restricted one."""
    if where.there is None:
        return Test(NAN, free.tests.model.df)
    there = where.there
    information = information_at(
        free.problem, there, free.restrictions, free.samples, free.options, free.predictors, free.sources
    )
    return tests_of(free.problem, there, information, free.options, free.predictors, free.sources).model


def _satorra_2000(free: SemFit, restricted: SemFit, plain: float) -> tuple[float, float]:
    """Return a T + b with a, b from the eigenvalues of U Gamma; the restrictions A by lavaan's "delta" method.

    U = V D P^-1 A' (A P^-1 A')^- A P^-1 D' V with the slopes D of the free model's moments: tr (U Gamma)^k is the
    trace of powers of a small matrix, because D' V Gamma V D is the covariance of the casewise scores.
    """
    inside = free.information.basis
    slopes = np.linalg.pinv(moment_slopes(free) @ inside) @ (moment_slopes(restricted) @ restricted.information.basis)
    across = _complement(slopes) @ inside.T
    centred = _score_covariance(free)
    if centred is None or not len(across):
        return NAN, NAN
    inverse = inverse_within(free.information.used, inside)
    pulled = across @ inverse
    middle = np.linalg.pinv(pulled @ across.T, hermitian=True)
    product = middle @ (pulled @ centred @ pulled.T)
    first, second = float(np.trace(product)), float(np.sum(product * product.T))
    if not (first > 0 and second > 0):
        return NAN, NAN
    count = len(across)
    stretch = math.sqrt(count / second)
    return stretch * plain + count - stretch * first, first / count


def _score_covariance(fit: SemFit) -> Array | None:
    """Return D' V Gamma V D: the covariance of the scores, of complete rows about the sample's moments.

    Incomplete rows are taken about the implied moments: Gamma is I^-1 J I^-1 there, and only J is left.
    """
    if fit.options.categorical or fit.samples[0].holes is not None:
        return fit.information.score_products
    if not fit.options.robust:
        return None
    return centred_products(fit.problem, fit.optimum, fit.samples, fit.predictors)


def _complement(slopes: Array) -> Array:
    """Return an orthonormal basis, as rows, of what is orthogonal to the columns."""
    left, singular, _ = np.linalg.svd(slopes, full_matrices=True)
    rank = int((singular > 1e-9 * max(float(singular.max(initial=0.0)), 1e-300)).sum())
    return np.asarray(left[:, rank:].T)


def moment_slopes(fit: SemFit) -> Array:
    """Return the slopes of all moments by the free parameters: means and lower triangle, group by group, name order.

    Rows are in the order of the variables' names and the groups' labels, so that two models can be set against each
    other.
    """
    if isinstance(fit, OrdinalFit):
        return statistic_slopes(fit)
    names = fit.table.observed
    order = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.intp)
    groups = sorted(range(len(fit.groups)), key=fit.table.groups.__getitem__)
    means = fit.options.meanstructure
    return np.concatenate([_group_slopes(fit.groups[g], fit.problem.size, order, means=means) for g in groups])


def _group_slopes(at: Implied, size: int, order: Index, *, means: bool) -> Array:
    shape = at.layout
    below = np.tril_indices(len(order))
    row, column = order[below[0]], order[below[1]]
    left, right = at.directions[:, shape.left], at.directions[:, shape.right]
    own = np.zeros((len(row) + (len(order) if means else 0), len(shape.free)))
    body = shape.factor * (left[row] * right[column] + left[column] * right[row])
    own[len(own) - len(row) :, : shape.moments] = body
    if means:
        own[: len(order), shape.mean_columns] = at.mean_slopes[order]
    found = np.zeros((len(own), size))
    np.add.at(found.T, shape.free, own.T)
    return found
