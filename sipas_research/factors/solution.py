"""A factor solution: loadings, communalities, fit, as tables and as a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.factors.inputs import Data, numeric_columns, resolve_items
from sipas_research.factors.phrases import p_phrase
from sipas_research.factors.rotation_options import RotationOptions
from sipas_research.numerics.correlation import Array, eigenvalues, is_singular, read_only
from sipas_research.numerics.extraction import Extraction
from sipas_research.numerics.factor_fit import FactorFit
from sipas_research.numerics.factor_scores import SCORE_METHODS, determinacy, score_weights
from sipas_research.numerics.rotation import Rotation, variance_explained
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, percent, text

NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class FactorSolution:
    """Exploratory factor analysis of p items by m factors.

    Attributes
    ----------
    items, factors : tuple of str
        Item names, and "F1", "F2", ... in order of the variance they explain; after a bifactor rotation the
        general factor comes first, after a target rotation order and names are those of the target.
    method, rotation : str
        As asked for; rotation is "none" for a single factor.
    options : RotationOptions
        All that was asked of the rotation.
    correlation : (p, p) array
    correlation_kind : str
        "pearson" or "polychoric".
    means, spreads : (p,) arrays
        Means and standard deviations (divisor n - 1) of the answers, which scores are standardised by.
    extraction : Extraction
        Unrotated solution with its convergence.
    rotated : Rotation
        Pattern loadings, factor correlations, transformation, convergence.
    fit : FactorFit
    n, n_dropped : int
        Complete rows, and rows left out.
    left_out : tuple of (str, str)
        Items left out, each with the catalogue key of its reason.
    data_kind : DataKind
    """

    items: tuple[str, ...]
    factors: tuple[str, ...]
    method: str
    rotation: str
    options: RotationOptions
    correlation: Array
    correlation_kind: str
    means: Array
    spreads: Array
    extraction: Extraction
    rotated: Rotation
    fit: FactorFit
    n: int
    n_dropped: int
    left_out: tuple[tuple[str, str], ...]
    data_kind: DataKind

    @property
    def communality(self) -> Array:
        """Share of each item's variance that the factors explain, (p,); above 1 only in a Heywood case."""
        pattern = self.rotated.loadings
        return read_only(np.einsum("im,im->i", pattern @ self.rotated.factor_correlations, pattern))

    @property
    def heywood(self) -> tuple[str, ...]:
        """Items whose communality reaches one, or whose unique variance ended at its bound."""
        return heywood_items(self.items, self.extraction)

    @property
    def converged(self) -> bool:
        """True if both the extraction and the rotation reached their tolerance."""
        return self.extraction.converged and self.rotated.converged

    @property
    def loadings(self) -> pd.DataFrame:
        """Pattern loadings, items by factors."""
        return self._wide(self.rotated.loadings)

    @property
    def structure(self) -> pd.DataFrame:
        """Correlations of items with factors, items by factors."""
        return self._wide(self.rotated.loadings @ self.rotated.factor_correlations)

    @property
    def factor_correlations(self) -> pd.DataFrame:
        """Correlations between factors; the identity where the rotation is orthogonal."""
        names = list(self.factors)
        return pd.DataFrame(self.rotated.factor_correlations.copy(), index=names, columns=names)

    @property
    def communalities(self) -> pd.DataFrame:
        """Rows are items; columns communality, uniqueness (they add to 1) and Hofmann's (1978) complexity."""
        squares = self.rotated.loadings**2
        with np.errstate(invalid="ignore"):
            complexity = squares.sum(axis=1) ** 2 / (squares**2).sum(axis=1)
        shared = self.communality
        columns = {"communality": shared, "uniqueness": 1.0 - shared, "complexity": complexity}
        return pd.DataFrame(columns, index=list(self.items))

    @property
    def eigenvalues(self) -> Array:
        """Eigenvalues of the correlation matrix, largest first, (p,); they add to p."""
        return eigenvalues(self.correlation)

    @property
    def variance(self) -> pd.DataFrame:
        """Rows are factors; columns ss_loadings, proportion and cumulative (shares of all items' variance, 0-1)."""
        explained = variance_explained(self.rotated.loadings, self.rotated.factor_correlations)
        share = explained / len(self.items)
        columns = {"ss_loadings": explained, "proportion": share, "cumulative": np.cumsum(share)}
        return pd.DataFrame(columns, index=list(self.factors))

    @property
    def residuals(self) -> pd.DataFrame:
        """Correlations less what the factors reproduce; uniquenesses on the diagonal."""
        pattern = self.rotated.loadings
        left = self.correlation - pattern @ self.rotated.factor_correlations @ pattern.T
        return pd.DataFrame(left, index=list(self.items), columns=list(self.items))

    @property
    def determinacy(self) -> pd.Series:
        """Each factor's multiple correlation with the items, 0-1; NaN where the correlation matrix is singular.

        Scores of a factor below about 0.9 should not stand for single people (Grice 2001, Psychol. Methods 6).
        """
        if is_singular(self.correlation):
            return pd.Series(NAN, index=list(self.factors))
        return pd.Series(determinacy(self.correlation, self.structure.to_numpy()), index=list(self.factors))

    def score_weights(self, method: str = "regression") -> pd.DataFrame:
        """Return the weights of standardised answers in factor scores, items by factors.

        Parameters
        ----------
        method : {"regression", "bartlett", "tenberge"}
            Thurstone's regression scores, Bartlett's, or ten Berge's, which keep the factors' correlations.

        Raises
        ------
        OptionError
            If the method is unknown.
        AnalysisError
            If the correlation matrix is singular and the method needs its inverse.
        """
        if method not in SCORE_METHODS:
            allowed = ", ".join(SCORE_METHODS)
            raise OptionError("factors.error.option", name="method", received=str(method), allowed=allowed)
        if method != "bartlett" and is_singular(self.correlation):
            raise AnalysisError("factors.error.singular")
        rotated, unique = self.rotated, self.extraction.uniquenesses
        return self._wide(
            score_weights(self.correlation, rotated.loadings, rotated.factor_correlations, unique, method)
        )

    def scores(self, data: Data, method: str = "regression") -> pd.DataFrame:
        """Return factor scores of people, standardised to the answers that were analysed; NaN for incomplete rows.

        Scores of single people are estimates with their own error: look at :attr:`determinacy` first. After
        polychoric correlations the weights belong to the variables behind the answers, and scores from the answers
        are approximate.

        Parameters
        ----------
        data : Responses or DataFrame
            With all items of the analysis; other people than those analysed may be scored.
        method : {"regression", "bartlett", "tenberge"}
            As in :meth:`score_weights`.
        """
        weights = self.score_weights(method).to_numpy()
        names = resolve_items(data, self.items)
        values = data.items(names).to_numpy(float) if isinstance(data, Responses) else numeric_columns(data, names)
        index = data.frame.index if isinstance(data, Responses) else data.index
        return pd.DataFrame((values - self.means) / self.spreads @ weights, index=index, columns=list(self.factors))

    def tidy(self) -> pd.DataFrame:
        """Return one row an item and factor: term, group, estimate (pattern loading), ..., note, structure."""
        size, count = len(self.items), len(self.factors)
        marked = set(self.heywood)
        pattern = self.rotated.loadings
        filled = {
            "term": np.repeat(np.array(self.items, dtype=object), count),
            "group": list(self.factors) * size,
            "estimate": pattern.ravel(),
            "note": ["factors.note.heywood" if i in marked else "" for i in self.items for _ in self.factors],
            "structure": (pattern @ self.rotated.factor_correlations).ravel(),
        }
        missing = np.full(size * count, NAN)
        return pd.DataFrame({name: filled.get(name, missing) for name in (*TIDY_COLUMNS, "structure")})

    def glance(self) -> pd.DataFrame:
        """Return one row about the whole; measures that do not exist are NaN with the reason's key in ``note``."""
        fit = self.fit
        row = {
            "n": self.n,
            "n_dropped": self.n_dropped,
            "n_items": len(self.items),
            "n_factors": len(self.factors),
            "method": self.method,
            "rotation": self.rotation,
            "correlation": self.correlation_kind,
            "chisq": fit.statistic,
            "df": fit.df,
            "pvalue": fit.p_value,
            "rmsea": fit.rmsea,
            "rmsea_ci_lower": fit.rmsea_low,
            "rmsea_ci_upper": fit.rmsea_high,
            "tli": fit.tli,
            "rmsr": fit.rmsr,
            "variance_explained": float(self.communality.mean()),
            "converged": self.converged,
            "heywood": len(self.heywood),
            "rotation_starts": self.rotated.starts,
            "rotation_minima": self.rotated.minima,
            "note": self.note,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    @property
    def note(self) -> str:
        """Catalogue key of the weightiest thing to know about the solution, or ""."""
        if not self.extraction.converged:
            return "factors.note.not_converged"
        if not self.rotated.converged:
            return "factors.note.rotation_not_converged"
        if self.heywood:
            return "factors.note.heywood"
        if np.isnan(self.fit.statistic):
            return "factors.note.no_test"
        if self.fit.df == 0:
            return "factors.note.no_degrees_of_freedom"
        return "efa.note.polychoric_test" if self.correlation_kind == "polychoric" else ""

    def summary(self, language: str = "vi") -> str:
        """Return the solution in a few sentences."""
        lines = [
            text(
                "factors.summary.efa",
                language,
                items=len(self.items),
                factors=len(self.factors),
                method=text(f"factors.method.{self.method}", language),
                rotation=text(f"factors.rotation.{self.rotation}", language),
                n=self.n,
                share=percent(float(self.communality.mean()), language, 1),
            )
        ]
        if np.isfinite(self.fit.p_value):
            fields = {
                "statistic": number(self.fit.statistic, 2, language),
                "p": p_phrase(self.fit.p_value, language),
                "rmsea": number(self.fit.rmsea, 3, language),
                "low": number(self.fit.rmsea_low, 3, language),
                "high": number(self.fit.rmsea_high, 3, language),
                "tli": number(self.fit.tli, 3, language),
            }
            lines.append(text("factors.summary.efa_fit", language, df=self.fit.df, **fields))
        if self.rotated.minima > 1:
            lines.append(self._minima(language))
        if self.note:
            lines.append(text(self.note, language))
        return "\n".join(lines)

    def _minima(self, language: str) -> str:
        starts, agreeing = self.rotated.starts, self.rotated.agreeing
        return text("efa.summary.minima", language, starts=starts, minima=self.rotated.minima, agreeing=agreeing)

    def _wide(self, values: Array) -> pd.DataFrame:
        return pd.DataFrame(np.array(values), index=list(self.items), columns=list(self.factors))


def heywood_items(items: tuple[str, ...], extraction: Extraction) -> tuple[str, ...]:
    """Return the items of a Heywood case: communality at least one, or unique variance at its lower bound."""
    shared = np.einsum("im,im->i", extraction.loadings, extraction.loadings)
    reached = (shared >= 1.0) | extraction.at_bound
    return tuple(item for item, hit in zip(items, reached, strict=True) if hit)
