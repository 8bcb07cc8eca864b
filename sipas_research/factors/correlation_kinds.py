"""Which correlations a factor analysis starts from: Pearson's of the answers, or polychoric ones."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.factors.inputs import ItemMatrix, correlations
from sipas_research.numerics.correlation import Array, correlation

CORRELATIONS = ("pearson", "polychoric")


def check_correlation(kind: str) -> None:
    """Raise OptionError unless the kind of correlation is known."""
    if kind not in CORRELATIONS:
        allowed = ", ".join(CORRELATIONS)
        raise OptionError("factors.error.option", name="correlation", received=str(kind), allowed=allowed)


def item_correlations(matrix: ItemMatrix, kind: str, *, invertible: bool) -> Array:
    """Return the (p, p) correlations of one kind.

    Raises
    ------
    AnalysisError
        If ``invertible`` and the matrix is singular, or the kind cannot be estimated.
    """
    if kind == "pearson":
        return correlations(matrix, invertible=invertible)
    return correlator(kind)(matrix.values)


def correlator(kind: str) -> Callable[[Array], Array]:
    """Return the function from complete answers (n, p) to (p, p) correlations of one kind."""
    if kind == "pearson":
        return correlation
    if find_spec("sipas_research.numerics.polychoric") is None:
        raise AnalysisError("efa.error.no_polychoric")
    raise AnalysisError("efa.error.no_polychoric")
