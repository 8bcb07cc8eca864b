"""What estimation takes: means and covariances of each group, never a data frame.

The rows stay reachable as blocks, because robust errors need one more pass over them. Three hundred rows and a
hundred million are then one case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sipas_research.errors import AnalysisError, ConstantItemError, OptionError, SingularMatrixError
from sipas_research.numerics.correlation import Array, read_only
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.results import DataKind
from sipas_research.sem.holes import Holes
from sipas_research.sem.moment_sources import MomentSources

#: Rows of one block in a pass over the data: the block and its products stay in the processor's cache.
BLOCK_ROWS = 8192
#: A correlation matrix whose smallest eigenvalue is below this has items that follow from others.
SINGULAR = 1e-10

#: Variances beyond this, or below its inverse, lose their fourth powers to overflow.
_MOST = 1e60

#: How far means and deviations of a user's rows may lie from the moments given with them, in deviations.
_SAME = 1e-4
#: An eigenvalue of a correlation matrix below minus this is more than rounding: no complete rows have such a matrix.
_NEGATIVE = 1e-8

Divisor = Literal["n-1", "n"]
RowBlocks = Callable[[], Iterable[Array]]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Moments(MomentSources):
    """Covariances and means of one group, as input of :func:`sipas_research.sem`.

    Parameters
    ----------
    cov : DataFrame or (p, p) array
        Covariance matrix in the units of the data; a DataFrame names the variables.
    mean : Series or (p,) array, optional
        Means in the order of ``cov`` (a Series is matched by name). Needed for models with means.
    n : int
        Rows behind the matrix, at least 2.
    divisor : {"n-1", "n"}
        What the sums of squares were divided by.
    names : sequence of str
        Names of the variables where ``cov`` is an array.
    rows : callable, optional
        Called without arguments it yields (k, p) arrays: all rows once, in blocks, columns in the order of ``names``.
        Robust standard errors and tests need it.
    data_kind : DataKind
        Kind of the data behind the matrix.
    """

    cov: pd.DataFrame | Array
    mean: pd.Series | Array | None = None
    n: int = 0
    divisor: Divisor = "n-1"
    names: Sequence[str] = ()
    rows: RowBlocks | None = None
    data_kind: DataKind = DataKind.USER

    def __repr__(self) -> str:
        return f"Moments({len(self.variables)} variables, {self.n} rows, {self.data_kind.value})"

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables in the order of the matrix."""
        if isinstance(self.cov, pd.DataFrame):
            return tuple(str(name) for name in self.cov.columns)
        return tuple(str(name) for name in self.names)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GroupSample:
    """Moments of the model's variables in one group.

    Attributes
    ----------
    label : str
        The group's label; "" without groups.
    names : tuple of str
        Variables, p of them.
    cov, mean : (p, p) and (p,) arrays
        Covariance with divisor n, and means; not writeable. ``mean`` is None where only covariances are known.
    n : int
        Rows used.
    rows : RowBlocks or None
        The pass over the rows.
    index : pandas.Index or None
        Labels of the rows in the user's table, in the order of the pass.
    positions : (n,) array or None
        Places of the rows among the rows of all groups, so that scores come in the data's order; None: one group.
    weights : (n,) array or None
        Sampling weights in the order of the pass, scaled to add up to the rows of all groups; None: all one.
    clusters : (n,) array or None
        The cluster of each row, counted from zero over all groups; None: every row by itself.
    holes : Holes or None
        Patterns and values of incomplete rows, whose likeliest moments ``cov`` and ``mean`` then are.
    """

    label: str
    names: tuple[str, ...]
    cov: Array
    mean: Array | None
    n: int
    rows: RowBlocks | None
    index: pd.Index | None = None
    positions: NDArray[np.intp] | None = None
    weights: Array | None = None
    clusters: NDArray[np.intp] | None = None
    holes: Holes | None = None

    @property
    def total(self) -> float:
        """Sum of the weights: what the group counts for; its rows where there are no weights."""
        return float(self.n) if self.weights is None else float(self.weights.sum())

    def take(self, names: Sequence[str]) -> GroupSample:
        """Return the sample with its variables in another order."""
        if tuple(names) == self.names:
            return self
        place = {name: k for k, name in enumerate(self.names)}
        order = np.array([place[name] for name in names])
        rows = None if self.rows is None else _reordered(self.rows, order)
        mean = None if self.mean is None else read_only(self.mean[order])
        cov = read_only(self.cov[np.ix_(order, order)])
        return replace(self, names=tuple(names), cov=cov, mean=mean, rows=rows, holes=None)


def _reordered(rows: RowBlocks, order: Array) -> RowBlocks:
    def blocks() -> Iterator[Array]:
        for block in rows():
            yield block[:, order]

    return blocks


def blocks_of(values: Array) -> RowBlocks:
    """Return the pass over an array that is in memory."""

    def blocks() -> Iterator[Array]:
        for start in range(0, len(values), BLOCK_ROWS):
            yield values[start : start + BLOCK_ROWS]

    return blocks


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GroupRows:
    """The rows of one group, from which its sample is made.

    Attributes
    ----------
    values : (n, p) array
        NaN where a value is missing.
    names : sequence of str
        Variables, in the order of the columns.
    label, index, positions, weights, clusters
        As in :class:`GroupSample`.
    """

    values: Array
    names: Sequence[str]
    label: str = ""
    index: pd.Index | None = None
    positions: NDArray[np.intp] | None = None
    weights: Array | None = None
    clusters: NDArray[np.intp] | None = None

    def sample(self, cov: Array, mean: Array, holes: Holes | None = None) -> GroupSample:
        """Return the sample with these moments, which must not be writeable."""
        return GroupSample(
            self.label, tuple(self.names), cov, mean, len(self.values), blocks_of(self.values), self.index,
            self.positions, self.weights, self.clusters, holes,
        )  # fmt: skip

    @property
    def where(self) -> str:
        """The group's name as messages add it; "" without groups."""
        return f" [{self.label}]" if self.label else ""


def sample_of_rows(given: GroupRows) -> GroupSample:
    """Return the sample of complete rows, weighted where there are weights (divisor: their sum)."""
    values, weights = given.values, given.weights
    n, size = values.shape
    total = np.zeros((size, size))
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is told by require_regular
        mean = values.mean(axis=0) if weights is None else weights @ values / weights.sum()
        for start in range(0, n, BLOCK_ROWS):  # block by block: the centred copy never leaves the cache
            centred = values[start : start + BLOCK_ROWS].T - mean[:, None]
            total += centred @ (centred if weights is None else centred * weights[start : start + BLOCK_ROWS]).T
    return given.sample(read_only(total / (n if weights is None else weights.sum())), read_only(mean))


def sample_of_moments(moments: Moments, names: Sequence[str], label: str = "") -> GroupSample:
    """Return the moments of the model's variables out of a user's matrix.

    Raises
    ------
    OptionError
        If matrix, means, names or n do not fit each other.
    AnalysisError
        If a variable of the model is not in the matrix.
    """
    variables = moments.variables
    cov = _square(moments, variables)
    if moments.divisor not in ("n-1", "n"):
        raise OptionError("sem.error.divisor", received=repr(moments.divisor))
    whole = isinstance(moments.n, int | np.integer) and not isinstance(moments.n, bool)
    if not whole or moments.n < 2:
        raise OptionError("sem.error.moments_n", received=repr(moments.n))
    mean = _means(moments, variables)
    n = int(moments.n)
    if moments.divisor == "n-1":
        cov = cov * ((n - 1) / n)
    rows = None if moments.rows is None else _checked(moments.rows, n, cov, mean)
    found = GroupSample(label, variables, cov, mean, n, rows)
    missing = [name for name in names if name not in variables]
    if missing:
        raise AnalysisError("sem.error.unknown_moments", names=", ".join(missing), known=", ".join(variables))
    return found.take(tuple(names))


def _checked(rows: RowBlocks, n: int, cov: Array, mean: Array | None) -> RowBlocks:
    """Return the user's pass over the rows, which must yield the rows that the moments are of."""
    if not callable(rows):
        raise OptionError("sem.error.rows_callable", received=type(rows).__name__)
    spread = np.sqrt(np.abs(np.diag(cov)))

    def blocks() -> Iterator[Array]:
        count, total, squares = 0, np.zeros(len(cov)), np.zeros(len(cov))
        for given in rows():
            block = np.asarray(given, dtype=np.float64)
            if block.ndim != 2 or block.shape[1] != len(cov) or not np.isfinite(block).all():
                raise OptionError("sem.error.rows_block", shape=str(block.shape), variables=len(cov))
            centred = block if mean is None else block - mean
            count, total, squares = count + len(block), total + centred.sum(axis=0), squares + (centred**2).sum(axis=0)
            yield block
        if count != n:
            raise OptionError("sem.error.rows_count", found=shown(count), n=shown(n))
        away = np.abs(total / n) if mean is not None else np.zeros(len(cov))
        beyond = np.abs(np.sqrt(squares / n) - spread) if mean is not None else away
        if (np.maximum(away, beyond) > _SAME * spread).any():
            raise OptionError("sem.error.rows_differ")

    return blocks


def _square(moments: Moments, variables: tuple[str, ...]) -> Array:
    cov = moments.cov
    if isinstance(cov, pd.DataFrame) and [str(name) for name in cov.index] != list(variables):
        raise OptionError("sem.error.moments_names")
    if _holds_text(cov):
        raise OptionError("sem.error.moments_numbers")
    try:
        values = np.array(cov, dtype=float)
    except (TypeError, ValueError) as error:
        raise OptionError("sem.error.moments_numbers") from error
    if values.ndim != 2 or values.shape != (len(variables), len(variables)) or len(set(variables)) != len(variables):
        raise OptionError("sem.error.moments_shape", shape=str(values.shape), names=len(variables))
    if not np.isfinite(values).all():
        raise OptionError("sem.error.moments_numbers")
    if not np.allclose(values, values.T, rtol=1e-8, atol=1e-10 * max(1.0, float(np.abs(values).max(initial=0.0)))):
        raise OptionError("sem.error.moments_asymmetric")
    return (values + values.T) / 2.0


def _holds_text(given: object) -> bool:
    """Return whether an array or table holds something that only looks like a real number."""
    values = np.asarray(given)
    kinds = values.dtype.kind
    return kinds not in "iufbO" or (kinds == "O" and any(isinstance(value, str | complex) for value in values.flat))


def _means(moments: Moments, variables: tuple[str, ...]) -> Array | None:
    if moments.mean is None:
        return None
    given = moments.mean
    if isinstance(given, pd.Series):
        if set(map(str, given.index)) != set(variables):
            raise OptionError("sem.error.moments_names")
        given = given.rename(index=str).loc[list(variables)].to_numpy()
    if _holds_text(given):
        raise OptionError("sem.error.moments_numbers")
    try:
        mean = np.array(given, dtype=float)
    except (TypeError, ValueError) as error:
        raise OptionError("sem.error.moments_numbers") from error
    if mean.shape != (len(variables),) or not np.isfinite(mean).all():
        raise OptionError("sem.error.moments_shape", shape=str(mean.shape), names=len(variables))
    return read_only(mean)


def require_regular(samples: Sequence[GroupSample], *, invertible: bool) -> tuple[str, ...]:
    """Stop where a matrix gives no answer; return the groups whose matrix is singular where that may pass.

    Parameters
    ----------
    samples : sequence of GroupSample
    invertible : bool
        Whether the estimator needs the inverse (ML and GLS do, ULS does not).

    Raises
    ------
    ConstantItemError
        If a variable does not vary in a group.
    SingularMatrixError
        If ``invertible`` and some variables follow from others in a group, or rows are too few.
    """
    singular = []
    for sample in samples:
        _require_variances(sample)
        if invertible and sample.n <= len(sample.names):
            raise SingularMatrixError(
                "sem.error.few_rows", n=shown(sample.n), variables=len(sample.names), group=_group(sample)
            )
        dependent, least = _dependent(sample)
        if dependent and invertible:
            key = "sem.error.indefinite" if least < -_NEGATIVE else "sem.error.collinear"
            raise SingularMatrixError(key, items=", ".join(dependent), group=_group(sample))
        if dependent:
            singular.append(sample.label)
    return tuple(singular)


def _require_variances(sample: GroupSample) -> None:
    """Stop where a variable does not vary, also but for rounding, or its variance is beyond computing."""
    variance = np.diag(sample.cov)
    size = np.zeros(len(variance)) if sample.mean is None else sample.mean
    with np.errstate(over="ignore"):
        rounding = 1e-24 * np.square(size)
    extreme = (variance > _MOST) | ((variance > 0) & (variance < 1.0 / _MOST) & (variance > rounding))
    found = {
        "sem.error.negative_sample_variance": variance < 0,
        "sem.error.constant": (variance >= 0) & (variance <= rounding) & np.isfinite(variance),
        "sem.error.extreme": extreme | ~np.isfinite(variance),
    }
    for key, hit in found.items():
        if hit.any():
            items = ", ".join(name for name, one in zip(sample.names, hit, strict=True) if one)
            kind = ConstantItemError if key == "sem.error.constant" else AnalysisError
            raise kind(key, items=items, group=_group(sample))


def _dependent(sample: GroupSample) -> tuple[tuple[str, ...], float]:
    """Return the variables that follow from others, those in the eigenvectors of eigenvalue zero, and the least one."""
    scale = 1.0 / np.sqrt(np.diag(sample.cov))
    correlations = sample.cov * scale[:, None] * scale
    try:
        factor = np.linalg.cholesky(correlations)
        if float(np.diag(factor).min()) ** 2 > 1e-6:  # far from singular: the common case needs no eigenvectors
            return (), 1e-6
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(correlations)
    null = vectors[:, values < SINGULAR]
    involved = (np.abs(null) > 1e-4).any(axis=1)
    return tuple(name for name, hit in zip(sample.names, involved, strict=True) if hit), float(values[0])


def _group(sample: GroupSample) -> str:
    return f" [{sample.label}]" if sample.label else ""


def shown(count: int) -> int | str:
    """Return a number of rows for a message: small ones are not told exactly, they may point at people."""
    return count if count == 0 or count >= MINIMUM_CELL else f"<{MINIMUM_CELL}"
