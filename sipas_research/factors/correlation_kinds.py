"""Which correlations a factor analysis starts from: Pearson's of the answers, or polychoric ones."""

from __future__ import annotations

from importlib.util import find_spec

from sipas_research.errors import AnalysisError
from sipas_research.factors.inputs import ItemMatrix, correlations
from sipas_research.numerics.correlation import Array

CORRELATIONS = ("pearson", "polychoric")


def item_correlations(matrix: ItemMatrix, kind: str, *, invertible: bool) -> Array:
    """Return the (p, p) correlations of one kind.

    Raises
    ------
    AnalysisError
        If ``invertible`` and the matrix is singular, or the kind cannot be estimated.
    """
    if kind == "pearson":
        return correlations(matrix, invertible=invertible)
    if find_spec("sipas_research.factors.polychoric") is None:
        raise AnalysisError("efa.error.no_polychoric")
    raise AnalysisError("efa.error.no_polychoric")
