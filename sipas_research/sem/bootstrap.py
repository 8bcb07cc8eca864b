"""Bootstrap of a fit: every parameter, defined effect and standardised coefficient, with intervals from the draws."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sipas_research.errors import FailedDrawsWarning, OptionError
from sipas_research.numerics.correlation import Array, read_only
from sipas_research.results import DataKind
from sipas_research.sem.bootstrap_draws import Drawn, Units, run_draws, run_folds, units_of
from sipas_research.sem.bootstrap_intervals import acceleration, bias_corrected, percentile
from sipas_research.sem.bootstrap_plan import Plan, plan_of
from sipas_research.sem.ordinal_disclosure import NOTE_FEW
from sipas_research.sem.result import NOTE_FIXED, NOTE_LOST, SemFit
from sipas_research.sem.row_scores import require_minimum

Interval = Literal["percentile", "bca"]
INTERVALS = ("percentile", "bca")
SCALES = ("raw", "lv", "all")
#: Folds of the jackknife behind the acceleration: its error is 0.65 over their number.
_FOLDS = 500
#: A spread of the draws below this share of the coefficient is rounding: the coefficient does not vary.
_CONSTANT = 1e-8


@dataclass(frozen=True, eq=False, repr=False)
class Bootstrap:
    """Bootstrap draws of a fit; frozen.

    Attributes
    ----------
    fit : SemFit
    by : str
        What was drawn: "rows" or "cluster".
    seed, jobs : int
    plan : Plan
        How a replicate is made.
    units : Units
        What is drawn, and within which strata.
    drawn : Drawn
    """

    fit: SemFit
    by: str
    seed: int
    jobs: int
    plan: Plan
    units: Units
    drawn: Drawn

    def __repr__(self) -> str:
        return f"Bootstrap({len(self.draws)} draws by {self.by}, {self.failed} failed, {self.data_kind.value})"

    @property
    def data_kind(self) -> DataKind:
        """Kind of the data behind the numbers."""
        return self.fit.data_kind

    @property
    def draws(self) -> Array:
        """All draws, (draws, r + d): rows of ``fit.tidy()`` in columns; not writeable.

        NaN where a draw failed, and where the estimate itself is not shown.
        """
        return self.drawn.raw

    @property
    def failed(self) -> int:
        """Draws without values: no moments to fit, or no minimum."""
        return len(self.drawn.failures)

    @property
    def failures(self) -> dict[str, int]:
        """Number of failed draws by reason.

        "moments": singular, or a variable does not vary; "category": an answer that nobody drawn gave; "minimum":
        none was reached.
        """
        return dict(sorted(Counter(self.drawn.failures).items()))

    @property
    def improper(self) -> int:
        """Draws that are kept though a variance is below zero."""
        return self.drawn.improper

    def frame(self, scale: Literal["raw", "lv", "all"] = "raw") -> pd.DataFrame:
        """Return the draws with a column for each row of the table: its label where no other has it, or lhs-op-rhs."""
        table = self.fit.table
        shared = Counter(row.label for row in table.rows)
        names = []
        for row in table.rows:
            where = f" [{table.groups[row.group]}]" if len(table.groups) > 1 else ""
            names.append(row.label if row.label and shared[row.label] == 1 else f"{row.lhs}{row.op}{row.rhs}{where}")
        names += [definition.name for definition in self.fit.restrictions.definitions]
        return pd.DataFrame(np.array(self._on(scale)), columns=names)

    def tidy(self, ci: Interval = "percentile", *, level: float | None = None) -> pd.DataFrame:
        """Return one row a parameter and definition.

        Columns: lhs, op, rhs, level, group, label, estimate, std_error (standard deviation of the draws), bias (their
        mean less the estimate), conf_low, conf_high, draws (how many have a value), std_lv, std_all, std_all_error,
        std_all_low, std_all_high, note: "fixed"; "not_identified"; "few_people"; "few_draws", too few for an interval;
        "no_interval", BCa is not defined; "end_of_draws", an end is the first or last draw.

        Parameters
        ----------
        ci : {"percentile", "bca"}
        level : float, optional
            Coverage of the intervals; that of the fit by default.

        Raises
        ------
        OptionError
        """
        found = self.fit.tidy()
        standard = self.standardized("all", ci=ci, level=level)
        result = self._table("raw", found, ci, level)
        result["std_lv"], result["std_all"] = found["std_lv"], found["std_all"]
        for name, column in (("error", "std_error"), ("low", "conf_low"), ("high", "conf_high")):
            result[f"std_all_{name}"] = standard[column]
        return result[[name for name in result if name != "note"] + ["note"]]

    def standardized(
        self, scale: Literal["lv", "all"] = "all", *, ci: Interval = "percentile", level: float | None = None
    ) -> pd.DataFrame:
        """Return standardised coefficients with the columns of :meth:`tidy` from estimate to note."""
        if scale not in SCALES[1:]:
            raise OptionError("sem.error.option", option="scale", received=repr(scale), allowed="lv, all")
        found = self.fit.tidy()
        return self._table(scale, found.assign(estimate=found[f"std_{scale}"]), ci, level)

    def glance(self) -> pd.DataFrame:
        """Return one row: draws, failed, improper, by, units, seed, n, data_kind."""
        found: dict[str, Any] = {
            "draws": len(self.draws), "failed": self.failed, "improper": self.improper, "by": self.by,
            "units": sum(len(stratum) for stratum in self.units.strata), "seed": self.seed, "n": self.fit.n,
            "data_kind": self.data_kind.value,
        }  # fmt: skip
        return pd.DataFrame([found])

    def summary(self, language: str = "vi", *, ci: Interval = "percentile") -> str:
        """Return what was drawn, what failed, and the intervals of regressions and definitions as text."""
        from sipas_research.sem.bootstrap_summary import bootstrap_summary

        return bootstrap_summary(self, language, ci)

    @cached_property
    def folds(self) -> Drawn:
        """The fit without each fold of the units: at most 500 folds in all, those of a group apart."""
        found = run_folds(self.plan, self.units, [fold for _, fold in _folds(self.units, self.seed)], jobs=self.jobs)
        return _shown(found, self.fit)

    def _on(self, scale: str) -> Array:
        if scale not in SCALES:
            raise OptionError("sem.error.option", option="scale", received=repr(scale), allowed=", ".join(SCALES))
        return {"raw": self.drawn.raw, "lv": self.drawn.std_lv, "all": self.drawn.std_all}[scale]

    def _table(self, scale: str, found: pd.DataFrame, ci: str, level: float | None) -> pd.DataFrame:
        if ci not in INTERVALS:
            raise OptionError("sem.error.option", option="ci", received=repr(ci), allowed=", ".join(INTERVALS))
        coverage = self.fit.options.level if level is None else level
        if not isinstance(coverage, float) or not 0 < coverage < 1:
            raise OptionError("sem.error.level", received=repr(level))
        draws, estimates = self._on(scale), found["estimate"].to_numpy(dtype=np.float64)
        count, error, mean = _spread(draws)
        if ci == "bca":
            strata = [stratum for stratum, _ in _folds(self.units, self.seed)]
            left_out = {"raw": self.folds.raw, "lv": self.folds.std_lv, "all": self.folds.std_all}[scale]
            low, high, notes = bias_corrected(draws, estimates, acceleration(left_out, strata), coverage)
        else:
            low, high, notes = percentile(draws, coverage)
        fixed = self._constant(found, scale, error, estimates)
        lost = np.isin(found["note"], (NOTE_LOST, NOTE_FEW))
        columns = {name: found[name] for name in ("lhs", "op", "rhs", "level", "group", "label")}
        settled = fixed & np.isfinite(estimates)
        numbers = {
            "estimate": estimates,
            "std_error": np.where(settled, 0.0, error),
            "bias": np.where(settled, 0.0, mean - estimates),
            "conf_low": np.where(settled, estimates, low),
            "conf_high": np.where(settled, estimates, high),
        }
        columns |= {name: np.where(lost, np.nan, values) for name, values in numbers.items()}
        columns["draws"] = count
        columns["note"] = np.where(lost, found["note"], np.where(settled, NOTE_FIXED, notes))
        return pd.DataFrame(columns)

    def _constant(self, found: pd.DataFrame, scale: str, error: Array, estimates: Array) -> NDArray[np.bool_]:
        """Return which rows do not vary: fixed ones, moments of predictors, standardised values that follow."""
        if scale == "raw":
            return np.asarray(found["note"] == NOTE_FIXED)
        with np.errstate(invalid="ignore"):
            return np.asarray(error <= _CONSTANT * np.abs(estimates))


def bootstrap(
    fit: SemFit, draws: int = 5000, seed: int = 1, jobs: int = 1, by: Literal["rows", "cluster"] | None = None
) -> Bootstrap:
    """Draw rows or clusters with replacement and fit the model to each resample, to the criterion of a fit.

    Rows are drawn within groups; clusters too, unless some cut groups: then over all groups. Draws without values
    are counted and kept as NaN. Each draw has its own child of the seed: the numbers are the same for any ``jobs``.

    Parameters
    ----------
    fit : SemFit
    draws : int
        At least 1; intervals need about 2 / (1 - level) at the least.
    seed : int
        0 or above.
    jobs : int
        Processes (joblib); -1: one a core. A joblib backend chosen outside, such as a Dask cluster, serves too.
    by : {"rows", "cluster"}, optional
        By default clusters where the fit has them.

    Returns
    -------
    Bootstrap

    Raises
    ------
    OptionError
        If an option is outside its range, or clusters are asked of a fit without.
    AnalysisError
        If the fit did not converge, has no rows, or a group has one cluster only.

    Warns
    -----
    FailedDrawsWarning

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap; Davison & Hinkley (1997), Bootstrap Methods and their
    Application; Bollen & Stine (1990), Sociological Methodology 20, 115-140 (indirect effects).
    """
    for name, value, least in (("draws", draws, 1), ("seed", seed, 0), ("jobs", jobs, -64)):
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not whole or value < least or (name == "jobs" and value == 0):
            raise OptionError("sem_bootstrap.error.whole_number", option=name, received=repr(value))
    require_minimum(fit)
    plan = plan_of(fit)
    units = units_of(plan, by)
    drawn = _shown(run_draws(plan, units, draws=int(draws), seed=int(seed), jobs=int(jobs)), fit)
    found = Bootstrap(fit, units.kind, int(seed), int(jobs), plan, units, drawn)
    if found.failed:
        warnings.warn(
            FailedDrawsWarning("sem_bootstrap.warning.failed", failed=found.failed, draws=draws), stacklevel=3
        )
    return found


def _shown(found: Drawn, fit: SemFit) -> Drawn:
    """Return replicates without the columns that are not shown of the fit."""
    if fit.withheld is None or not fit.withheld.both.any():
        return found
    raw, std_lv, std_all = (
        read_only(np.where(fit.withheld.both, np.nan, values)) for values in (found.raw, found.std_lv, found.std_all)
    )
    return replace(found, raw=raw, std_lv=std_lv, std_all=std_all)


def _spread(draws: Array) -> tuple[NDArray[np.intp], Array, Array]:
    """Return how many draws have a value, their standard deviation (divisor one less) and their mean."""
    known = np.isfinite(draws)
    count = known.sum(axis=0)
    filled = np.where(known, draws, 0.0)
    mean = np.where(count > 0, filled.sum(axis=0) / np.maximum(count, 1), np.nan)
    squares = np.where(known, (filled - mean) ** 2, 0.0).sum(axis=0)
    return count, np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan), mean


def _folds(units: Units, seed: int) -> list[tuple[int, NDArray[np.intp]]]:
    """Return the folds of the units with their stratum: single units while there are few, else like parts at random."""
    generator = np.random.default_rng(np.random.SeedSequence([seed, units.size]))
    folds = []
    for number, stratum in enumerate(units.strata):
        share = _FOLDS * len(stratum) / sum(len(each) for each in units.strata)
        parts = min(len(stratum), max(int(share), 2))
        mixed = generator.permutation(stratum) if parts < len(stratum) else stratum
        folds += [(number, part) for part in np.array_split(mixed, parts)]
    return folds
