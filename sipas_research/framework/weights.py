"""The index under the weights of a framework's criteria, a named definition beside the default one.

The default index counts every answer alike. A framework may weigh its criteria instead: equally, as experts said, by
loadings, or by the weights most favourable to each agency within bounds. Such an index decides ranks and classes only
where the framework said so before the data were collected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.framework.definitions import (
    CRITERION_WEIGHTS,
    answers_agree_with_rest,
    check_options,
    ratio_parts,
)
from sipas_research.framework.design import PreparedDesign, Ratios, plan_of, prepare_design
from sipas_research.framework.framework_spec import Framework, WeightMethod
from sipas_research.framework.group_estimates import families_of, group_estimates
from sipas_research.framework.groups import Grouping, group_rows
from sipas_research.framework.index import INDEX, SatisfactionIndex, components, index_under, satisfaction_index
from sipas_research.framework.index_figures import figure_row, hidden_row
from sipas_research.framework.publication import component_masks, item_masks
from sipas_research.framework.weight_result import CriterionWeight, WeightedIndex
from sipas_research.numerics.composite_weights import favourable_weights, squared_loadings
from sipas_research.numerics.disclosure import suppress, suppress_table
from sipas_research.numerics.intervals import effective_size
from sipas_research.numerics.linearization import degrees_of_freedom, influence_covariance, ratio_influence
from sipas_research.survey.responses import Responses
from sipas_research.survey.scoring import rescaled

METHODS: tuple[str, ...] = get_args(WeightMethod)
_NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Shares of the criteria by agency with their influence values; arrays over usable rows, agencies, criteria."""

    design: PreparedDesign
    agencies: Grouping
    member: np.ndarray
    items: dict[str, tuple[str, ...]]
    share: np.ndarray
    influence: np.ndarray
    people: np.ndarray
    alike: np.ndarray
    answers: np.ndarray
    answered: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _Weights:
    """Weights: one row an agency (all rows the same but where each has its own), and how they vary with people."""

    chosen: str
    base: np.ndarray
    low: np.ndarray
    high: np.ndarray
    by_agency: np.ndarray
    influence: np.ndarray | None


def weighted_index(
    responses: Responses,
    framework: Framework,
    method: WeightMethod | None = None,
    *,
    weights: Mapping[str, float] | None = None,
    bounds: tuple[float, float] = (0.5, 2.0),
    partial: bool = False,
    level: float = 0.95,
) -> WeightedIndex:
    """Estimate the index of a level's agencies under criterion weights.

    The index of an agency is the weighted mean of its criteria's shares of satisfied answers. Standard errors and the
    covariance between agencies are Taylor linearised under the survey's design. Weights from the framework file count
    as fixed; those estimated from this survey by loadings bring their own error with them; the most favourable
    weights are held where they are largest, so that their choice adds no first-order error (it does add a bias
    upwards, which shrinks with the number of forms). Intervals cover sampling error only.

    An agency is hidden where its default index is, or where one of its criteria or questions is: the figure would
    give the hidden one away.

    Parameters
    ----------
    responses : Responses
        Of one year.
    framework : Framework
        Its level's agencies are estimated.
    method : {"equal", "expert", "loadings", "benefit_of_doubt"}, optional
        The framework's own where none is named. "loadings" of a framework that names another method are estimated
        from this survey: squared loadings on the first principal component of people's mean answers.
    weights : mapping of a criterion to a positive number, optional
        Experts' weights, for ``method="expert"`` of a framework that has none; they need not add up to one.
    bounds : (float, float)
        For "benefit_of_doubt" of a framework without bounds: least and largest weight as multiples of the framework's.
    partial : bool
        True computes from the criteria that the form asks, their weights scaled up to one, and says so. False refuses.
    level : float
        Confidence level, strictly between 0 and 1.

    Raises
    ------
    OptionError
        If an option is outside its range, or experts' weights are asked for and there are none.
    AnalysisError
        If the form does not ask every criterion and ``partial`` is False, the file holds no agency of the level, or
        weights cannot be estimated.
    """
    check_options("share_satisfied", level)
    chosen = _method(framework, method, weights)
    cells = _cells(responses, framework, partial=partial)
    found = _weights(responses, framework, chosen, weights, bounds, cells)
    ratios = _ratios(cells, found)
    plain = index_under(cells.design, responses, components(responses), cells.agencies, level=level)
    shown = _shown(responses, cells, plain)
    decides = _decides(responses, framework, chosen, found.chosen, cells)
    index = _index(responses, framework, cells, ratios, plain, shown, method=chosen, decides=decides)
    mine = [cells.agencies.labels.index(label) for label in index.groups]
    own = np.where(shown[mine, None], found.by_agency[mine], np.nan)
    own.setflags(write=False)
    rows, covered = _listed(framework, cells, found, chosen)
    return WeightedIndex(framework, chosen, found.chosen, rows, index, plain, own, covered)


def deciding_index(
    responses: Responses, framework: Framework | None, by_agency: SatisfactionIndex | None = None
) -> SatisfactionIndex:
    """Return the index by agency on which ranks and classes of a framework's level rest.

    Parameters
    ----------
    responses : Responses
        Of one year.
    framework : Framework or None
        Names the definition; "criterion_weights" means the index under its own weights. None takes the default index.
    by_agency : SatisfactionIndex, optional
        Taken as it is where it is already of the definition.

    Raises
    ------
    OptionError
        If the framework names criterion weights but did not hold before the first answer.
    AnalysisError
        If the form does not ask every criterion that is weighed.
    """
    if framework is None:
        return by_agency or satisfaction_index(responses, "agency")
    if framework.definition == CRITERION_WEIGHTS:
        found = weighted_index(responses, framework, level=framework.confidence).index
        if not found.decides:
            raise OptionError("criterion_weights.error.decides")
        return found
    if by_agency is not None and (by_agency.definition, by_agency.level) == (
        framework.definition,
        framework.confidence,
    ):
        return by_agency
    return satisfaction_index(responses, "agency", framework.definition, level=framework.confidence)


def _method(framework: Framework, method: WeightMethod | None, weights: Mapping[str, float] | None) -> WeightMethod:
    chosen: WeightMethod = framework.weight_method if method is None else method
    if chosen not in METHODS:
        raise OptionError("criterion_weights.error.method", value=str(chosen), allowed=", ".join(METHODS))
    if weights is not None and chosen != "expert":
        raise OptionError("criterion_weights.error.given", value=chosen)
    if chosen == "expert" and weights is None and framework.weight_method != "expert":
        raise OptionError("criterion_weights.error.no_expert", file=framework.file)
    return chosen


def _cells(responses: Responses, framework: Framework, *, partial: bool) -> _Cells:
    agencies = group_rows(responses, "agency")
    if framework.level not in families_of(responses, "agency", agencies.labels):
        raise AnalysisError("criterion_weights.error.no_agency", level=framework.level)
    known = {q.id for q in responses.questionnaire.items()}
    items = {
        c.id: tuple(i.id for i in framework.items if i.criterion == c.id and i.id in known and responses.has(i.id))
        for c in framework.criteria
    }
    missing = [framework.criterion(c).name.vi for c, ids in items.items() if not ids]
    items = {c: ids for c, ids in items.items() if ids}
    if not items or (missing and not partial):
        names = "; ".join(missing[:6])
        raise AnalysisError(
            "criterion_weights.error.not_asked", n=len(missing), all=len(framework.criteria), names=names
        )
    design = prepare_design(responses)
    member = agencies.member[design.keep]
    size = len(agencies.labels)
    parts = [[a[design.keep] for a in ratio_parts(responses, ids, "share_satisfied")] for ids in items.values()]
    estimates = [ratio_influence(design.weight, top, bottom, member, size) for top, bottom, _ in parts]
    place = np.where(member < 0, size, member)
    people = [np.bincount(place, weights=bottom > 0, minlength=size + 1) for _, bottom, _ in parts]
    alike = [
        answers_agree_with_rest(responses, ids, "share_satisfied", design.keep, member, size) for ids in items.values()
    ]
    return _Cells(
        design,
        agencies,
        member,
        items,
        np.column_stack([share for share, _ in estimates]),
        np.stack([influence for _, influence in estimates], axis=2),
        np.column_stack(people),
        np.column_stack(alike),
        np.sum([answers for _, _, answers in parts], axis=0),
        np.any([bottom > 0 for _, bottom, _ in parts], axis=0),
    )


def _weights(
    responses: Responses,
    framework: Framework,
    method: WeightMethod,
    given: Mapping[str, float] | None,
    bounds: tuple[float, float],
    cells: _Cells,
) -> _Weights:
    asked = list(cells.items)
    typed = np.array([framework.criterion(c).weight for c in asked])
    own = framework.weight_method == method
    chosen, influence = "framework" if own else "data", None
    base = typed / typed.sum() if typed.sum() > 0 else np.full(len(asked), 1.0 / len(asked))
    if method == "equal":
        base, chosen = np.full(len(asked), 1.0 / len(asked)), "framework" if own else "given"
    elif method == "expert" and given is not None:
        base, chosen = _given(framework, given, asked), "given"
    elif method == "loadings" and not own:
        base, influence = _loadings(responses, framework, cells)
    low, high = np.full(len(asked), _NAN), np.full(len(asked), _NAN)
    by_agency = np.tile(base, (len(cells.agencies.labels), 1))
    if method == "benefit_of_doubt":
        low, high = _bounds(framework, asked, base, bounds, own=own)
        by_agency = favourable_weights(cells.share, low, high)
    return _Weights(chosen, base, low, high, by_agency, influence)


def _given(framework: Framework, given: Mapping[str, float], asked: list[str]) -> np.ndarray:
    known = [c.id for c in framework.criteria]
    if set(given) not in (set(known), set(asked)):
        raise OptionError("criterion_weights.error.names", allowed=", ".join(known))
    values = np.array([float(given[c]) for c in asked])
    if not (np.isfinite(values) & (values > 0)).all():
        raise OptionError("criterion_weights.error.values")
    scaled: np.ndarray = values / values.sum()
    return scaled


def _bounds(
    framework: Framework, asked: list[str], base: np.ndarray, bounds: tuple[float, float], *, own: bool
) -> tuple[np.ndarray, np.ndarray]:
    least, most = bounds
    if not (0.0 <= least <= 1.0 <= most and np.isfinite(most)):
        raise OptionError("criterion_weights.error.bounds", value=f"{least}; {most}")
    if not own:
        return least * base, np.minimum(most * base, 1.0)
    criteria = [framework.criterion(c) for c in asked]
    scale = sum(c.weight for c in criteria)
    low, high = (np.array([getattr(c, end) for c in criteria]) / scale for end in ("low", "high"))
    return low, np.minimum(high, 1.0)


def _loadings(responses: Responses, framework: Framework, cells: _Cells) -> tuple[np.ndarray, np.ndarray]:
    means = [rescaled(responses, ids).mean(axis=1).to_numpy()[cells.design.keep] for ids in cells.items.values()]
    scores = np.column_stack(means)
    families = np.array([*families_of(responses, "agency", cells.agencies.labels), ""])
    scores[families[cells.member] != framework.level] = np.nan
    try:
        return squared_loadings(scores, cells.design.weight)
    except (ValueError, np.linalg.LinAlgError) as reason:
        raise AnalysisError("criterion_weights.error.loadings") from reason


def _ratios(cells: _Cells, found: _Weights) -> Ratios:
    """Return the weighted means of the criteria's shares with their covariance over agencies."""
    estimate = (found.by_agency * cells.share).sum(axis=1)
    influence = np.einsum("igk,gk->ig", cells.influence, np.nan_to_num(found.by_agency))
    if found.influence is not None:
        influence = influence + found.influence @ np.nan_to_num(cells.share).T
    plan, size = plan_of(cells.design), len(cells.agencies.labels)
    inside = [cells.answered & (cells.member == g) for g in range(size)]
    df = np.array([degrees_of_freedom(plan, used) for used in inside])
    covariance = influence_covariance(plan, influence)
    none = ~np.isfinite(estimate) | (df < 1)
    covariance[none, :] = np.nan
    covariance[:, none] = np.nan
    effective = np.array([effective_size(cells.design.weight[used]) for used in inside])
    error = np.sqrt(np.clip(np.diag(covariance), 0.0, None))
    people = np.array([int(used.sum()) for used in inside])
    return Ratios(cells.agencies.labels, estimate, error, df, people, effective, covariance)


def _shown(responses: Responses, cells: _Cells, plain: SatisfactionIndex) -> np.ndarray:
    """Return which agencies may be shown: nothing hidden elsewhere may follow from the weighted figure."""
    hidden = np.array([r.suppressed for r in plain.rows if r.term == INDEX and r.group])
    by_criterion = suppress_table(cells.people, withheld=cells.alike, hidden=np.append(hidden, False))[:-1]
    parts = components(responses)
    whole = component_masks(cells.design, responses, parts, cells.agencies)
    by_item = item_masks(cells.design, responses, parts, cells.agencies, whole.groups)
    told = [by_item[item] for ids in cells.items.values() for item in ids if item in by_item]
    withheld = hidden | by_criterion.any(axis=1) | np.any([np.zeros_like(hidden), *told], axis=0)
    answered = np.bincount(np.where(cells.member < 0, len(hidden), cells.member), weights=cells.answered * 1.0)
    people = np.append(answered, np.zeros(len(hidden) + 1 - len(answered)))
    masked: np.ndarray = ~suppress(people, withheld=np.append(withheld, False))[:-1]
    return masked


def _decides(responses: Responses, framework: Framework, method: WeightMethod, chosen: str, cells: _Cells) -> bool:
    """True where the framework named this index and these weights before the first answer, and all of it was asked."""
    named = framework.definition == CRITERION_WEIGHTS and framework.weight_method == method and chosen == "framework"
    begin = _first_day(responses)
    in_time = bool(framework.valid_from) and bool(begin) and framework.valid_from <= begin
    return named and in_time and len(cells.items) == len(framework.criteria)


def _first_day(responses: Responses) -> str:
    """Return the first day (yyyy-mm-dd) on which an answer may have been given, "" where nothing tells."""
    if responses.has("date"):
        return str(responses.frame["date"].dropna().min())[:10]
    return f"{int(responses.frame['year'].min())}-01-01" if responses.has("year") else ""


def _index(
    responses: Responses,
    framework: Framework,
    cells: _Cells,
    ratios: Ratios,
    plain: SatisfactionIndex,
    shown: np.ndarray,
    *,
    method: WeightMethod,
    decides: bool,
) -> SatisfactionIndex:
    """Return the figures of the level's agencies; everyone together is left out: there is no such agency."""
    families = families_of(responses, "agency", cells.agencies.labels)
    mine = np.array([family == framework.level for family in families])
    answers = np.bincount(cells.member[cells.member >= 0], weights=cells.answers[cells.member >= 0])
    answers = np.append(answers, np.zeros(len(families) - len(answers)))
    definition = f"criteria_{method}"
    rows = [
        figure_row(ratios, int(k), INDEX, plain.level, not bool(shown[k]), float(answers[k]))
        for k in np.flatnonzero(mine)
    ]
    estimation = group_estimates(
        ratios.groups,
        ratios.estimate,
        ratios.covariance,
        ratios.df,
        ratios.n,
        ratios.effective,
        families=families,
        shown=shown,
    )
    return replace(
        plain,
        rows=(hidden_row(INDEX, ""), *rows),
        groups=tuple(row.group for row in rows),
        components=(),
        definition=definition,
        n=_NAN,
        estimation=estimation.only(mine & (ratios.n > 0)),
        design_effect=_NAN,
        decides=decides,
    )


def _listed(
    framework: Framework, cells: _Cells, found: _Weights, method: WeightMethod
) -> tuple[tuple[CriterionWeight, ...], float]:
    place = {criterion: k for k, criterion in enumerate(cells.items)}
    rows = []
    for criterion in framework.criteria:
        k = place.get(criterion.id)
        if k is None:
            rows.append(CriterionWeight(criterion, 0.0, _NAN, _NAN, False))
            continue
        weight = _NAN if method == "benefit_of_doubt" else float(found.base[k])
        rows.append(CriterionWeight(criterion, weight, float(found.low[k]), float(found.high[k]), True))
    return tuple(rows), sum(framework.criterion(c).weight for c in cells.items)
