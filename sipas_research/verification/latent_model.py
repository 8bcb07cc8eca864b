"""A path model among latent variables, and the covariances that its coefficients imply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.numerics.correlation import Array
from sipas_research.survey.responses import Responses

Named = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class LatentModel:
    """What is measured by what, and what leads where.

    Attributes
    ----------
    measurement : tuple of (str, tuple of str)
        Latent variable and its items; the first loading is fixed at one.
    paths : tuple of (str, tuple of str)
        Latent variable and the latent variables that explain it. Empty: a confirmatory factor analysis.
    covariances : tuple of (str, str)
        Residuals of explained latent variables that may correlate; those that nothing explains always may.
    """

    measurement: Named
    paths: Named = ()
    covariances: tuple[tuple[str, str], ...] = ()

    @property
    def items(self) -> tuple[str, ...]:
        """Items in the order of the latent variables."""
        return tuple(item for _, items in self.measurement for item in items)

    @property
    def latents(self) -> tuple[str, ...]:
        """Latent variables in the order given."""
        return tuple(name for name, _ in self.measurement)

    @property
    def explained(self) -> tuple[str, ...]:
        """Latent variables at the left of a path."""
        return tuple(name for name, _ in self.paths)

    @property
    def free_covariances(self) -> tuple[tuple[str, str], ...]:
        """Pairs whose covariance is estimated: all pairs that nothing explains, then the residual pairs."""
        outside = [name for name in self.latents if name not in self.explained]
        return (*combinations(outside, 2), *self.covariances)

    @property
    def parameters(self) -> int:
        """Free parameters: loadings but the first, error variances, latent variances, covariances, paths."""
        loadings = len(self.items) - len(self.latents)
        paths = sum(len(sources) for _, sources in self.paths)
        return loadings + len(self.items) + len(self.latents) + len(self.free_covariances) + paths

    @property
    def df(self) -> int:
        """Degrees of freedom: p (p + 1) / 2 covariances less the free parameters."""
        return len(self.items) * (len(self.items) + 1) // 2 - self.parameters


def factor_model(scales: Mapping[str, Sequence[str]]) -> LatentModel:
    """Return the confirmatory factor model of some scales: every item on its own factor, factors correlated."""
    return LatentModel(tuple((str(name), tuple(items)) for name, items in scales.items()))


def lever_model(responses: Responses, *, direct: bool = True) -> LatentModel:
    """Return the lever model of a survey: levers to factors, factors (and levers) to overall satisfaction.

    Residuals of the factors may correlate, levers too.

    Parameters
    ----------
    responses : Responses
        With items of factors, levers and overall satisfaction.
    direct : bool
        Whether levers also lead straight to overall satisfaction. Leaving these paths out would assume that
        levers go together with satisfaction only by way of the factors.

    Raises
    ------
    AnalysisError
        If the survey lacks factors, levers or overall satisfaction.
    """
    factors, levers, overall = (responses.scale_items(role) for role in ("factor", "lever", "overall"))
    for role, found in (("factor", factors), ("lever", levers), ("overall", overall)):
        if not found:
            key = {"factor": "no_factors", "lever": "no_levers", "overall": "no_overall"}[role]
            raise AnalysisError(f"models.error.{key}")
    sources = (*factors, *levers) if direct else tuple(factors)
    paths = (*((name, tuple(levers)) for name in factors), *((name, sources) for name in overall))
    measured = {**factors, **levers, **overall}
    return LatentModel(
        tuple((name, tuple(items)) for name, items in measured.items()), paths, tuple(combinations(factors, 2))
    )


def require_identified(model: LatentModel) -> None:
    """Stop with the reason where the coefficients could not follow from the data.

    Counted are the items of each latent variable (two, or three where it stands alone), the degrees of freedom, and
    circles of paths.

    Raises
    ------
    AnalysisError
        If the model is not identified, or has no latent variable.
    OptionError
        If a path or covariance names a latent variable that is not measured.
    """
    known = set(model.latents)
    named = {n for left, right in model.paths for n in (left, *right)} | {n for pair in model.covariances for n in pair}
    if named - known:
        raise OptionError("models.error.unmeasured", names=", ".join(sorted(named - known)))
    if not known:
        raise AnalysisError("models.error.no_factors")
    least = 2 if len(known) > 1 else 3
    short = [name for name, items in model.measurement if len(items) < least]
    if short:
        raise AnalysisError("models.error.few_indicators", names=", ".join(short), least=least)
    shared = sorted({item for item in model.items if model.items.count(item) > 1})
    if shared:
        raise OptionError("models.error.shared_items", items=", ".join(shared))
    if model.df < 0:
        raise AnalysisError("models.error.not_identified", parameters=model.parameters, df=str(model.df))
    _refuse_circles(model)


def _refuse_circles(model: LatentModel) -> None:
    sources = dict(model.paths)
    settled = set(model.latents) - set(sources)
    while sources:
        ready = [name for name, right in sources.items() if set(right) <= settled]
        if not ready:
            raise AnalysisError("models.error.circle", names=", ".join(sorted(sources)))
        settled.update(ready)
        for name in ready:
            del sources[name]


@dataclass(frozen=True, slots=True, eq=False)
class Implied:
    """Covariances that some coefficients imply; arrays follow ``model.items`` and ``model.latents``."""

    items: Array
    latents: Array


def implied(model: LatentModel, values: Mapping[tuple[str, str, str], float]) -> Implied:
    """Return Lambda Phi Lambda' + Theta with Phi = (I - B)^-1 Psi (I - B)^-T.

    Joreskog (1970), Biometrika 57, 239-251; Bollen (1989), Structural Equations with Latent Variables, chapter 8.

    Parameters
    ----------
    model : LatentModel
    values : mapping of (lhs, op, rhs) to float
        lavaan's operators: "=~" loading, "~" path, "~~" variance or covariance (either order of the pair).
    """
    place = {name: k for k, name in enumerate(model.latents)}
    row = {name: k for k, name in enumerate(model.items)}
    loadings = np.zeros((len(row), len(place)))
    structure, disturbances = np.zeros((2, len(place), len(place)))
    errors = np.zeros(len(row))
    for (left, operator, right), value in values.items():
        if operator == "=~":
            loadings[row[right], place[left]] = value
        elif operator == "~":
            structure[place[left], place[right]] = value
        elif left in row:
            errors[row[left]] = value
        else:
            disturbances[place[left], place[right]] = disturbances[place[right], place[left]] = value
    turn = np.linalg.inv(np.eye(len(place)) - structure)
    latents = turn @ disturbances @ turn.T
    return Implied(loadings @ latents @ loadings.T + np.diag(errors), latents)


def standardized(
    model: LatentModel, values: Mapping[tuple[str, str, str], float], found: Implied
) -> dict[tuple[str, str, str], float]:
    """Return every coefficient with all variables at variance one (lavaan's std.all).

    A covariance of two residuals becomes their correlation; a residual variance its share of the whole variance.
    """
    spread = {name: float(np.sqrt(found.items[k, k])) for k, name in enumerate(model.items)}
    spread |= {name: float(np.sqrt(found.latents[k, k])) for k, name in enumerate(model.latents)}
    result = {}
    for (left, operator, right), value in values.items():
        if operator == "=~":
            scale = spread[left] / spread[right]
        elif operator == "~":
            scale = spread[right] / spread[left]
        elif left == right:
            scale = 1.0 / spread[left] ** 2
        else:
            product = values[left, "~~", left] * values[right, "~~", right]
            scale = 1.0 / float(np.sqrt(product)) if product > 0 else float("nan")
        result[left, operator, right] = value * scale
    return result
