"""``sr.cfa`` and ``sr.sem``: from a model in words and some data to a fit."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.results import DataKind
from sipas_research.sem.defaults import build_table
from sipas_research.sem.discrepancy import target_of
from sipas_research.sem.information import information_at
from sipas_research.sem.layout import layout_of
from sipas_research.sem.measures import counted_rows
from sipas_research.sem.moments import require_regular
from sipas_research.sem.optimum import Optimum, Problem, minimise
from sipas_research.sem.options import FitOptions, fit_options
from sipas_research.sem.parameter_table import ParameterTable
from sipas_research.sem.restrictions import Restrictions, require_consistent, require_met, restrictions_of
from sipas_research.sem.result import SemFit
from sipas_research.sem.sampling import Data, Sample, gather, grouping_of
from sipas_research.sem.starting import plain_values, starting_values
from sipas_research.sem.syntax import ModelSyntax, parse_model
from sipas_research.sem.troubles import troubles_of


def sem(
    model: str,
    data: Data,
    *,
    estimator: str | None = None,
    group: str | None = None,
    group_equal: Sequence[str] | str = (),
    group_partial: Sequence[str] | str = (),
    ordered: Sequence[str] | str | bool = (),
    missing: str = "listwise",
    cluster: str | None = None,
    weights: str | None = None,
    std_lv: bool = False,
    orthogonal: bool = False,
    meanstructure: bool | None = None,
    information: str | None = None,
    parameterization: str = "delta",
    fixed_x: bool | None = None,
    level: float = 0.95,
    data_kind: DataKind = DataKind.USER,
) -> SemFit:
    """Fit a structural equation model written in lavaan's language.

    Parameters
    ----------
    model : str
        The model; see :mod:`sipas_research.sem.syntax`.
    data : Responses, DataFrame, Moments or mapping of str to Moments
        One row a person, variables in columns; or covariances and means of one group or, by label, of several. Rows
        with a missing value in a variable of the model are left out with a warning, unless ``missing`` says otherwise.
    estimator : {"ML", "MLR", "MLM", "GLS", "ULS", "WLS", "DWLS", "WLSMV", "ULSMV"}, optional
        Maximum likelihood; with robust errors and the Yuan-Bentler test (MLR) or the Satorra-Bentler test (MLM);
        generalised and unweighted least squares. For ordered answers: weighted least squares with the full (WLS) or
        the diagonal weight (DWLS), the latter with robust errors and a mean- and variance-adjusted test (WLSMV), and
        the same without weights (ULSMV). By default ML; WLSMV with ``ordered``, MLR with ``cluster`` or ``weights``.
    group : str, optional
        Column that holds the group; groups are listed in order of appearance.
    group_equal : sequence of str
        What is equal across groups: loadings, intercepts, means, regressions, residuals, residual_covariances,
        lv_variances, lv_covariances, thresholds. Equal thresholds free scales (or residual variances) and latent means
        of the later groups, and with ordered items thresholds and intercepts go together, as in lavaan;
        :func:`.invariance.invariance` follows Wu & Estabrook instead.
    group_partial : sequence of str
        Rows that stay free nevertheless, written as in the table: ``"x3~1"``, ``"f=~x2"``.
    ordered : sequence of str or True
        Variables whose answers are ordered categories; True: all that something explains.
    missing : {"listwise", "pairwise", "fiml"}
        Leave incomplete rows out, or count them with what they hold (full-information maximum likelihood; ML, MLR):
        right where what is missing depends on nothing but what is there. Rows without a fixed predictor are left out
        all the same; with ``fixed_x=False`` predictors are modelled, and their holes too. "pairwise", for models of
        ordered answers alone: each correlation by the rows that hold both items, right where what is missing depends
        on nothing at all.
    cluster : str, optional
        Column of the sampling clusters, such as agencies: errors and tests allow for it.
    weights : str, optional
        Column of the sampling weights, zero or above; they are scaled to add up to the number of rows.
    std_lv : bool
        Scale latent variables by variance one instead of the first loading.
    orthogonal : bool
        Leave covariances among latent variables at zero unless written.
    meanstructure : bool, optional
        Whether means are modelled; by default where the model, the groups or the estimator ask for them.
    information : {"expected", "observed"}, optional
        What standard errors rest on; by default observed for MLR and with "fiml", else expected.
    parameterization : {"delta", "theta"}
        For ordered variables: what has variance one, the variable behind the answers or its residual.
    fixed_x : bool, optional
        Whether the moments of observed predictors are the sample's; by default with ML, MLR and MLM, not with GLS
        and ULS, as in lavaan.
    level : float
        Coverage of the intervals, in (0, 1).
    data_kind : DataKind
        Kind of a DataFrame; Responses and Moments know their own.

    Returns
    -------
    SemFit

    Raises
    ------
    ModelSyntaxError
        If the model cannot be read, with line, column and a caret.
    AnalysisError
        If a variable is missing or not numeric (ConstantItemError: does not vary; SingularMatrixError: follows from
        others, or rows are too few), or restrictions contradict each other.
    OptionError
        If an option is outside its vocabulary.

    Warns
    -----
    NotIdentifiedWarning, HeywoodWarning, NegativeVarianceWarning, ConvergenceWarning, FewRowsWarning,
    FewClustersWarning (no more clusters than parameters), SingularMatrixWarning, DroppedRowsWarning,
    CategoryWarning (thresholds that do not rise; a code far from the others that may stand for no answer)

    References
    ----------
    Joreskog (1970), Biometrika 57, 239-251; Bollen (1989), Structural Equations with Latent Variables; Rosseel (2012),
    Journal of Statistical Software 48(2), whose conventions are followed.
    """
    syntax = parse_model(model)
    grouping = grouping_of(data, group)
    several = len(grouping.labels) > 1
    options = fit_options(
        estimator=estimator, group=group, group_equal=group_equal, group_partial=group_partial, std_lv=std_lv,
        orthogonal=orthogonal, meanstructure=meanstructure, information=information, fixed_x=fixed_x, level=level,
        missing=missing, cluster=cluster, weights=weights, ordered=ordered, parameterization=parameterization,
        means_needed=_speaks_of_means(syntax) or (several and meanstructure is None),
    )  # fmt: skip
    if group is None and not isinstance(data, Mapping) and (options.group_equal or options.group_partial):
        raise OptionError("sem.error.equal_without_group")
    table = build_table(syntax, grouping.labels, options)
    sample = gather(
        data, table.observed, grouping, data_kind, missing=options.missing, weights=weights, cluster=cluster,
        known=table.predictors,
    )  # fmt: skip
    return fit_table(table, sample, options)


def cfa(model: str, data: Data, **options: object) -> SemFit:
    """Fit a confirmatory factor analysis: :func:`sem` under the name that researchers look for.

    Parameters
    ----------
    model, data, **options
        As in :func:`sem`.
    """
    return sem(model, data, **options)  # type: ignore[arg-type]


def _speaks_of_means(syntax: ModelSyntax) -> bool:
    return any(term.op == "~1" for term in syntax.terms)


def fit_table(table: ParameterTable, sample: Sample, options: FitOptions) -> SemFit:
    """Fit a parameter table to moments; the step that all estimators share.

    Raises
    ------
    AnalysisError
        As in :func:`sem`.
    """
    if options.categorical:
        from sipas_research.sem.ordinal_fit import fit_ordinal

        return fit_ordinal(table, sample, options)
    _require_moments(sample, options)
    singular = require_regular(sample.groups, invertible=options.estimator != "ULS")
    restrictions = restrictions_of(table)
    targets = tuple(target_of(group, options, group.total / sample.n) for group in sample.groups)
    pairs = list(zip(range(len(targets)), targets, strict=True))
    layouts = tuple(layout_of(table, k, target.cov, target.mean) for k, target in pairs)
    problem = Problem(layouts, targets, table.size, counted_rows(sample.n, len(targets), options))
    found = _search(table, problem, restrictions)
    predictors = tuple(table.observed.index(name) for name in table.predictors)
    sources = tuple(table.observed.index(name) for name in table.sources)
    information = information_at(problem, found, restrictions, sample.groups, options, predictors, sources)
    plain = SemFit(table, options, sample, problem, found, restrictions, information, ())
    troubles = troubles_of(plain, singular)
    for trouble in troubles:
        warnings.warn(trouble, stacklevel=4)
    return replace(plain, troubles=tuple(trouble.key for trouble in troubles)) if troubles else plain


def _require_moments(sample: Sample, options: FitOptions) -> None:
    if options.meanstructure and not sample.with_means:
        raise OptionError("sem.error.no_means")
    if options.robust and not sample.with_rows:
        raise OptionError("sem.error.no_row_blocks", estimator=options.estimator)
    if options.robust and not sample.with_means:
        raise OptionError("sem.error.no_means")


def _search(table: ParameterTable, problem: Problem, restrictions: Restrictions) -> Optimum:
    """Return the minimum from the first of two starts that leads to one, or the better end of both."""
    covs, means = [t.cov for t in problem.targets], [t.mean for t in problem.targets]
    start = starting_values(table, covs, means)
    require_consistent(restrictions, start)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # steps that lead nowhere are taken back
        found = minimise(problem, start, restrictions)
        if found is None or not found.converged:
            second = minimise(problem, plain_values(table, covs, means), restrictions)
            better = found is None or (second is not None and second.point.distance < found.point.distance)
            found = second if better or (second is not None and second.converged) else found
    require_met(restrictions, start if found is None else found.point.theta, defined_only=found is None)
    if found is None:
        raise AnalysisError("sem.error.no_start")
    return found
