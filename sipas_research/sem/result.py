"""A fitted model: everything that can be asked of it. Nothing here estimates again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array
from sipas_research.results import DataKind
from sipas_research.sem.chi_squares import Tests, tests_of
from sipas_research.sem.implied import Implied
from sipas_research.sem.inference import Reference, inference, reference_degrees
from sipas_research.sem.information import Information
from sipas_research.sem.measures import measures_of
from sipas_research.sem.moments import GroupSample
from sipas_research.sem.optimum import Optimum, Problem
from sipas_research.sem.options import FitOptions
from sipas_research.sem.parameter_table import ParameterTable
from sipas_research.sem.restrictions import Restrictions
from sipas_research.sem.sampling import Sample
from sipas_research.sem.standardize import RowIndex, row_index, row_values, standardized_values

if TYPE_CHECKING:
    from sipas_research.sem.bootstrap import Bootstrap
    from sipas_research.sem.monte_carlo import MonteCarlo
    from sipas_research.sem.ordinal_disclosure import Withheld

NOTE_FIXED, NOTE_LOST, NOTE_BOUND = "fixed", "not_identified", "at_bound"


@dataclass(frozen=True, eq=False, repr=False)
class SemFit:
    """A fitted structural equation model; frozen.

    Attributes
    ----------
    table : ParameterTable
    options : FitOptions
    sample : Sample
        Moments of the groups, variables in the order of ``table.observed``.
    problem : Problem
    optimum : Optimum
    restrictions : Restrictions
    information : Information
    troubles : tuple of str
        Catalogue keys of what the fit warned about.
    """

    table: ParameterTable
    options: FitOptions
    sample: Sample
    problem: Problem
    optimum: Optimum
    restrictions: Restrictions
    information: Information
    troubles: tuple[str, ...]

    def __repr__(self) -> str:
        return f"SemFit({len(self.table.observed)} variables, {self.sample.n} rows, {self.data_kind.value})"

    @property
    def data_kind(self) -> DataKind:
        """Kind of the data behind the numbers."""
        return self.sample.data_kind

    @property
    def converged(self) -> bool:
        """Whether the step left is under a millionth of a standard error."""
        return self.optimum.converged

    @property
    def n(self) -> int:
        """Rows used."""
        return self.sample.n

    @property
    def samples(self) -> tuple[GroupSample, ...]:
        """Moments of each group."""
        return self.sample.groups

    @property
    def groups(self) -> tuple[Implied, ...]:
        """Implied moments of each group."""
        return self.optimum.point.groups

    @property
    def theta(self) -> Array:
        """Free parameters."""
        return self.optimum.point.theta

    @property
    def predictors(self) -> tuple[int, ...]:
        """Positions of observed predictors whose moments are the sample's."""
        return tuple(self.table.observed.index(name) for name in self.table.predictors)

    @property
    def sources(self) -> tuple[int, ...]:
        """Positions of the variables that the baseline model leaves correlated: observed predictors."""
        return tuple(self.table.observed.index(name) for name in self.table.sources)

    @property
    def parameters(self) -> int:
        """Free parameters less restrictions."""
        return int(self.information.basis.shape[1])

    @cached_property
    def withheld(self) -> Withheld | None:
        """What is not shown, because fewer than ten people stand behind it; see :mod:`.ordinal_disclosure`."""
        return None

    @cached_property
    def rows(self) -> RowIndex:
        """Positions of the table's rows."""
        return row_index(self.table)

    @cached_property
    def values(self) -> Array:
        """Value of every row of the table."""
        return row_values(self.rows, self.theta, self.groups)

    @cached_property
    def tests(self) -> Tests:
        """Chi-squares of the model and its baseline."""
        return tests_of(self.problem, self.optimum, self.information, self.options, self.predictors, self.sources)

    @cached_property
    def measures(self) -> dict[str, float]:
        """Measures of fit under lavaan's names."""
        return measures_of(
            self.tests, self.problem.targets, self.optimum.point, self.options,
            parameters=self.parameters, predictors=self.predictors,
        )  # fmt: skip

    def fit_measures(self) -> pd.Series:
        """Return all measures of fit under lavaan's names; NaN where a measure is not defined."""
        found = self.measures
        return pd.Series(np.array(list(found.values())), index=pd.Index(list(found)), name="value")

    def vcov(self) -> pd.DataFrame:
        """Return the covariance matrix of the free parameters, named by label or lhs-op-rhs."""
        names = list(self.table.names())
        return pd.DataFrame(np.array(self.information.vcov), index=names, columns=names)

    def tidy(self, *, level: float | None = None, reference: Reference = "z") -> pd.DataFrame:
        """Return one row a parameter.

        Columns: lhs, op, rhs, level, group, label, estimate, std_error, statistic (estimate over error), p_value
        (two-sided, normal), conf_low, conf_high, std_lv, std_all, note. Fixed parameters have ``std_error`` 0 and
        the note "fixed"; a parameter that the data do not determine is NaN with the note "not_identified".

        Parameters
        ----------
        level : float, optional
            Coverage of the intervals; that of the fit by default.
        reference : {"z", "t"}
            What p-values and intervals rest on: the normal distribution, or in a clustered fit Student's t with one
            degree of freedom less than there are clusters.
        """
        degrees = reference_degrees(self, reference)
        values, defined = self.values, self.restrictions.definitions
        std_lv = standardized_values(self.rows, values, self.groups, "lv")
        std_all = standardized_values(self.rows, values, self.groups, "all")
        errors, lost = self._row_errors()
        estimates = np.where(lost, np.nan, values)
        if lost.any():
            std_lv, std_all = np.where(self._unscaled(lost), np.nan, (std_lv, std_all))
        columns, notes = self._texts(lost)
        if defined:
            more, jacobian = self.restrictions.defined(self.theta)
            estimates = np.concatenate([estimates, more])
            errors = np.concatenate([errors, self._defined_errors(jacobian)])
            std_lv = np.concatenate([std_lv, self._defined_standard(std_lv)])
            std_all = np.concatenate([std_all, self._defined_standard(std_all)])
        columns |= inference(estimates, errors, level or self.options.level, degrees)
        columns["std_lv"], columns["std_all"] = np.where(np.isnan(estimates), np.nan, (std_lv, std_all))
        columns["note"] = notes
        return pd.DataFrame(columns, copy=False)  # the arrays are new, nobody else holds them

    def standardized(
        self, *, scale: Literal["lv", "all"] = "all", level: float | None = None, reference: Reference = "z"
    ) -> pd.DataFrame:
        """Return standardised coefficients with standard errors by the delta method; see :mod:`.standardized_table`."""
        from sipas_research.sem.standardized_table import standardized_table

        return standardized_table(self, scale=scale, level=level, reference=reference)

    def row_slopes(self, scale: Literal["lv", "all"]) -> Array:
        """Return the derivatives of the standardised rows of the table by the free parameters, (r, q)."""
        from sipas_research.sem.standardized_table import row_slopes

        return row_slopes(self.rows, self.values, self.groups, self.theta.size, scale)

    def r2(self) -> pd.DataFrame:
        """Return the explained share of the variance of each variable that something explains."""
        from sipas_research.sem.answers import explained_variance

        return explained_variance(self)

    def implied(self, what: Literal["cov", "mean", "latent_cov"] = "cov") -> pd.DataFrame:
        """Return the moments that the model implies; see :func:`.answers.implied_moments`."""
        from sipas_research.sem.answers import implied_moments

        return implied_moments(self, what)

    def implied_group(self, group: int) -> tuple[Array, Array]:
        """Return the implied covariances and means of a group's observed variables, in the units of the sample's."""
        return self.groups[group].cov, self.groups[group].mean

    def residuals(self, kind: Literal["cor", "raw", "standardized", "mean"] = "cor") -> pd.DataFrame:
        """Return observed less implied covariances, or means; see :func:`.residual_table.residual_matrix`."""
        from sipas_research.sem.residual_table import residual_matrix

        return residual_matrix(self, kind)

    def scores(self, method: Literal["regression", "bartlett"] = "regression") -> pd.DataFrame:
        """Return factor scores of the rows used, for further analysis only; see :func:`.scores.factor_scores`."""
        from sipas_research.sem.scores import factor_scores

        return factor_scores(self, method)

    def modification_indices(self) -> pd.DataFrame:
        """Return what freeing each fixed parameter would bring; see :func:`.modification.modification_indices`."""
        from sipas_research.sem.modification import modification_indices

        return modification_indices(self)

    def bootstrap(
        self, draws: int = 5000, seed: int = 1, jobs: int = 1, by: Literal["rows", "cluster"] | None = None
    ) -> Bootstrap:
        """Draw rows or clusters with replacement and fit each resample; see :func:`.bootstrap.bootstrap`."""
        from sipas_research.sem.bootstrap import bootstrap

        return bootstrap(self, draws, seed, jobs, by)

    def monte_carlo(self, draws: int = 20_000, seed: int = 1, *, level: float | None = None) -> MonteCarlo:
        """Return simulated intervals of the defined parameters; see :func:`.monte_carlo.monte_carlo`."""
        from sipas_research.sem.monte_carlo import monte_carlo

        return monte_carlo(self, draws, seed, level=level)

    def glance(self) -> pd.DataFrame:
        """Return one row about the whole fit."""
        from sipas_research.sem.summary import glance

        return glance(self)

    def summary(self, language: str = "vi") -> str:
        """Return the fit as text, in the order of lavaan's summary."""
        from sipas_research.sem.summary import summary

        return summary(self, language)

    def _texts(self, lost: NDArray[np.bool_]) -> tuple[dict[str, Any], pd.Index]:
        """Return what names each row of the answer, and the notes."""
        table, defined = self.table, self.restrictions.definitions
        rows, more = table.rows, [""] * len(defined)
        lhs, op, rhs, group, label, notes = text_columns(
            [row.lhs for row in rows] + [d.name for d in defined],
            [row.op for row in rows] + [d.op for d in defined],
            [row.rhs for row in rows] + [d.text for d in defined],
            [table.groups[row.group] for row in rows] + more,
            [row.label for row in rows] + [d.name for d in defined],
            self._notes(lost) + more,
        )
        level = np.ones(len(lhs), dtype=int)
        return {"lhs": lhs, "op": op, "rhs": rhs, "level": level, "group": group, "label": label}, notes

    def _row_errors(self) -> tuple[Array, NDArray[np.bool_]]:
        """Return the standard error of every row, and which rows the data do not determine."""
        free = self.rows.free
        estimated = free >= 0
        with np.errstate(invalid="ignore"):
            errors = np.sqrt(self.information.vcov.diagonal())
        result = np.where(estimated, errors[free], 0.0) if len(errors) else np.zeros(len(free))
        unidentified = self.information.unidentified
        lost = np.isin(free, unidentified) & estimated if unidentified else np.zeros(len(free), dtype=bool)
        return result, lost

    def _unscaled(self, lost: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the rows that touch a latent variable of which some parameter is not determined."""
        rows, latents = self.table.rows, set(self.table.latents)
        touched = {(r.group, n) for r, gone in zip(rows, lost, strict=True) if gone for n in (r.lhs, r.rhs)}
        return np.array([any(n in latents and (r.group, n) in touched for n in (r.lhs, r.rhs)) for r in rows])

    def _defined_errors(self, jacobian: Array) -> Array:
        touched = np.abs(jacobian) > 0
        cov = self.information.vcov
        result = np.full(len(jacobian), np.nan)
        for k, slope in enumerate(jacobian):
            which = np.flatnonzero(touched[k])
            variance = float(slope[which] @ cov[np.ix_(which, which)] @ slope[which]) if len(which) else 0.0
            result[k] = np.sqrt(variance) if variance >= 0 else np.nan
        return result

    def _defined_standard(self, standard: Array) -> Array:
        """Return the definitions of standardised coefficients in the place of the raw ones."""
        labels = {
            row.label: float(v) for row, v in zip(reversed(self.table.rows), standard[::-1], strict=True) if row.label
        }
        found = []
        for definition in self.restrictions.definitions:
            right = definition.right
            value = right.value({name: labels[name] for name in right.names})
            labels[definition.name] = value
            found.append(value)
        return np.array(found)

    def _notes(self, lost: NDArray[np.bool_]) -> list[str]:
        held = {name for c in self.optimum.active for name in (*c.left.names, *c.right.names)}
        notes = []
        for row, gone in zip(self.table.rows, lost.tolist(), strict=True):
            if row.free < 0:
                notes.append(NOTE_FIXED)
            else:
                notes.append(NOTE_LOST if gone else NOTE_BOUND if row.label in held and row.label else "")
        return notes


def texts(values: list[str]) -> pd.Index:
    """Return a column of plain strings; pandas would spend longer on guessing their type than the fit takes."""
    return pd.Index(values, dtype=object)


def text_columns(*columns: list[str]) -> list[pd.Index]:
    """Return columns of plain strings, all of one length: parts of one long column, made in one go."""
    whole, size = texts(list(chain(*columns))), len(columns[0])
    return [whole[k * size : (k + 1) * size] for k in range(len(columns))]
