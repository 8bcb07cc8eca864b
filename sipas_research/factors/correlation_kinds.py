"""Which correlations a factor analysis starts from: Pearson's of the answers, or polychoric ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, NotPositiveDefiniteWarning
from sipas_research.factors.inputs import ItemMatrix, correlations
from sipas_research.factors.options import check_choice
from sipas_research.factors.polychoric import polychoric
from sipas_research.numerics.correlation import Array, correlation, is_singular
from sipas_research.numerics.polychoric import polychorics_of

CORRELATIONS = ("pearson", "polychoric")


def check_correlation(kind: str) -> None:
    """Raise OptionError unless the kind of correlation is known."""
    check_choice("correlation", kind, CORRELATIONS)


def item_correlations(matrix: ItemMatrix, kind: str, *, invertible: bool) -> Array:
    """Return the (p, p) correlations of one kind.

    Raises
    ------
    AnalysisError
        If ``invertible`` and the matrix is not positive definite, or the answers have no polychoric correlation.

    Warns
    -----
    SparseTableWarning, CategoryWarning, ConvergenceWarning
        As :func:`sipas_research.factors.polychoric.polychoric`; that a matrix is not positive definite is for the
        caller to say.
    """
    if kind == "pearson":
        return correlations(matrix, invertible=invertible)
    frame = pd.DataFrame(matrix.values, columns=list(matrix.items))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = polychoric(frame, data_kind=matrix.data_kind).fit.correlation
    for warning in told:
        if not issubclass(warning.category, NotPositiveDefiniteWarning):
            warnings.warn(warning.message, stacklevel=4)
    if np.isnan(found).any():
        raise AnalysisError("efa.error.no_polychoric")
    if invertible and is_singular(found):
        raise AnalysisError("efa.error.not_definite")
    return found


def correlator(kind: str) -> Callable[[Array], Array]:
    """Return the function from complete answers (n, p) to (p, p) correlations of one kind."""
    if kind == "pearson":
        return correlation
    return lambda values: polychorics_of(list(values.T)).correlation
