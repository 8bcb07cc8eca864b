"""What is wrong with a fit, one warning a trouble: told when it is fitted, and again in its summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from scipy.linalg.lapack import dpotrf

from sipas_research.errors import (
    CategoryWarning,
    ConvergenceWarning,
    FewClustersWarning,
    FewRowsWarning,
    HeywoodWarning,
    NegativeVarianceWarning,
    NotIdentifiedWarning,
    SingleIndicatorWarning,
    SingularMatrixWarning,
    SipasWarning,
)
from sipas_research.sem.chi_squares import degrees_of_freedom

if TYPE_CHECKING:
    from sipas_research.sem.ordinal_result import OrdinalFit
    from sipas_research.sem.result import SemFit


def troubles_of(fit: SemFit, singular: tuple[str, ...]) -> list[SipasWarning]:
    """Return a warning for each trouble of a fit.

    Parameters
    ----------
    fit : SemFit
    singular : tuple of str
        Groups whose covariance matrix has no inverse.
    """
    found: list[SipasWarning] = []
    if singular:
        found.append(SingularMatrixWarning("sem.warning.singular", groups=", ".join(filter(None, singular)) or "-"))
    if not fit.converged:
        found.append(ConvergenceWarning("sem.warning.not_converged", steps=fit.optimum.steps))
    df = model_degrees(fit)
    lost = fit.information.unidentified
    if lost or df < 0:
        names = fit.table.names()
        named = ", ".join(names[k] for k in lost[:12]) + (", ..." if len(lost) > 12 else "")
        found.append(NotIdentifiedWarning("sem.warning.not_identified", names=named or "-", df=str(df)))
    if fit.n <= fit.parameters:
        found.append(FewRowsWarning("sem.warning.few_rows", parameters=fit.parameters))
    clusters = fit.sample.n_clusters
    if 0 < clusters <= fit.parameters:
        fields = {"clusters": clusters, "parameters": fit.parameters}
        found.append(FewClustersWarning("sem_design.warning.few_clusters", **fields))
    alone = _alone(fit)
    if alone:
        found.append(SingleIndicatorWarning("sem.warning.single_indicator", names=", ".join(alone)))
    found += _improper(fit)
    if fit.options.categorical:
        found += _crossed(cast("OrdinalFit", fit))
    return found


def model_degrees(fit: SemFit) -> int:
    """Return the model's degrees of freedom without computing its tests; below zero it is not identified."""
    if fit.options.categorical:
        return fit.tests.model.df
    table = fit.table
    return degrees_of_freedom(
        len(table.observed), len(table.predictors), len(table.groups), fit.parameters, means=fit.options.meanstructure
    )


def _alone(fit: SemFit) -> list[str]:
    """Return the items that measure a latent variable alone and whose error was set to zero by convention."""
    table = fit.table
    zeros = [row for row in table.rows if row.op == "~~" and row.free < 0 and row.value == 0 and not row.written]
    exact = {row.lhs for row in zeros if row.lhs == row.rhs and row.lhs in table.observed}
    return list(dict.fromkeys(row.rhs for row in table.rows if row.op == "=~" and row.rhs in exact)) if exact else []


def _improper(fit: SemFit) -> list[SipasWarning]:
    """Return the warnings about variances below zero and latent correlations beyond one."""
    observed = len(fit.table.observed)
    variables = (*fit.table.observed, *fit.table.latents)
    items: list[str] = []
    latents: list[str] = []
    beyond: list[str] = []
    for at, label in zip(fit.groups, fit.table.groups, strict=True):
        where = f" [{label}]" if label else ""
        for k in np.flatnonzero(np.diag(at.residual) < 0):
            (items if k < observed else latents).append(variables[k] + where)
        inner = at.joint[observed:, observed:]
        if latents or len(inner) <= 1 or not dpotrf(inner)[1]:
            continue
        spread = inner.diagonal()
        if float(spread.min()) > 0 and float(np.linalg.eigvalsh(inner)[0]) < -1e-8 * float(spread.max()):
            beyond.append(where.strip() or "-")
    warned: list[SipasWarning] = []
    if items:
        warned.append(HeywoodWarning("sem.warning.heywood", names=", ".join(items)))
    if latents:
        warned.append(NegativeVarianceWarning("sem.warning.negative_variance", names=", ".join(latents)))
    if beyond:
        warned.append(NegativeVarianceWarning("sem.warning.not_positive_definite", groups=", ".join(beyond)))
    return warned


def _crossed(fit: OrdinalFit) -> list[SipasWarning]:
    """Return a warning about items whose thresholds do not rise."""
    items = [
        name + (f" [{label}]" if label else "")
        for at, label in zip(fit.ordinal.each, fit.table.groups, strict=True)
        for name in at.crossed
    ]
    return [CategoryWarning("sem_ordinal.warning.crossed", names=", ".join(items))] if items else []
