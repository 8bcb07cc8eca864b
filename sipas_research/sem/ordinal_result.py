"""A fitted model of ordered answers: what differs from that of continuous ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from sipas_research.numerics.correlation import Array
from sipas_research.sem.chi_squares import Tests
from sipas_research.sem.inference import Reference
from sipas_research.sem.ordinal_disclosure import Withheld, withheld_of
from sipas_research.sem.ordinal_information import ordinal_point
from sipas_research.sem.ordinal_measures import ordinal_measures
from sipas_research.sem.ordinal_problem import OrdinalPoint, OrdinalProblem
from sipas_research.sem.ordinal_tests import ordinal_tests
from sipas_research.sem.result import SemFit


@dataclass(frozen=True, eq=False, repr=False)
class OrdinalFit(SemFit):
    """A fitted model of ordered answers; see :class:`.SemFit`.

    Of checked answers (Responses) no answer of this class tells how many people gave an answer that fewer than ten
    gave: such thresholds are NaN with the note "few_people".
    """

    problem: OrdinalProblem

    @property
    def ordinal(self) -> OrdinalPoint:
        """Thresholds, correlations and what the model implies for them."""
        return ordinal_point(self.optimum)

    @cached_property
    def tests(self) -> Tests:
        """Chi-squares of the model and its baseline."""
        return ordinal_tests(self.problem, self.ordinal, self.information, self.options)

    @cached_property
    def measures(self) -> dict[str, float]:
        """Measures of fit under lavaan's names."""
        return ordinal_measures(self)

    @cached_property
    def withheld(self) -> Withheld | None:
        """What is not shown; None where the data are not checked answers."""
        return withheld_of(self)

    def tidy(self, *, level: float | None = None, reference: Reference = "z") -> pd.DataFrame:
        """Return one row a parameter, as :meth:`.SemFit.tidy`; the note "few_people" where one is not shown."""
        found = super().tidy(level=level, reference=reference)
        return found if self.withheld is None else self.withheld.without(found)

    def standardized(
        self, *, scale: Literal["lv", "all"] = "all", level: float | None = None, reference: Reference = "z"
    ) -> pd.DataFrame:
        """Return standardised coefficients, as :meth:`.SemFit.standardized`; the same are not shown."""
        found = super().standardized(scale=scale, level=level, reference=reference)
        return found if self.withheld is None else self.withheld.without(found)

    def vcov(self) -> pd.DataFrame:
        """Return the covariance matrix of the free parameters.

        Of checked answers only the variances of thresholds (and intercepts of ordered items) are shown: covariances
        tell how many people gave two answers together.
        """
        found = super().vcov()
        if self.withheld is None:
            return found
        return self.withheld.without_covariances(found, [row.free for row in self.table.rows])

    def implied(self, what: Literal["cov", "mean", "latent_cov"] = "cov") -> pd.DataFrame:
        """Return the moments that the model implies; see :func:`.answers.implied_moments`."""
        found = super().implied(what)
        if what == "mean" and self.withheld is not None:
            found.loc[found.index.get_level_values(-1).isin(list(self.withheld.means))] = np.nan
        return found

    def modification_indices(self) -> pd.DataFrame:
        """Return what freeing each fixed parameter would bring; see :mod:`.ordinal_modification`.

        Without thresholds, intercepts and scales of items of which a threshold is not shown.
        """
        from sipas_research.sem.ordinal_modification import ordinal_modification_indices

        found = ordinal_modification_indices(self)
        if self.withheld is None:
            return found
        gone = found["op"].isin(["|", "~1", "~*~"]) & found["lhs"].isin(list(self.withheld.items))
        return found[~gone].reset_index(drop=True)

    def row_slopes(self, scale: Literal["lv", "all"]) -> Array:
        """Return the derivatives of the standardised rows of the table by the free parameters, (r, q)."""
        from sipas_research.sem.ordinal_standardized import ordinal_row_slopes

        return ordinal_row_slopes(self, scale)

    def implied_group(self, group: int) -> tuple[Array, Array]:
        """Return the implied moments of a group, those of ordered items in units of their scale."""
        at = self.ordinal.each[group]
        scale = np.ones(len(self.table.observed))
        scale[at.layout.places] = at.scale
        return at.whole.cov * scale * scale[:, None], at.whole.mean * scale

    def residuals(self, kind: Literal["cor", "raw", "standardized", "mean"] = "cor") -> pd.DataFrame:
        """Return observed less implied correlations, or thresholds; see :func:`.ordinal_residuals`."""
        from sipas_research.sem.ordinal_residuals import ordinal_residuals

        return ordinal_residuals(self, kind)

    def scores(self, method: Literal["regression", "bartlett"] = "regression") -> pd.DataFrame:
        """Return factor scores of the rows used, for further analysis only; see :func:`.ordinal_scores`."""
        from sipas_research.sem.ordinal_scores import ordinal_scores

        return ordinal_scores(self, method)
