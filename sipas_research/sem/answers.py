"""Plain answers of a fit: explained variance and implied moments, as frames with the variables' names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sipas_research.errors import OptionError
from sipas_research.numerics.correlation import Array

if TYPE_CHECKING:
    from sipas_research.sem.result import SemFit

MOMENTS = ("cov", "mean", "latent_cov")
NOTE_NEGATIVE = "negative_variance"


def explained_variance(fit: SemFit) -> pd.DataFrame:
    """Return R², one less the share of the residual variance, of each variable that something explains.

    Returns
    -------
    DataFrame
        variable, group, r2, note: indicators and outcomes in the order of the model, observed before latent. Where a
        residual variance is negative (Heywood case) ``r2`` is NaN with the note "negative_variance".

    References
    ----------
    Bollen (1989), Structural Equations with Latent Variables, p. 117 and 220.
    """
    names = (*fit.table.observed, *fit.table.latents)
    found: list[dict[str, Any]] = []
    for number, (label, at) in enumerate(zip(fit.table.groups, fit.groups, strict=True)):
        paths = [row for row in fit.table.rows if row.group == number and row.op in ("=~", "~")]
        explained = {row.rhs if row.op == "=~" else row.lhs for row in paths}
        total, rest = np.diag(at.joint), np.diag(at.residual)
        for k, name in enumerate(names):
            if name in explained:
                proper = rest[k] >= 0 and total[k] > 0
                share = 1.0 - rest[k] / total[k] if proper else np.nan
                found.append({"variable": name, "group": label, "r2": share, "note": "" if proper else NOTE_NEGATIVE})
    return pd.DataFrame(found, columns=["variable", "group", "r2", "note"])


def implied_moments(fit: SemFit, what: str = "cov") -> pd.DataFrame:
    """Return moments that the model implies at the estimates.

    Parameters
    ----------
    fit : SemFit
    what : {"cov", "mean", "latent_cov"}
        Covariances of the observed variables, their means, or covariances of the latent variables. Of ordered items
        those of the variables behind them, in units of their scale: polychoric correlations without predictors.

    Returns
    -------
    DataFrame
        A matrix with the variables' names on rows and columns ("mean": one column ``mean``). With several groups the
        matrices stand below each other, rows indexed by group and variable.

    Raises
    ------
    OptionError
        If ``what`` is unknown, or means are asked of a model without means.
    """
    if what not in MOMENTS:
        raise OptionError("sem.error.option", option="what", received=repr(what), allowed=", ".join(MOMENTS))
    observed, latents = fit.table.observed, fit.table.latents
    if what == "mean":
        if not fit.options.meanstructure:
            raise OptionError("sem.error.no_mean_structure")
        return by_group(fit, [fit.implied_group(k)[1][:, None] for k in range(len(fit.groups))], observed, ["mean"])
    if what == "cov":
        return by_group(fit, [fit.implied_group(k)[0] for k in range(len(fit.groups))], observed, observed)
    p = len(observed)
    inner = [at.joint[p:, p:] for at in fit.groups]
    return by_group(fit, [(each + each.T) / 2.0 for each in inner], latents, latents)


def by_group(fit: SemFit, matrices: Sequence[Array], rows: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Return one matrix a group as a frame; several stand below each other, rows indexed by group and variable."""
    frames = [pd.DataFrame(np.array(matrix), index=list(rows), columns=list(columns)) for matrix in matrices]
    if len(frames) == 1:
        return frames[0]
    return pd.concat(frames, keys=list(fit.table.groups), names=["group", "variable"])
