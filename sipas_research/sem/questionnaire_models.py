"""Models in lavaan's language, written from a questionnaire: factors of a survey, and levers that lead to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from sipas_research.errors import AnalysisError
from sipas_research.sem.syntax import parse_model
from sipas_research.survey.responses import Responses

Scales = Mapping[str, Sequence[str]]

#: What definitions of the lever model are called: "indirect.digital.access", "indirect.digital", "total.digital".
INDIRECT, TOTAL = "indirect", "total"


def factor_model(source: Responses | Scales) -> str:
    """Return the confirmatory factor model of some scales: each item on its own factor, factors correlated.

    Parameters
    ----------
    source : Responses or mapping of str to sequence of str
        The factors of the questionnaire with answers in the file, or factors and their items.

    Returns
    -------
    str
        For ``sr.cfa``: one line a factor.

    Raises
    ------
    AnalysisError
        If there is no factor, or a factor has the name of an item.
    ModelSyntaxError
        If a name cannot stand in a model.
    """
    scales = source.scale_items("factor") if isinstance(source, Responses) else source
    if not scales:
        raise AnalysisError("models.error.no_factors")
    return _checked(_measured(scales))


def lever_model(responses: Responses, *, direct: bool = True) -> str:
    """Return the lever model of a survey: levers to factors, factors (and levers) to overall satisfaction.

    Residuals of the factors may correlate, levers too. Every path has a label, "to.from"; products of paths are
    defined: what leads from a lever to overall satisfaction by way of each factor (``indirect.lever.factor``), by way
    of all (``indirect.lever``), and together with the direct path (``total.lever``). With several scales of overall
    satisfaction their names are appended.

    Parameters
    ----------
    responses : Responses
        With items of factors, levers and overall satisfaction.
    direct : bool
        Whether levers also lead straight to overall satisfaction. Leaving these paths out would assume that
        levers go together with satisfaction only by way of the factors.

    Returns
    -------
    str
        For ``sr.sem``.

    Raises
    ------
    AnalysisError
        If the survey lacks factors, levers or overall satisfaction, or a scale has the name of an item.

    References
    ----------
    Alwin & Hauser (1975), American Sociological Review 40, 37-47: direct and indirect paths; Bollen (1989), chapter 8.
    """
    factors, levers, overall = (responses.scale_items(role) for role in ("factor", "lever", "overall"))
    for key, found in (("no_factors", factors), ("no_levers", levers), ("no_overall", overall)):
        if not found:
            raise AnalysisError(f"models.error.{key}")
    sources = (*factors, *levers) if direct else tuple(factors)
    lines = [_measured({**factors, **levers, **overall})]
    lines += [_path(factor, tuple(levers)) for factor in factors]
    lines += [_path(outcome, sources) for outcome in overall]
    lines += [f"{left} ~~ {right}" for left, right in combinations(factors, 2)]
    for outcome in overall:
        ending = f".{outcome}" if len(overall) > 1 else ""
        lines += [_products(lever, tuple(factors), outcome, ending, direct=direct) for lever in levers]
    return _checked("\n".join(lines))


def _measured(scales: Scales) -> str:
    items = {item for ids in scales.values() for item in ids}
    for name in scales:
        if name in items:
            raise AnalysisError("models.error.scale_is_item", question=name)
    return "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in scales.items())


def _path(outcome: str, sources: Sequence[str]) -> str:
    return f"{outcome} ~ " + " + ".join(f"{outcome}.{source}*{source}" for source in sources)


def _products(lever: str, factors: Sequence[str], outcome: str, ending: str, *, direct: bool) -> str:
    single = [f"{INDIRECT}.{lever}.{factor}{ending}" for factor in factors]
    lines = [f"{name} := {factor}.{lever}*{outcome}.{factor}" for name, factor in zip(single, factors, strict=True)]
    whole = f"{INDIRECT}.{lever}{ending}"
    lines.append(f"{whole} := {' + '.join(single)}")
    if direct:
        lines.append(f"{TOTAL}.{lever}{ending} := {whole} + {outcome}.{lever}")
    return "\n".join(lines)


def _checked(model: str) -> str:
    """Return the model once it can be read: a name with a space or a sign of the language would change its sense."""
    parse_model(model)
    return model + "\n"
