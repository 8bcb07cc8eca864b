"""How many factors: the usual criteria side by side, none of them taken for the truth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.factors.correlation_kinds import check_correlation, item_correlations
from sipas_research.factors.inputs import Data, ItemMatrix, announce, load_items, require_enough
from sipas_research.factors.parallel import ParallelAnalysis, check_parallel, compare_with_random
from sipas_research.numerics.correlation import Array, eigenvalues, is_singular, read_only
from sipas_research.numerics.extraction import extract
from sipas_research.numerics.factor_fit import degrees_of_freedom, likelihood_ratio, most_factors
from sipas_research.numerics.retention import (
    acceleration,
    average_partials,
    common_part,
    empirical_kaiser_reference,
    hull,
    leading_above,
)
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.sem.fit_indices import cfi
from sipas_research.wording import text

NAN = float("nan")
#: The hull needs a solution on each side of the chosen one: at least this many factors are tried.
LEAST_HULL = 3
HULL_COLUMNS = ("free_parameters", "caf", "sharpness_caf", "cfi", "sharpness_cfi")


@dataclass(frozen=True, slots=True, eq=False)
class MapTest:
    """Minimum average partial test.

    Attributes
    ----------
    items : tuple of str
    squared, fourth : (p - 1,) arrays
        Averages of the second and the fourth power of partial correlations after 0, 1, ... components.
    n, n_dropped : int
        Complete rows, and rows left out.
    left_out : tuple of (str, str)
    data_kind : DataKind
    """

    items: tuple[str, ...]
    squared: Array
    fourth: Array
    n: int
    n_dropped: int
    left_out: tuple[tuple[str, str], ...]
    data_kind: DataKind

    @property
    def n_factors(self) -> int:
        """Components where the average squared partial correlation is least (Velicer 1976)."""
        return int(np.nanargmin(self.squared))

    @property
    def n_factors_fourth(self) -> int:
        """Components where the average of fourth powers is least (Velicer, Eaton & Fava 2000)."""
        return int(np.nanargmin(self.fourth))

    def tidy(self) -> pd.DataFrame:
        """Return one row a number of components and power: term is the number, group the power."""
        counts = [str(count) for count in range(len(self.squared))]
        parts = [_tidy(counts, power, values) for power, values in (("2", self.squared), ("4", self.fourth))]
        return pd.concat(parts, ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """Return one row: n_factors by both powers, n, n_dropped, n_items, data_kind."""
        row = {"n_factors": self.n_factors, "n_factors_fourth": self.n_factors_fourth, **_counts(self)}
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return both numbers in one sentence."""
        counts = {"count": self.n_factors, "fourth": self.n_factors_fourth}
        return text("retention.summary.map", language, **counts, items=len(self.items), n=self.n)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What one criterion suggests: its name, the number of factors (None: it has no answer), where it comes from."""

    criterion: str
    n_factors: int | None
    reference: str


@dataclass(frozen=True, slots=True, eq=False)
class FactorRetention:
    """Criteria for the number of factors, side by side.

    Attributes
    ----------
    items : tuple of str
    suggestions : tuple of Suggestion
    parallel_pca, parallel_paf : ParallelAnalysis
    map_test : MapTest
    eigenvalues, empirical_kaiser, acceleration : (p,) arrays
        Eigenvalues, reference values of the empirical Kaiser criterion, second differences of the scree.
    hull_values : (m, 5) array
        See :attr:`hull`.
    correlation_kind : str
    n, n_dropped : int
        Complete rows, and rows left out.
    left_out : tuple of (str, str)
    data_kind : DataKind
    """

    items: tuple[str, ...]
    suggestions: tuple[Suggestion, ...]
    parallel_pca: ParallelAnalysis
    parallel_paf: ParallelAnalysis
    map_test: MapTest
    eigenvalues: Array
    empirical_kaiser: Array
    acceleration: Array
    hull_values: Array
    correlation_kind: str
    n: int
    n_dropped: int
    left_out: tuple[tuple[str, str], ...]
    data_kind: DataKind

    @property
    def hull(self) -> pd.DataFrame:
        """Row a number of factors, from 0; columns free_parameters, caf, sharpness_caf, cfi, sharpness_cfi."""
        counts = pd.RangeIndex(len(self.hull_values), name="n_factors")
        table = pd.DataFrame(np.array(self.hull_values), columns=list(HULL_COLUMNS), index=counts)
        return table.astype({"free_parameters": int})

    @property
    def suggested(self) -> pd.DataFrame:
        """One row a criterion: n_factors (NaN without an answer), reference, and the key of what is known about it."""
        made = self.suggestions
        counts = [NAN if s.n_factors is None else float(s.n_factors) for s in made]
        table = pd.DataFrame({"criterion": [s.criterion for s in made], "n_factors": counts})
        table["reference"] = [s.reference for s in made]
        return table.assign(note=[f"retention.tendency.{s.criterion}" for s in made])

    def tidy(self) -> pd.DataFrame:
        """Return one row a criterion: term, estimate (number of factors), note (key of what is known about it)."""
        table = self.suggested
        tidy = _tidy(list(table["criterion"]), "", table["n_factors"].to_numpy())
        return tidy.assign(note=table["note"], reference=table["reference"])

    def glance(self) -> pd.DataFrame:
        """Return one row: fewest and most factors suggested, how many criteria answered, n, data_kind."""
        counts = self._found()
        row = {
            "fewest": min(counts),
            "most": max(counts),
            "criteria": len(counts),
            "correlation": self.correlation_kind,
            **_counts(self),
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return what each criterion suggests and what is known about it, without choosing."""
        counts = self._found()
        ends = {"fewest": min(counts), "most": max(counts), "items": len(self.items), "n": self.n}
        heading = "criteria" if min(counts) < max(counts) else "agreed"
        lines = [text(f"retention.summary.{heading}", language, **ends)]
        for made in self.suggestions:
            name, known = (text(f"retention.{part}.{made.criterion}", language) for part in ("criterion", "tendency"))
            count = text("retention.summary.none", language) if made.n_factors is None else str(made.n_factors)
            fields = {"name": name, "count": count, "reference": made.reference, "tendency": known}
            lines.append(text("retention.summary.line", language, **fields))
        return "\n".join([*lines, text("retention.summary.choice", language)])

    def _found(self) -> list[int]:
        return [made.n_factors for made in self.suggestions if made.n_factors is not None]


def map_test(
    data: Data,
    *,
    items: Iterable[str] | None = None,
    correlation: str = "pearson",
    data_kind: DataKind = DataKind.USER,
) -> MapTest:
    """Return Velicer's minimum average partial test, with squared and with fourth powers.

    Parameters
    ----------
    data : Responses or DataFrame
        One row a person; incomplete rows are left out.
    items : iterable of str, optional
        By default the items of the questionnaire's factors, or every column.
    correlation : {"pearson", "polychoric"}
    data_kind : DataKind
        Kind of a DataFrame; Responses know their own.

    Raises
    ------
    AnalysisError
        As :func:`sipas_research.factors.inputs.item_matrix`.

    References
    ----------
    Velicer (1976), Psychometrika 41, 321-327. Velicer, Eaton & Fava (2000), in Goffin & Helmes (eds.), Problems
    and solutions in human assessment, 41-71.
    """
    check_correlation(correlation)
    matrix = load_items(data, items, data_kind)
    require_enough(matrix, data)
    announce(matrix, stacklevel=3)
    return _map_test(matrix, item_correlations(matrix, correlation, invertible=False))


def factor_retention(
    data: Data,
    *,
    items: Iterable[str] | None = None,
    draws: int = 100,
    seed: int = 1,
    correlation: str = "pearson",
    level: float = 0.95,
    data_kind: DataKind = DataKind.USER,
) -> FactorRetention:
    """Return the usual criteria for the number of factors, side by side.

    Kaiser's rule, the bend of the scree, parallel analysis (components, principal axes), the minimum average
    partial test (both powers), the empirical Kaiser criterion and the hull (two measures of fit). They answer
    different questions and may differ; the design of the questionnaire and the meaning of the factors decide.

    Parameters
    ----------
    data : Responses or DataFrame
        One row a person; incomplete rows are left out.
    items : iterable of str, optional
        By default the items of the questionnaire's factors, or every column.
    draws, seed : int
        Random data sets of the parallel analysis, and their seed.
    correlation : {"pearson", "polychoric"}
    level : float
        Quantile of the parallel analysis, in (0, 1).
    data_kind : DataKind
        Kind of a DataFrame; Responses know their own.

    Raises
    ------
    OptionError
        If an argument is outside its vocabulary or range.
    AnalysisError
        If items or rows do not allow it, or the correlation matrix is singular.

    References
    ----------
    Kaiser (1960), Educ. Psychol. Meas. 20, 141-151. Raîche, Walls, Magis, Riopel & Blais (2013), Methodology 9,
    23-29. Horn (1965), Psychometrika 30, 179-185. Velicer (1976), Psychometrika 41, 321-327. Braeken & van Assen
    (2017), Psychol. Methods 22, 450-466. Lorenzo-Seva, Timmerman & Kiers (2011), Multivar. Behav. Res. 46, 340-364.
    Auerswald & Moshagen (2019), Psychol. Methods 24, 468-491, compare them.
    """
    reference = "normal" if correlation == "pearson" else "permutation"
    check_parallel("pca", correlation, reference, draws, level, seed)
    matrix = load_items(data, items, data_kind)
    require_enough(matrix, data)
    announce(matrix, stacklevel=3)
    observed = item_correlations(matrix, correlation, invertible=True)
    both = [
        compare_with_random(matrix, observed, method, correlation, reference, draws=draws, seed=seed, level=level)
        for method in ("pca", "paf")
    ]
    return _retention(matrix, observed, correlation, both[0], both[1])


def _retention(
    matrix: ItemMatrix, observed: Array, correlation: str, pca: ParallelAnalysis, paf: ParallelAnalysis
) -> FactorRetention:
    values = eigenvalues(observed)
    reference = empirical_kaiser_reference(values, matrix.n)
    bends = acceleration(values)
    partials = _map_test(matrix, observed)
    fits = hull_table(observed, matrix.n, pca.n_factors)
    suggestions = (
        Suggestion("kaiser", int((values > 1.0).sum()), "Kaiser (1960)"),
        Suggestion("scree", int(np.nanargmax(bends)) if bends.size > 2 else None, "Raîche et al. (2013)"),
        Suggestion("parallel_pca", pca.n_factors, "Horn (1965); Glorfeld (1995)"),
        Suggestion("parallel_paf", paf.n_factors, "Humphreys & Montanelli (1975)"),
        Suggestion("map", partials.n_factors, "Velicer (1976)"),
        Suggestion("map_fourth", partials.n_factors_fourth, "Velicer, Eaton & Fava (2000)"),
        Suggestion("empirical_kaiser", leading_above(values, reference), "Braeken & van Assen (2017)"),
        Suggestion("hull_caf", _sharpest(fits["sharpness_caf"]), "Lorenzo-Seva, Timmerman & Kiers (2011)"),
        Suggestion("hull_cfi", _sharpest(fits["sharpness_cfi"]), "Lorenzo-Seva, Timmerman & Kiers (2011)"),
    )
    return FactorRetention(
        items=matrix.items,
        suggestions=suggestions,
        parallel_pca=pca,
        parallel_paf=paf,
        map_test=partials,
        eigenvalues=values,
        empirical_kaiser=reference,
        acceleration=bends,
        hull_values=read_only(fits[list(HULL_COLUMNS)].to_numpy(float)),
        correlation_kind=correlation,
        n=matrix.n,
        n_dropped=matrix.n_dropped,
        left_out=matrix.left_out,
        data_kind=matrix.data_kind,
    )


def hull_table(observed: Array, rows: int, parallel: int) -> pd.DataFrame:
    """Return the fit of 0 to J factors and how sharply its hull bends, J one more than parallel analysis keeps.

    CAF comes from minimum residuals, CFI (chi-square with multiplier n - 1) from maximum likelihood.
    """
    size = observed.shape[0]
    highest = min(max(parallel + 1, LEAST_HULL), most_factors(size))
    counts = range(highest + 1)
    free = [size * count - count * (count - 1) // 2 for count in counts]
    empty = np.zeros((size, 0))
    common = [common_part(observed, extract(observed, m, "minres").loadings if m else empty) for m in counts]
    comparative = [_cfi(observed, count, rows) for count in counts]
    return pd.DataFrame(
        {
            "free_parameters": free,
            "caf": common,
            "sharpness_caf": hull(common, free).sharpness,
            "cfi": comparative,
            "sharpness_cfi": hull(comparative, free).sharpness,
        },
        index=pd.Index(counts, name="n_factors"),
    )


def _cfi(observed: Array, factors: int, rows: int) -> float:
    if is_singular(observed):
        return NAN
    baseline = (rows - 1) * likelihood_ratio(observed, np.eye(len(observed)))
    if factors == 0:
        return 0.0
    found = extract(observed, factors, "ml")
    implied = found.loadings @ found.loadings.T + np.diag(found.uniquenesses)
    statistic = (rows - 1) * likelihood_ratio(observed, implied)
    size = len(observed)
    return cfi(statistic, degrees_of_freedom(size, factors), baseline, size * (size - 1) // 2)


def _sharpest(values: pd.Series) -> int | None:
    return int(values.idxmax()) if values.notna().any() else None


def _map_test(matrix: ItemMatrix, observed: Array) -> MapTest:
    found = average_partials(observed)
    return MapTest(
        matrix.items,
        found.squared,
        found.fourth,
        matrix.n,
        matrix.n_dropped,
        matrix.left_out,
        matrix.data_kind,
    )


def _tidy(terms: list[str], group: str, values: Array) -> pd.DataFrame:
    filled = {"term": terms, "group": [group] * len(terms), "estimate": read_only(values), "note": [""] * len(terms)}
    missing = np.full(len(terms), NAN)
    return pd.DataFrame({name: filled.get(name, missing) for name in TIDY_COLUMNS})


def _counts(result: MapTest | FactorRetention) -> dict[str, object]:
    return {
        "n": result.n,
        "n_dropped": result.n_dropped,
        "n_items": len(result.items),
        "data_kind": result.data_kind.value,
    }
