"""One model in several groups, fitted under more and more equality: the data are read once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.results import DataKind
from sipas_research.sem.defaults import build_table
from sipas_research.sem.estimate import fit_table
from sipas_research.sem.options import FitOptions, fit_options
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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GroupModel:
    """A model with its data and the options that all steps share.

    Attributes
    ----------
    syntax : ModelSyntax
    sample : Sample
    options : FitOptions
    """

    syntax: ModelSyntax
    sample: Sample
    options: FitOptions

    def fit(self, step: str, partial: tuple[str, ...] | None = None, sample: Sample | None = None) -> SemFit:
        """Fit one step; ``partial`` and ``sample`` in the place of those given at first."""
        options = replace(
            self.options,
            group_equal=STEPS[step],
            group_partial=self.options.group_partial if partial is None else partial,
        )
        used = self.sample if sample is None else sample
        return fit_table(self.table(options), used, options)

    def table(self, options: FitOptions | None = None) -> ParameterTable:
        """Return the parameter table under some options."""
        return build_table(self.syntax, self.sample.labels, options or self.options)


def group_model(
    model: str, data: Data, *, group: str | None, estimator: str, group_partial: tuple[str, ...] | str, std_lv: bool,
    orthogonal: bool, level: float, data_kind: DataKind,
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
    )  # fmt: skip
    table = build_table(syntax, grouping.labels, options)
    sample = gather(data, table.observed, grouping, data_kind)
    require_rows(sample, table)
    return GroupModel(syntax, sample, options)


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


def known_steps(steps: tuple[str, ...] | str) -> tuple[str, ...]:
    """Return steps in their order.

    Raises
    ------
    OptionError
        If a step is unknown, given twice, out of order, or there is only one.
    """
    given = (steps,) if isinstance(steps, str) else tuple(steps)
    order = [name for name in STEPS if name in given]
    if list(given) != order or len(given) < 2:
        raise OptionError("sem_comparison.error.steps", received=repr(given), allowed=", ".join(STEPS))
    return given
