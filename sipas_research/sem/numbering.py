"""Rows of the parameter table before and while their free parameters are numbered: what is one parameter, what many."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from sipas_research.errors import AnalysisError
from sipas_research.sem.options import FitOptions
from sipas_research.sem.parameter_table import FIXED, Row
from sipas_research.sem.syntax import ModelSyntax, Term, model_error, near_names

_Value = TypeVar("_Value")
Key = tuple[str, str, str]


class Draft(NamedTuple):
    """A row before free parameters are numbered."""

    key: Key
    fixed: bool
    value: float
    exogenous: bool
    term: Term | None
    group: int = 0
    label: str = ""


def modifier(term: Term, values: tuple[_Value, ...], group: int, groups: int, syntax: ModelSyntax) -> _Value | None:
    """Return what a modifier says in one group; None where none was given."""
    if not values:
        return None
    if len(values) == 1:
        return values[0]
    if len(values) != groups:
        raise model_error(
            "sem.error.modifier_count", syntax.text, term.line, term.column, count=len(values), groups=groups
        )
    return values[group]


def numbered(
    drafts: list[Draft], options: FitOptions, syntax: ModelSyntax, groups: int, sources: tuple[str, ...]
) -> tuple[tuple[Row, ...], int]:
    """Number the free parameters: rows with one label, or held equal across groups, share a number."""
    same = _Classes(len(drafts))
    by_label: dict[str, int] = {}
    by_key: dict[tuple[int, str], int] = {}
    for k, draft in enumerate(drafts):
        if draft.label:
            same.join(by_label.setdefault(draft.label, k), k)
    linked = groups > 1 and options.group_equal
    if linked or any(draft.term is not None and draft.term.equal for draft in drafts):
        by_key = {(draft.group, "".join(draft.key)): k for k, draft in enumerate(drafts)}
        _join_written(drafts, by_key, same, syntax)
    if linked:
        _join_groups(drafts, by_key, same, options, sources)
    fixed_class: dict[int, float] = {}
    for k, draft in enumerate(drafts):
        if draft.fixed and not draft.exogenous:
            fixed_class.setdefault(same.root(k), draft.value)
    numbers: dict[int, int] = {}
    rows = []
    for k, draft in enumerate(drafts):
        root = same.root(k)
        if draft.exogenous or root in fixed_class:
            value = draft.value if draft.fixed else fixed_class[root]
            rows.append(
                Row(*draft.key, draft.group, FIXED, value, draft.label, draft.exogenous, draft.term is not None)
            )
            continue
        free = numbers.setdefault(root, len(numbers))
        rows.append(Row(*draft.key, draft.group, free, draft.value, draft.label, False, draft.term is not None))
    return tuple(rows), len(numbers)


class _Classes:
    """Which rows are equal: a forest of parents."""

    __slots__ = ("parent",)

    def __init__(self, size: int) -> None:
        self.parent = list(range(size))

    def root(self, k: int) -> int:
        while self.parent[k] != k:
            k = self.parent[k]
        return k

    def join(self, left: int, right: int) -> None:
        a, b = self.root(left), self.root(right)
        self.parent[max(a, b)] = min(a, b)


def _join_written(drafts: list[Draft], by_key: dict[tuple[int, str], int], same: _Classes, syntax: ModelSyntax) -> None:
    """Follow ``equal("f=~x1")`` to the row it names."""
    for k, draft in enumerate(drafts):
        if draft.term is None or not draft.term.equal:
            continue
        names = draft.term.equal
        name = names[0] if len(names) == 1 else names[min(draft.group, len(names) - 1)]
        if not name:
            continue
        target = by_key.get((draft.group, name))
        if target is None:
            known = [key for group, key in by_key if group == draft.group]
            near = ", ".join(near_names(name, known)) or "-"
            raise model_error(
                "sem.error.equal_target", syntax.text, draft.term.line, draft.term.column, name=name, near=near
            )
        same.join(target, k)


def _join_groups(
    drafts: list[Draft], by_key: dict[tuple[int, str], int], same: _Classes, options: FitOptions,
    sources: tuple[str, ...],
) -> None:  # fmt: skip
    """Hold rows equal to those of the first group: fixed in one group is fixed in all.

    Moments of observed predictors stay each group's own.
    """
    latents = {draft.key[0] for draft in drafts if draft.key[1] == "=~"}
    partial = set(options.group_partial)
    mirrors = {f"{draft.key[2]}~~{draft.key[0]}" for draft in drafts if draft.key[1] == "~~"}
    unknown = partial - {key for _, key in by_key} - mirrors
    pending = options.categorical and all(draft.key[1] != "|" for draft in drafts)  # thresholds are still to come
    if unknown and not pending:
        known = sorted({key for _, key in by_key})
        first = sorted(unknown)[0]
        near = ", ".join(near_names(first, known)) or "-"
        raise AnalysisError("sem.error.partial", name=first, near=near)
    for k, draft in enumerate(drafts):
        moment = draft.key[1] in ("~~", "~1")
        if draft.group == 0 or draft.exogenous or draft.label or (moment and draft.key[0] in sources):
            continue
        name = "".join(draft.key)
        mirrored = f"{draft.key[2]}{draft.key[1]}{draft.key[0]}"
        if _family(draft.key, latents) not in options.group_equal or name in partial or mirrored in partial:
            continue
        first_row = by_key.get((0, name))
        if first_row is not None:
            same.join(first_row, k)


def _family(key: Key, latents: set[str]) -> str:
    lhs, op, rhs = key
    if op in ("|", "~*~"):
        return "thresholds" if op == "|" else ""
    if op == "=~":
        return "loadings"
    if op == "~":
        return "regressions"
    if op == "~1":
        return "means" if lhs in latents else "intercepts"
    if lhs in latents and rhs in latents:
        return "lv_variances" if lhs == rhs else "lv_covariances"
    return "residuals" if lhs == rhs else "residual_covariances"
