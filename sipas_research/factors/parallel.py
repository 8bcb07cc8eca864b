"""Parallel analysis: which eigenvalues exceed those of answers that have nothing in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.factors.correlation_kinds import check_correlation, correlator, item_correlations
from sipas_research.factors.inputs import Data, ItemMatrix, announce, load_items, require_enough
from sipas_research.factors.options import check_choice, check_count, check_level, check_seed
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.retention import (
    EIGENVALUES,
    column_quantiles,
    criterion_eigenvalues,
    leading_above,
    normal_eigenvalues,
    permuted_eigenvalues,
)
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.wording import percent, text

NAN = float("nan")
REFERENCES = ("normal", "permutation")
#: With fewer draws the quantile is one of a handful of values.
LEAST_DRAWS = 10


@dataclass(frozen=True, slots=True, eq=False)
class ParallelAnalysis:
    """Observed eigenvalues beside those of unrelated answers.

    Attributes
    ----------
    items : tuple of str
    method : str
        "pca" (components) or "paf" (principal axes with squared multiple correlations).
    correlation_kind : str
        "pearson" or "polychoric".
    reference : str
        "normal": random normal answers; "permutation": the answers themselves, each item shuffled on its own.
    eigenvalues, random_mean, random_quantile : (p,) arrays
        Observed, and mean and quantile over the draws, largest first.
    level : float
        Which quantile.
    draws, seed : int
    n, n_dropped : int
        Complete rows, and rows left out.
    left_out : tuple of (str, str)
        Items left out, each with the catalogue key of its reason.
    data_kind : DataKind
    """

    items: tuple[str, ...]
    method: str
    correlation_kind: str
    reference: str
    eigenvalues: Array
    random_mean: Array
    random_quantile: Array
    level: float
    draws: int
    seed: int
    n: int
    n_dropped: int
    left_out: tuple[tuple[str, str], ...]
    data_kind: DataKind

    @property
    def n_factors(self) -> int:
        """Leading eigenvalues above the quantile of random ones (Glorfeld 1995)."""
        return leading_above(self.eigenvalues, self.random_quantile)

    @property
    def n_factors_mean(self) -> int:
        """Leading eigenvalues above the mean of random ones (Horn 1965); never fewer than with a high quantile."""
        return leading_above(self.eigenvalues, self.random_mean)

    def tidy(self) -> pd.DataFrame:
        """Return one row an eigenvalue: estimate is the observed one; random_mean, random_quantile, retained behind."""
        size = len(self.eigenvalues)
        missing = np.full(size, NAN)
        filled = {
            "term": [str(place) for place in range(1, size + 1)],
            "group": [self.method] * size,
            "estimate": self.eigenvalues,
            "note": [""] * size,
        }
        table = pd.DataFrame({name: filled.get(name, missing) for name in TIDY_COLUMNS})
        retained = np.arange(size) < self.n_factors
        return table.assign(random_mean=self.random_mean, random_quantile=self.random_quantile, retained=retained)

    def glance(self) -> pd.DataFrame:
        """Return one row: n_factors by quantile and by mean, how they were found, n, data_kind."""
        row = {
            "n_factors": self.n_factors,
            "n_factors_mean": self.n_factors_mean,
            "method": self.method,
            "correlation": self.correlation_kind,
            "reference": self.reference,
            "level": self.level,
            "draws": self.draws,
            "seed": self.seed,
            "n": self.n,
            "n_dropped": self.n_dropped,
            "n_items": len(self.items),
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return both counts in one sentence."""
        return text(
            "retention.summary.parallel",
            language,
            method=text(f"retention.method.{self.method}", language),
            draws=self.draws,
            level=percent(self.level, language, 0),
            count=self.n_factors,
            mean_count=self.n_factors_mean,
            items=len(self.items),
            n=self.n,
        )


def parallel_analysis(
    data: Data,
    *,
    items: Iterable[str] | None = None,
    draws: int = 100,
    seed: int = 1,
    method: str = "pca",
    correlation: str = "pearson",
    reference: str | None = None,
    level: float = 0.95,
    data_kind: DataKind = DataKind.USER,
) -> ParallelAnalysis:
    """Return how many eigenvalues exceed those of answers that have nothing in common.

    Parameters
    ----------
    data : Responses or DataFrame
        One row a person; incomplete rows are left out.
    items : iterable of str, optional
        By default the items of the questionnaire's factors, or every column.
    draws : int
        Random data sets, at least 10.
    seed : int
    method : {"pca", "paf"}
        Eigenvalues of the correlation matrix, or of that with squared multiple correlations as communalities. The
        second finds weak factors and tends to keep too many.
    correlation : {"pearson", "polychoric"}
        Polychoric correlations are compared with those of shuffled answers, computed the same way.
    reference : {"normal", "permutation"}, optional
        What unrelated answers look like: normal, or the answers themselves shuffled within each item. By default
        "normal" for Pearson correlations.
    level : float
        Which quantile of the random eigenvalues must be exceeded, in (0, 1).
    data_kind : DataKind
        Kind of a DataFrame; Responses know their own.

    Raises
    ------
    OptionError
        If an argument is outside its vocabulary or range.
    AnalysisError
        If items or rows do not allow it; with "paf" also if the correlation matrix is singular.

    References
    ----------
    Horn (1965), Psychometrika 30, 179-185. Glorfeld (1995), Educ. Psychol. Meas. 55, 377-393. Buja & Eyuboglu
    (1992), Multivar. Behav. Res. 27, 509-540. Garrido, Abad & Ponsoda (2013), Psychol. Methods 18, 454-474.
    """
    usual = "normal" if correlation == "pearson" else "permutation"
    chosen = usual if reference is None else reference
    check_parallel(method, correlation, chosen, draws, level, seed)
    matrix = load_items(data, items, data_kind)
    require_enough(matrix, data)
    announce(matrix, stacklevel=3)
    observed = item_correlations(matrix, correlation, invertible=method == "paf")
    return compare_with_random(matrix, observed, method, correlation, chosen, draws=draws, seed=seed, level=level)


def check_parallel(method: str, correlation: str, reference: str, draws: int, level: float, seed: int) -> None:
    """Raise OptionError if an argument of :func:`parallel_analysis` is outside its vocabulary or range."""
    check_correlation(correlation)
    # shuffled answers are the only ones that have the same categories: normal ones have no polychoric correlation
    references = REFERENCES if correlation == "pearson" else REFERENCES[1:]
    check_choice("method", method, EIGENVALUES)
    check_choice("reference", reference, references)
    check_count("draws", draws, LEAST_DRAWS)
    check_level(level)
    check_seed(seed)


def compare_with_random(
    matrix: ItemMatrix,
    observed: Array,
    method: str,
    correlation: str,
    reference: str,
    *,
    draws: int,
    seed: int,
    level: float,
) -> ParallelAnalysis:
    """Return the parallel analysis of correlations that are already there."""
    generator = np.random.default_rng(seed)
    if reference == "normal":
        random = normal_eigenvalues(matrix.n, len(matrix.items), draws, generator, method)
    else:
        random = permuted_eigenvalues(matrix.values, draws, generator, method, correlator(correlation))
    mean, quantile = column_quantiles(random, level)
    return ParallelAnalysis(
        items=matrix.items,
        method=method,
        correlation_kind=correlation,
        reference=reference,
        eigenvalues=criterion_eigenvalues(observed, method),
        random_mean=mean,
        random_quantile=quantile,
        level=level,
        draws=draws,
        seed=seed,
        n=matrix.n,
        n_dropped=matrix.n_dropped,
        left_out=matrix.left_out,
        data_kind=matrix.data_kind,
    )
