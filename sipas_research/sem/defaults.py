"""From syntax to the parameter table: what the user wrote, and what the conventions of lavaan's ``sem`` add.

Added are: one fixed loading a latent variable (or its variance under ``std_lv``), residual variances, covariances
among latent variables that nothing explains and among outcomes that explain nothing, intercepts where means are
modelled, and the sample's moments of observed predictors (fixed.x). Rosseel (2012), Journal of Statistical
Software 48(2).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple, TypeVar

import numpy as np

from sipas_research.errors import AnalysisError
from sipas_research.sem.options import FitOptions
from sipas_research.sem.parameter_table import FIXED, ParameterTable, Row
from sipas_research.sem.syntax import ModelSyntax, Term, model_error, near_names

_Value = TypeVar("_Value")
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Roles:
    """What each variable does in the model of one group."""

    latents: tuple[str, ...]
    observed: tuple[str, ...]
    predictors: tuple[str, ...]
    sources: tuple[str, ...]
    free_latents: tuple[str, ...]
    outcomes: tuple[str, ...]
    indicators: tuple[str, ...]


def roles(terms: Sequence[Term], *, fixed_x: bool = True) -> Roles:
    """Return what each variable of some terms does."""
    latents = dict.fromkeys(t.lhs for t in terms if t.op == "=~")
    indicators = dict.fromkeys(t.rhs for t in terms if t.op == "=~")
    explained = dict.fromkeys(t.lhs for t in terms if t.op == "~")
    explaining = dict.fromkeys(t.rhs for t in terms if t.op == "~")
    own = [name for name in indicators if name not in latents]
    own += [name for name in explained if name not in latents and name not in indicators]
    known = {*own, *latents}
    outside = [name for name in explaining if name not in known]
    known.update(outside)
    rest = dict.fromkeys(
        name for t in terms if t.op in ("~~", "~1") for name in (t.lhs, t.rhs) if name and name not in known
    )
    mentioned = {name for t in terms if t.op in ("~~", "~1") for name in (t.lhs, t.rhs)}
    sources = tuple(name for name in outside if name not in mentioned)
    last = [name for name in explained if name not in indicators and name not in explaining]
    return Roles(
        tuple(latents),
        (*own, *outside, *rest),
        sources if fixed_x else (),
        sources,
        tuple(name for name in latents if name not in indicators and name not in explained),
        (*(n for n in latents if n in last), *(n for n in last if n not in latents)),
        tuple(indicators),
    )


def build_table(syntax: ModelSyntax, groups: Sequence[str], options: FitOptions) -> ParameterTable:
    """Return the parameter table of a model in some groups.

    Raises
    ------
    ModelSyntaxError
        If a modifier has the wrong number of values for the groups, or a row is given twice with different meaning.
    AnalysisError
        If the model has no observed variable or the groups differ in their observed variables.
    """
    _require_one_level(syntax)
    several = any(block.group for block in syntax.blocks)
    templates: list[tuple[Roles, list[_Draft]]] = []
    for number in range(len(groups)):
        if templates and not several:
            templates.append(templates[0])
            continue
        terms = _terms_of(syntax, number, groups)
        found = roles(terms, fixed_x=options.fixed_x)
        if not found.observed:
            raise AnalysisError("sem.error.no_observed")
        templates.append((found, _template(terms, found, options, syntax)))
    first = templates[0][0]
    if any(set(each.observed) != set(first.observed) for each, _ in templates):
        raise AnalysisError("sem.error.groups_differ")
    for each, _ in templates:
        differ = (set(each.latents) ^ set(first.latents)) | (set(each.sources) ^ set(first.sources))
        if differ:
            raise AnalysisError("sem.error.blocks_differ", names=", ".join(sorted(differ)))
    drafts = [_in_group(d, g, len(groups), syntax, options) for g, (_, ds) in enumerate(templates) for d in ds]
    rows, size = _numbered(drafts, options, syntax, len(groups), first.sources)
    constraints = tuple(c for c in syntax.constraints if c.op != ":=")
    definitions = tuple(c for c in syntax.constraints if c.op == ":=")
    return ParameterTable(
        rows, first.observed, first.latents, first.predictors, tuple(groups), constraints, definitions, size,
        options.meanstructure, syntax, first.sources,
    )  # fmt: skip


def _require_one_level(syntax: ModelSyntax) -> None:
    if any(block.level > 0 for block in syntax.blocks):
        raise AnalysisError("sem.error.levels")
    for term in syntax.terms:
        if term.op in ("|", "~*~"):
            raise model_error("sem.error.ordered", syntax.text, term.line, term.column, op=term.op)


def _terms_of(syntax: ModelSyntax, number: int, groups: Sequence[str]) -> list[Term]:
    """Return the terms of one group: ``group:`` blocks name all groups by label, or all by number from 1."""
    named = {block.group for block in syntax.blocks if block.group}
    if named and len(named) != len(groups):
        raise AnalysisError("sem.error.block_count", blocks=len(named), groups=len(groups))
    labels = [unicodedata.normalize("NFC", label) for label in groups]
    if named and not named & set(labels):
        labels = [str(k + 1) for k in range(len(groups))]
    strange = sorted(named - set(labels))
    if strange:
        raise AnalysisError("sem.error.unknown_block", name=strange[0], known=", ".join(groups))
    wanted = {k for k, block in enumerate(syntax.blocks) if block.group in ("", labels[number])}
    return [term for term in syntax.terms if term.block in wanted]


class _Draft(NamedTuple):
    """A row before free parameters are numbered."""

    key: Key
    fixed: bool
    value: float
    exogenous: bool
    term: Term | None
    group: int = 0
    label: str = ""


def _template(terms: Sequence[Term], found: Roles, options: FitOptions, syntax: ModelSyntax) -> list[_Draft]:
    """Return the rows of one group: written ones first, then those added by rule."""
    written: dict[Key, _Draft] = {}
    mirrored: set[Key] = set()
    for term in terms:
        key = (term.lhs, term.op, term.rhs)
        if key in written or key in mirrored:
            raise model_error(
                "sem.error.twice", syntax.text, term.line, term.column, row=f"{term.lhs} {term.op} {term.rhs}".strip()
            )
        written[key] = _Draft(key, False, np.nan, False, term)
        if term.op == "~~":
            mirrored.add((term.rhs, "~~", term.lhs))
    _scale(written, found, options)
    rows = list(written.values())
    taken = written.keys() | mirrored
    rows += _variances(found, options, taken, terms)
    rows += _covariances(found, options, taken)
    rows += _predictor_moments(found, taken)
    if options.meanstructure:
        rows += _intercepts(found, taken)
    return [_unit(row, found) for row in rows] if options.std_lv else rows


def _unit(row: _Draft, found: Roles) -> _Draft:
    """Fix a latent variance at one."""
    lhs, op, rhs = row.key
    return row._replace(fixed=True, value=1.0) if op == "~~" and lhs == rhs and lhs in found.latents else row


def _scale(written: dict[Key, _Draft], found: Roles, options: FitOptions) -> None:
    """Fix the first loading of each latent variable at one."""
    if options.std_lv:
        return
    seen: set[str] = set()
    for key, row in written.items():
        if key[1] == "=~" and key[0] not in seen:
            seen.add(key[0])
            written[key] = row._replace(fixed=True, value=1.0)


def _variances(found: Roles, options: FitOptions, taken: set[Key], terms: Sequence[Term]) -> list[_Draft]:
    loadings: dict[str, list[str]] = {}
    for term in terms:
        if term.op == "=~":
            loadings.setdefault(term.lhs, []).append(term.rhs)
    counts: dict[str, int] = {}
    for items in loadings.values():
        for item in items:
            counts[item] = counts.get(item, 0) + 1
    single = {items[0] for items in loadings.values() if len(items) == 1 and counts[items[0]] == 1}
    rows = []
    for name in (*found.observed, *found.latents):
        key = (name, "~~", name)
        if key not in taken and name not in found.predictors:
            alone = name in single
            rows.append(_Draft(key, alone, 0.0 if alone else np.nan, False, None))
    return rows


def _covariances(found: Roles, options: FitOptions, taken: set[Key]) -> list[_Draft]:
    pairs = [*combinations(found.free_latents, 2), *combinations(found.outcomes, 2)]
    rows = []
    for left, right in pairs:
        key = (left, "~~", right)
        if key not in taken:
            zero = options.orthogonal and left in found.latents and right in found.latents
            rows.append(_Draft(key, zero, 0.0 if zero else np.nan, False, None))
    if not options.fixed_x:
        among = [(left, "~~", right) for left, right in combinations(found.sources, 2)]
        rows += [_Draft(key, False, np.nan, False, None) for key in among if key not in taken]
    return rows


def _predictor_moments(found: Roles, taken: set[Key]) -> list[_Draft]:
    names = found.predictors
    pairs = [(left, "~~", right) for k, left in enumerate(names) for right in names[k:]]
    return [_Draft(key, True, np.nan, True, None) for key in pairs if key not in taken]


def _intercepts(found: Roles, taken: set[Key]) -> list[_Draft]:
    rows = []
    for name in (*found.observed, *found.latents):
        key = (name, "~1", "")
        if key in taken:
            continue
        if name in found.predictors:
            rows.append(_Draft(key, True, np.nan, True, None))
        elif name in found.latents:
            rows.append(_Draft(key, True, 0.0, False, None))
        else:
            rows.append(_Draft(key, False, np.nan, False, None))
    return rows


def _in_group(draft: _Draft, group: int, groups: int, syntax: ModelSyntax, options: FitOptions) -> _Draft:
    """Return the row of one group, with the modifiers that hold there."""
    key, fixed, value, exogenous, term = draft[:5]
    if group > 0 and fixed and key[0] in syntax.latents and _released(draft, options):
        fixed, value = False, np.nan
    if term is None:
        return _Draft(key, fixed, value, exogenous, None, group)
    given = _modifier(term, term.fixed, group, groups, syntax)
    if given is not None:
        fixed, value = not np.isnan(given), float(given)
    start = _modifier(term, term.start, group, groups, syntax)
    if start is not None and not fixed:
        value = float(start)
    label = _modifier(term, term.labels, group, groups, syntax) or ""
    return _Draft(key, fixed, value, exogenous, term, group, label)


def _released(row: _Draft, options: FitOptions) -> bool:
    """Return whether an equality across groups makes a latent mean or variance estimable in the later groups."""
    lhs, op, rhs = row.key
    equal = options.group_equal
    if op == "~1":
        return row.term is None and "intercepts" in equal and "means" not in equal
    standard = op == "~~" and lhs == rhs and options.std_lv
    return standard and "loadings" in equal and "lv_variances" not in equal


def _modifier(term: Term, values: tuple[_Value, ...], group: int, groups: int, syntax: ModelSyntax) -> _Value | None:
    if not values:
        return None
    if len(values) == 1:
        return values[0]
    if len(values) != groups:
        raise model_error(
            "sem.error.modifier_count", syntax.text, term.line, term.column, count=len(values), groups=groups
        )
    return values[group]


def _numbered(
    drafts: list[_Draft], options: FitOptions, syntax: ModelSyntax, groups: int, sources: tuple[str, ...]
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


def _join_written(
    drafts: list[_Draft], by_key: dict[tuple[int, str], int], same: _Classes, syntax: ModelSyntax
) -> None:
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
    drafts: list[_Draft], by_key: dict[tuple[int, str], int], same: _Classes, options: FitOptions,
    sources: tuple[str, ...],
) -> None:  # fmt: skip
    """Hold rows equal to those of the first group: fixed in one group is fixed in all.

    Moments of observed predictors stay each group's own.
    """
    latents = {draft.key[0] for draft in drafts if draft.key[1] == "=~"}
    partial = set(options.group_partial)
    unknown = partial - {key for _, key in by_key}
    if unknown:
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
    if op == "=~":
        return "loadings"
    if op == "~":
        return "regressions"
    if op == "~1":
        return "means" if lhs in latents else "intercepts"
    if lhs in latents and rhs in latents:
        return "lv_variances" if lhs == rhs else "lv_covariances"
    return "residuals" if lhs == rhs else "residual_covariances"
