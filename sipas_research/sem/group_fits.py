"""One model in several groups, fitted under more and more equality: the data are read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.results import DataKind
from sipas_research.sem.defaults import build_table
from sipas_research.sem.estimate import fit_table
from sipas_research.sem.options import FitOptions, fit_options
from sipas_research.sem.ordinal_fit import OrdinalData, ordinal_data
from sipas_research.sem.parameter_table import FIXED, ParameterTable
from sipas_research.sem.result import SemFit
from sipas_research.sem.sampling import Data, Sample, gather, grouping_of
from sipas_research.sem.syntax import ModelSyntax, parse_model

#: What is held equal across groups at each step, after the names of Horn & McArdle (1992) and Meredith (1993).
STEPS: dict[str, tuple[str, ...]] = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}
#: The same for ordered items, after Wu & Estabrook (2016), Psychometrika 81, 1014-1045.
ORDERED_STEPS: dict[str, tuple[str, ...]] = {
    "configural": (),
    "thresholds": ("thresholds",),
    "metric": ("thresholds", "loadings"),
    "scalar": ("thresholds", "loadings", "intercepts"),
    "strict": ("thresholds", "loadings", "intercepts", "residuals"),
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GroupModel:
    """A model with its data and the options that all steps share.

    Attributes
    ----------
    syntax : ModelSyntax
    sample : Sample
    options : FitOptions
    ordinal : OrdinalData or None
        Statistics of ordered items, worked out once.
    """

    syntax: ModelSyntax
    sample: Sample
    options: FitOptions
    ordinal: OrdinalData | None = None

    def fit(self, step: str, partial: tuple[str, ...] | None = None, sample: Sample | None = None) -> SemFit:
        """Fit one step; ``partial`` and ``sample`` in the place of those given at first."""
        options = replace(
            self.options,
            group_equal=steps_of(self.options)[step],
            group_partial=self.options.group_partial if partial is None else partial,
        )
        if self.ordinal is not None:
            return self.ordinal.fit(self.syntax, self.sample, options)
        used = self.sample if sample is None else sample
        return fit_table(self.table(options), used, options)

    def table(self, options: FitOptions | None = None) -> ParameterTable:
        """Return the parameter table under some options."""
        return build_table(self.syntax, self.sample.labels, options or self.options)


def steps_of(options: FitOptions) -> dict[str, tuple[str, ...]]:
    """Return what is held equal at each step."""
    return ORDERED_STEPS if options.categorical else STEPS


def group_model(
    model: str, data: Data, *, group: str | None, estimator: str | None, group_partial: tuple[str, ...] | str,
    std_lv: bool, orthogonal: bool, level: float, data_kind: DataKind, ordered: Sequence[str] | bool = (),
    missing: str = "listwise", cluster: str | None = None, weights: str | None = None,
) -> GroupModel:  # fmt: skip
    """Read a model and its data, and refuse groups that are too small.

    Raises
    ------
    AnalysisError
        If there are fewer than two groups, or a group has fewer than 10 rows, or fewer than parameters.
    OptionError
        If an option is outside its vocabulary.
    """
    syntax = parse_model(model)
    grouping = grouping_of(data, group)
    if len(grouping.labels) < 2:
        raise AnalysisError("sem_comparison.error.one_group")
    options = fit_options(
        estimator=estimator, group=group, group_equal=(), group_partial=group_partial, std_lv=std_lv,
        orthogonal=orthogonal, meanstructure=True, information=None, fixed_x=True, level=level, means_needed=True,
        ordered=ordered, parameterization="theta" if ordered else "delta", missing=missing, cluster=cluster,
        weights=weights,
    )  # fmt: skip
    options = replace(options, identification="wu_estabrook") if ordered else options
    table = build_table(syntax, grouping.labels, options)
    sample = gather(
        data, table.observed, grouping, data_kind, missing=missing, weights=weights, cluster=cluster,
        known=table.predictors,
    )  # fmt: skip
    require_rows(sample, table)
    return GroupModel(syntax, sample, options, ordinal_data(table, sample, options) if ordered else None)


def require_rows(sample: Sample, table: ParameterTable, *, half: bool = False) -> None:
    """Stop where a group, or the ``half`` of one, has too few rows for a model of its own.

    Raises
    ------
    AnalysisError
    """
    small = [group.label for group in sample.groups if group.n < MINIMUM_CELL]
    if small:
        raise AnalysisError("sem_comparison.error.small_groups", groups=", ".join(small), minimum=MINIMUM_CELL)
    for number, group in enumerate(sample.groups):
        parameters = len({row.free for row in table.rows if row.group == number and row.free != FIXED})
        if group.n <= parameters:
            key = "few_rows_half" if half else "few_rows"
            raise AnalysisError(f"sem_comparison.error.{key}", group=group.label, parameters=parameters)


def known_steps(steps: tuple[str, ...] | str, allowed: Mapping[str, tuple[str, ...]] = STEPS) -> tuple[str, ...]:
    """Return steps in their order.

    Raises
    ------
    OptionError
        If a step is unknown, given twice, out of order, or there is only one.
    """
    given = (steps,) if isinstance(steps, str) else tuple(steps)
    order = [name for name in allowed if name in given]
    if list(given) != order or len(given) < 2:
        raise OptionError("sem_comparison.error.steps", received=repr(given), allowed=", ".join(allowed))
    return given
