"""Item screening by the rules that theses use, one item a round, every round in a log.

Screening chooses what looks good in the forms it sees, so what is left looks better there than it is: by default
the rules see one random half of the forms and everything is estimated again in the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from sipas_research.errors import OptionError
from sipas_research.factors.inputs import Data, ItemMatrix, announce, load_items, require_enough, resolve_scales
from sipas_research.factors.options import check_choice, check_count, check_seed, is_number, list_names
from sipas_research.factors.screening_result import NAN, Effect, Screening, ScreeningRound, ScreeningRule
from sipas_research.factors.screening_steps import Bench, State, check, violations
from sipas_research.numerics.correlation import is_constant
from sipas_research.numerics.extraction import METHODS
from sipas_research.numerics.factor_fit import most_factors
from sipas_research.numerics.rotation import ROTATIONS
from sipas_research.results import DataKind
from sipas_research.survey.responses import Responses

#: Bars that are usually cited for each rule; conventions, not tests. Who proposed them stands in the catalogue.
CONVENTIONS = {"item_total": 0.30, "alpha_rise": 0.0, "communality": 0.50, "loading": 0.50, "cross_loading": 0.30}
#: Rules in force unless others are asked for. "alpha_rise" takes out sound items on sampling noise alone, and
#: "communality" asks 0.71 of a loading where "loading" asks 0.5: both only on request.
USUAL_RULES = ("item_total", "loading", "cross_loading")
#: A half smaller than this, or than this many forms an item, does not carry a factor analysis of its own
#: (Hair et al. 2010: at least 100 observations, five an item).
FEWEST_HALF = 100
FORMS_PER_ITEM = 5

Rules = Iterable[str] | Mapping[str, float]


def screen_items(
    data: Data,
    scales: Mapping[str, Sequence[str]] | None = None,
    *,
    rules: Rules = USUAL_RULES,
    n_factors: int | None = None,
    method: str = "pa",
    rotation: str = "promax_spss",
    holdout: bool = True,
    fewest: int = 2,
    seed: int = 1,
    data_kind: DataKind = DataKind.USER,
) -> Screening:
    """Delete items one at a time until no rule speaks against any, and estimate the rest again elsewhere.

    First the rules of reliability ("item_total", "alpha_rise"), scale by scale; then those of factor analysis
    ("communality", "loading", "cross_loading") on all items that are left; from the start again while anything is
    deleted. Each round deletes the item that breaks the first broken rule worst. All rounds see the same forms:
    those complete on every item.

    Parameters
    ----------
    data : Responses or DataFrame
        One row a person.
    scales : mapping of str to sequence of str, optional
        By default the factors of the questionnaire (Responses only).
    rules : iterable of str, or mapping of str to float
        Names with the usual bars (:data:`CONVENTIONS`), or names with bars of your own.
    n_factors : int, optional
        Factors of the analysis; by default one a scale.
    method, rotation : str
        As in :func:`sipas_research.factors.efa.efa`. By default principal axes and SPSS's promax, for which
        Gerbing & Anderson (1988) are cited.
    holdout : bool
        Screen one random half and estimate again in the other. Where the halves would be too small the whole sample
        serves for both, and every result says so.
    fewest : int
        A scale is never left with fewer items than this; the log then has a line "kept".
    seed : int
        Of the split.
    data_kind : DataKind
        Kind of a DataFrame; Responses know their own.

    Returns
    -------
    Screening

    Raises
    ------
    OptionError
        If a rule is unknown, a bar is no number, or there are no scales.
    AnalysisError
        If an item is unknown, stands in two scales or is not numeric, or there are too few items or rows.

    Warns
    -----
    DroppedItemWarning, DroppedRowsWarning

    References
    ----------
    Nunnally & Bernstein (1994). Hair, Black, Babin & Anderson (2010). Jabnoun & Al-Tamimi (2003), IJQRM 20,
    458-472. MacCallum, Roznowski & Necowitz (1992), Psychological Bulletin 111, 490-504, on chance in such searches.
    """
    chosen = _rules(rules)
    check_count("fewest", fewest, 1)
    check_seed(seed)
    check_choice("method", method, METHODS)
    check_choice("rotation", rotation, ROTATIONS)
    if n_factors is not None:
        check_count("n_factors", n_factors, 1)
    if scales is None and isinstance(data, Responses):
        scales = data.scale_items("factor") or data.scale_items("lever")
    if not isinstance(scales, Mapping) or not scales:
        raise OptionError("factors.error.no_scales")
    members = resolve_scales(data, scales)
    matrix = load_items(data, [item for items in members.values() for item in items], data_kind)
    require_enough(matrix, data)
    announce(matrix, stacklevel=3)
    of_item = {item: name for name, items in members.items() for item in items}
    seen, unseen, note = _split(matrix, holdout=holdout, seed=seed)
    lines = [_entry(item, of_item[item], key) for item, key in matrix.left_out]
    empty = is_constant(matrix.values[seen])
    lines += [
        _entry(i, of_item[i], "factors.note.constant_item") for i, gone in zip(matrix.items, empty, strict=True) if gone
    ]
    start = {i: of_item[i] for i, gone in zip(matrix.items, empty, strict=True) if not gone}
    factors = len(set(start.values())) if n_factors is None else n_factors
    bench = Bench(matrix, factors, method, rotation)
    state = _run(State(bench, seen, start), chosen, fewest, lines)
    whole = "screening" if unseen is not None else "same"
    seen_check = check(bench, seen, state.owners, whole)
    return Screening(
        rules=chosen,
        rounds=tuple(lines),
        before=check(bench, seen, start, whole),
        seen=seen_check,
        after=seen_check if unseen is None else check(bench, unseen, state.owners, "holdout"),
        kept=tuple(state.scales().items()),
        n_factors=factors,
        method=method,
        rotation=rotation,
        n=matrix.n,
        n_dropped=matrix.n_dropped,
        note=note,
        data_kind=matrix.data_kind,
    )


def _rules(rules: Rules) -> tuple[ScreeningRule, ...]:
    named = list(rules) if isinstance(rules, Mapping) else list_names(rules)
    for name in named:
        if name not in CONVENTIONS:
            raise OptionError("factors.error.option", name="rules", received=str(name), allowed=", ".join(CONVENTIONS))
    bars = dict(rules) if isinstance(rules, Mapping) else {name: CONVENTIONS[name] for name in named}
    for name, bar in bars.items():
        if not is_number(bar) or not -1 <= bar <= 1:
            raise OptionError("screening.error.bar", rule=name, received=str(bar))
    # in the order of the steps, however they were named
    return tuple(ScreeningRule(name, float(bars[name])) for name in CONVENTIONS if name in bars)


def _split(matrix: ItemMatrix, *, holdout: bool, seed: int) -> tuple[np.ndarray, np.ndarray | None, str]:
    """Return the rows that the rules see, the others, and the catalogue key of why there are none."""
    everyone = np.arange(matrix.n)
    if not holdout:
        return everyone, None, "screening.note.same_asked"
    half = matrix.n // 2
    if half < max(FEWEST_HALF, FORMS_PER_ITEM * len(matrix.items)):
        return everyone, None, "screening.note.same_small"
    # rows are put into an order of their own first: a file with shuffled rows or columns is split alike
    ordered = np.lexsort(matrix.values[:, np.argsort(matrix.items)].T)
    drawn = np.random.default_rng(seed).permutation(matrix.n)
    return np.sort(ordered[drawn[: matrix.n - half]]), np.sort(ordered[drawn[matrix.n - half :]]), ""


def _entry(item: str, scale: str, key: str) -> ScreeningRound:
    nothing = Effect(NAN)
    return ScreeningRound(0, "entry", "", item, scale, NAN, NAN, "deleted", nothing, nothing, key)


def _run(state: State, rules: tuple[ScreeningRule, ...], fewest: int, lines: list[ScreeningRound]) -> State:
    """Delete until no rule speaks; append to ``lines`` what happened."""
    spared: frozenset[tuple[str, str]] = frozenset()
    while True:
        found = next((v for v in violations(state, rules) if (v.rule.name, v.item) not in spared), None)
        if found is None:
            break
        scale = state.owners[found.item]
        before = state.effect(scale)
        short = len(state.scales()[scale]) <= fewest
        if short:
            spared |= {(found.rule.name, found.item)}
        else:
            state = state.without(found.item)
        lines.append(
            ScreeningRound(
                round=1 + sum(line.round > 0 for line in lines),
                step=found.step,
                rule=found.rule.name,
                item=found.item,
                scale=scale,
                value=found.value,
                bar=found.rule.bar,
                action="kept" if short else "deleted",
                before=before,
                after=before if short else state.effect(scale),
                note="screening.note.too_short" if short else "",
            )
        )
    if state.solution is None and any(rule.name in {"communality", "loading", "cross_loading"} for rule in rules):
        nothing = Effect(NAN)
        many = state.bench.n_factors > most_factors(len(state.owners))
        key = "screening.note.too_few_for_factors" if many else "screening.note.no_factors"
        last = 1 + sum(line.round > 0 for line in lines)
        lines.append(ScreeningRound(last, "factors", "", "", "", NAN, NAN, "stopped", nothing, nothing, key))
    return state
