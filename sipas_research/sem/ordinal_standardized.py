"""Derivatives of standardised coefficients where residual variances of ordered items follow from their scales."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.implied import Implied
from sipas_research.sem.ordinal_structure import hidden_slopes, local_to_free
from sipas_research.sem.standardized_table import row_slopes

if TYPE_CHECKING:
    from sipas_research.sem.ordinal_result import OrdinalFit


def ordinal_row_slopes(fit: OrdinalFit, scale: Literal["lv", "all"]) -> Array:
    """Return the derivatives of the standardised rows by the free parameters, (r, q).

    Residual variances that follow are first taken for parameters of their own; then the chain rule puts what they
    follow from in their place.
    """
    size = fit.theta.size
    groups, moved = [], []
    free = fit.rows.free.copy()
    count = size
    for number, at in enumerate(fit.ordinal.each):
        hidden = at.layout.hidden
        own = np.arange(count, count + len(hidden))
        shape = at.layout.inner
        turned = replace(
            shape,
            cov_left=np.concatenate([shape.cov_left, hidden]),
            cov_right=np.concatenate([shape.cov_right, hidden]),
            free=np.concatenate([shape.free[: shape.moments], own, shape.free[shape.moments :]]),
        )
        groups.append(Implied(turned, at.whole.inverse, at.whole.residual, at.whole.intercepts))
        if len(hidden):
            moved.append(local_to_free(at.layout, hidden_slopes(at), size))
        for place, parameter in zip(hidden, own, strict=True):
            free[(fit.rows.group == number) & (fit.rows.kind == 2) & (fit.rows.left == place)] = parameter
        count += len(hidden)
    slopes = row_slopes(replace(fit.rows, free=free), fit.values, groups, count, scale)
    return slopes[:, :size] + slopes[:, size:] @ np.concatenate(moved) if moved else slopes
