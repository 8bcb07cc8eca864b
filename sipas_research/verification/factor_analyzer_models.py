"""A second opinion by factor_analyzer: the same exploratory factor analysis once more, compared number by number.

factor_analyzer estimates from the same correlation matrix with its own code. It minimises with numerical slopes and
stops its rotations early, so its numbers are right to about four digits; where both differ, the value of the
function that both minimise tells who went further. It reorders loadings but not its factor correlations: those are
read back from its structure matrix.
"""

from __future__ import annotations

import warnings
from dataclasses import astuple, dataclass, fields
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.factors.rotation_options import RotationOptions
from sipas_research.factors.solution import FactorSolution
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.factor_fit import likelihood_ratio
from sipas_research.numerics.rotation_criteria import (
    Criterion,
    geomin_criterion,
    oblimin_criterion,
    varimax_criterion,
)
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.wording import text

#: Closed forms on both sides: only rounding differs.
EXACT = 1e-8
#: factor_analyzer's search stops at a relative decrease of 2e-9 with numerical slopes: loadings to three digits.
LOADINGS = 1e-3
#: The minimised functions are flat at their minimum: a distance of 1e-3 in loadings is 1e-5 in the function.
FUNCTION = 1e-5

#: Rotations that factor_analyzer has, by its own names.
THEIR_ROTATIONS = {
    "none": None,
    "varimax": "varimax",
    "promax": "promax",
    "oblimin": "oblimin",
    "quartimin": "quartimin",
    "geomin": "geomin_obl",
    "geomin_orthogonal": "geomin_ort",
}

#: Key of the note where this package's value of a minimised function is the lower one.
LOWER_HERE = "efa.agreement.note_lower_here"


@dataclass(frozen=True, slots=True)
class Compared:
    """One quantity in both packages.

    ``difference`` is the largest absolute one; ``ours`` and ``theirs`` are filled for single numbers; NaN and a note
    stand where there is nothing to compare. ``note`` is a catalogue key or "".
    """

    quantity: str
    ours: float
    theirs: float
    difference: float
    tolerance: float
    agrees: bool
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class FactorAnalyzerAgreement:
    """Agreement of a factor solution with factor_analyzer's.

    Attributes
    ----------
    method, rotation : str
    compared : tuple of Compared
    n : int
        Complete rows behind the correlations.
    data_kind : DataKind
    """

    method: str
    rotation: str
    compared: tuple[Compared, ...]
    n: int
    data_kind: DataKind

    @property
    def agrees(self) -> bool:
        """True if every quantity that could be compared agrees within its tolerance."""
        return all(row.agrees for row in self._comparable())

    def tidy(self) -> pd.DataFrame:
        """Return one row a quantity: term, estimate (largest difference), note; ours, theirs, tolerance, agrees."""
        table = pd.DataFrame([astuple(row) for row in self.compared], columns=[f.name for f in fields(Compared)])
        table = table.assign(term=table["quantity"], group="", estimate=table["difference"])
        missing = {name: np.nan for name in TIDY_COLUMNS if name not in table.columns}
        return table.assign(**missing)[[*TIDY_COLUMNS, "ours", "theirs", "tolerance", "agrees"]]

    def glance(self) -> pd.DataFrame:
        """Return one row: how many quantities were compared and agree, the largest difference, data_kind."""
        rows = self._comparable()
        row = {
            "compared": len(rows),
            "agreed": sum(compared.agrees for compared in rows),
            "largest_difference": max(compared.difference for compared in rows),
            "method": self.method,
            "rotation": self.rotation,
            "software": "factor_analyzer",
            "n": self.n,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return the agreement in one sentence, then a line for each quantity with a note."""
        rows = self._comparable()
        agreed = sum(row.agrees for row in rows)
        if agreed == len(rows):
            lines = [text("efa.summary.agreement_all", language, n=len(rows))]
        else:
            lines = [text("efa.summary.agreement_some", language, n=len(rows), agreed=agreed)]
        noted = [row for row in self.compared if row.note]
        named = [(text(f"efa.agreement.{row.quantity}", language), text(row.note, language)) for row in noted]
        return "\n".join(lines + [f"- {name}: {note}" for name, note in named])

    def _comparable(self) -> list[Compared]:
        return [row for row in self.compared if np.isfinite(row.difference)]


def factor_analyzer_check(found: FactorSolution) -> FactorAnalyzerAgreement:
    """Repeat an exploratory factor analysis with factor_analyzer and compare.

    Eigenvalues, unrotated loadings, communalities, the minimised discrepancy, rotated loadings, factor correlations
    and the rotation's criterion, after matching order and signs of the factors.

    Parameters
    ----------
    found : FactorSolution

    Returns
    -------
    FactorAnalyzerAgreement
        A quantity that factor_analyzer does not offer (SPSS's promax, target, bifactor) has no difference and a note.

    Raises
    ------
    AnalysisError
        If factor_analyzer fails on the correlation matrix.
    OptionError
        If ``found`` is no factor solution.

    References
    ----------
    Biggs & Madnani, factor_analyzer 0.5, a translation of parts of R psych.
    """
    if not isinstance(found, FactorSolution):
        raise OptionError("efa.error.no_solution", received=type(found).__name__)
    method = "ml" if found.method == "ml" else "minres"
    plain = _run(found, method, None, {})
    ours, theirs = found.extraction.loadings, plain.loadings_
    rows = [
        _arrays("eigenvalues", found.eigenvalues, plain.get_eigenvalues()[0], EXACT),
        _function("discrepancy", *(_discrepancy(found, pattern) for pattern in (ours, theirs))),
        _arrays("communalities", found.communality, np.einsum("im,im->i", theirs, theirs), LOADINGS),
        _arrays("unrotated", ours, match(theirs, ours)[0], LOADINGS),
    ]
    if found.method == "pa":
        rows[1:] = [_noted(row, "efa.agreement.note_minres") for row in rows[1:]]
    compared = (*rows, *_rotated(found, method))
    return FactorAnalyzerAgreement(found.method, found.rotation, compared, found.n, found.data_kind)


def match(theirs: Array, ours: Array, correlations: Array | None = None) -> tuple[Array, Array]:
    """Return loadings (and factor correlations) with factors in the order and with the signs of others.

    Parameters
    ----------
    theirs, ours : (p, m) arrays
        What to move, and where to.
    correlations : (m, m) array, optional
        Moved together with ``theirs``; the identity by default.
    """
    from scipy.optimize import linear_sum_assignment

    order = linear_sum_assignment(-np.abs(ours.T @ theirs))[1]
    signs = np.where(np.einsum("im,im->m", theirs[:, order], ours) < 0, -1.0, 1.0)
    phi = np.eye(len(order)) if correlations is None else correlations
    return theirs[:, order] * signs, phi[np.ix_(order, order)] * np.outer(signs, signs)


def _rotated(found: FactorSolution, method: str) -> list[Compared]:
    if found.rotation == "none":
        return []
    options = found.options
    if not _offered(options):
        return [_missing(name) for name in ("rotated", "factor_correlations", "criterion")]
    keywords: dict[str, object] = (
        {"normalize": options.kaiser is not False} if options.rotation in {"varimax", "promax"} else {}
    )
    keywords |= {"power": options.power} if options.rotation == "promax" else {}
    keywords |= {"delta": options.delta} if options.rotation.startswith("geomin") else {}
    fitted = _run(found, method, THEIR_ROTATIONS[options.rotation], keywords)
    pattern = fitted.loadings_
    structure = pattern if fitted.structure_ is None else fitted.structure_
    phi = np.linalg.lstsq(pattern, structure, rcond=None)[0]
    pattern, phi = match(pattern, found.rotated.loadings, phi)
    rows = [
        _arrays("rotated", found.rotated.loadings, pattern, LOADINGS),
        _arrays("factor_correlations", found.rotated.factor_correlations, phi, LOADINGS),
    ]
    criterion = _criterion(options)
    if criterion is None:
        return rows
    ours, theirs = (criterion(_rows(each, options))[0] for each in (found.rotated.loadings, pattern))
    value = _function("criterion", ours, theirs)
    if value.note == LOWER_HERE:
        rows = [row if row.agrees else _noted(row, LOWER_HERE) for row in rows]
    return [*rows, value]


def _offered(options: RotationOptions) -> bool:
    if options.rotation not in THEIR_ROTATIONS:
        return False
    normalised = options.rotation in {"varimax", "promax"}
    return (normalised or not options.kaiser) and not (options.rotation == "oblimin" and options.gamma)


def _criterion(options: RotationOptions) -> Criterion | None:
    if options.rotation == "promax":
        return None  # promax minimises no criterion of its own
    if options.rotation == "varimax":
        return varimax_criterion
    return partial(geomin_criterion, delta=options.delta) if "geomin" in options.rotation else oblimin_criterion


def _rows(loadings: Array, options: RotationOptions) -> Array:
    if options.rotation != "varimax" or options.kaiser is False:
        return loadings
    return np.asarray(loadings / np.sqrt(np.einsum("im,im->i", loadings, loadings))[:, None])


def _run(found: FactorSolution, method: str, rotation: str | None, keywords: dict[str, object]) -> Any:
    from factor_analyzer import FactorAnalyzer

    analyzer = FactorAnalyzer(
        len(found.factors), rotation=rotation, method=method, is_corr_matrix=True, rotation_kwargs=keywords
    )
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            fitted = analyzer.fit(np.array(found.correlation))
    except (np.linalg.LinAlgError, ValueError, AssertionError) as error:
        raise AnalysisError("efa.error.factor_analyzer_failed") from error
    if not np.isfinite(fitted.loadings_).all():
        raise AnalysisError("efa.error.factor_analyzer_failed")
    return fitted


def _discrepancy(found: FactorSolution, loadings: Array) -> float:
    shared = loadings @ loadings.T
    if found.method == "ml":
        unique = np.diag(1.0 - np.minimum(np.diag(shared), 1.0 - np.finfo(float).eps))
        return likelihood_ratio(found.correlation, shared + unique)
    above = (found.correlation - shared)[np.triu_indices(len(shared), 1)]
    return float(np.vdot(above, above))


def _arrays(quantity: str, ours: Array, theirs: Array, tolerance: float) -> Compared:
    difference = float(np.abs(np.asarray(ours) - theirs).max())
    agrees = difference <= tolerance
    note = "" if agrees else "efa.agreement.note_differs"
    return Compared(quantity, np.nan, np.nan, difference, tolerance, agrees, note)


def _function(quantity: str, ours: float, theirs: float) -> Compared:
    agrees = abs(ours - theirs) <= FUNCTION
    worse = "" if agrees else LOWER_HERE if ours < theirs else "efa.agreement.note_differs"
    return Compared(quantity, ours, theirs, abs(ours - theirs), FUNCTION, agrees, worse)


def _noted(row: Compared, note: str) -> Compared:
    return Compared(row.quantity, row.ours, row.theirs, row.difference, row.tolerance, row.agrees, note)


def _missing(quantity: str) -> Compared:
    return Compared(quantity, np.nan, np.nan, np.nan, np.nan, False, "efa.agreement.note_not_offered")
