"""From syntax to the parameter table: what the user wrote, and what the conventions of lavaan's ``sem`` add.

Added are: one fixed loading a latent variable (or its variance under ``std_lv``), residual variances, covariances
among latent variables that nothing explains and among outcomes that explain nothing, intercepts where means are
modelled, and the sample's moments of observed predictors (fixed.x). Rosseel (2012), Journal of Statistical
Software 48(2).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sipas_research.errors import AnalysisError
from sipas_research.sem.numbering import Draft, Key, modifier, numbered
from sipas_research.sem.options import FitOptions
from sipas_research.sem.ordinal_table import released_item, with_thresholds
from sipas_research.sem.parameter_table import ParameterTable
from sipas_research.sem.syntax import ModelSyntax, Term, model_error


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


def build_table(
    syntax: ModelSyntax, groups: Sequence[str], options: FitOptions, categories: Mapping[str, int] | None = None
) -> ParameterTable:
    """Return the parameter table of a model in some groups.

    ``categories``: how many categories each ordered item has; without it the table has no thresholds yet.

    Raises
    ------
    ModelSyntaxError
        If a modifier has the wrong number of values for the groups, or a row is given twice with different meaning.
    AnalysisError
        If the model has no observed variable or the groups differ in their observed variables.
    """
    _require_one_level(syntax, options)
    several = any(block.group for block in syntax.blocks)
    templates: list[tuple[Roles, list[Draft]]] = []
    for number in range(len(groups)):
        if templates and not several:
            templates.append(templates[0])
            continue
        terms = _terms_of(syntax, number, groups)
        if categories is None:
            terms = [term for term in terms if term.op not in ("|", "~*~")]
        found = roles(terms, fixed_x=options.fixed_x)
        if not found.observed:
            raise AnalysisError("sem.error.no_observed")
        drafts = _template(terms, found, options, syntax)
        if categories is not None:
            drafts = with_thresholds(drafts, categories, options, syntax)
        templates.append((found, drafts))
    first = templates[0][0]
    if any(set(each.observed) != set(first.observed) for each, _ in templates):
        raise AnalysisError("sem.error.groups_differ")
    for each, _ in templates:
        differ = (set(each.latents) ^ set(first.latents)) | (set(each.sources) ^ set(first.sources))
        if differ:
            raise AnalysisError("sem.error.blocks_differ", names=", ".join(sorted(differ)))
    known = categories or {}
    drafts = [_in_group(d, g, len(groups), syntax, options, known) for g, (_, ds) in enumerate(templates) for d in ds]
    rows, size = numbered(drafts, options, syntax, len(groups), first.sources)
    constraints = tuple(c for c in syntax.constraints if c.op != ":=")
    definitions = tuple(c for c in syntax.constraints if c.op == ":=")
    return ParameterTable(
        rows, first.observed, first.latents, first.predictors, tuple(groups), constraints, definitions, size,
        options.meanstructure, syntax, first.sources,
    )  # fmt: skip


def _require_one_level(syntax: ModelSyntax, options: FitOptions) -> None:
    if any(block.level > 0 for block in syntax.blocks):
        raise AnalysisError("sem.error.levels")
    for term in syntax.terms:
        if term.op in ("|", "~*~") and not options.categorical:
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


def _template(terms: Sequence[Term], found: Roles, options: FitOptions, syntax: ModelSyntax) -> list[Draft]:
    """Return the rows of one group: written ones first, then those added by rule."""
    written: dict[Key, Draft] = {}
    mirrored: set[Key] = set()
    for term in terms:
        key = (term.lhs, term.op, term.rhs)
        if key in written or key in mirrored:
            raise model_error(
                "sem.error.twice", syntax.text, term.line, term.column, row=f"{term.lhs} {term.op} {term.rhs}".strip()
            )
        written[key] = Draft(key, False, np.nan, False, term)
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


def _unit(row: Draft, found: Roles) -> Draft:
    """Fix a latent variance at one."""
    lhs, op, rhs = row.key
    return row._replace(fixed=True, value=1.0) if op == "~~" and lhs == rhs and lhs in found.latents else row


def _scale(written: dict[Key, Draft], found: Roles, options: FitOptions) -> None:
    """Fix the first loading of each latent variable at one."""
    if options.std_lv:
        return
    seen: set[str] = set()
    for key, row in written.items():
        if key[1] == "=~" and key[0] not in seen:
            seen.add(key[0])
            written[key] = row._replace(fixed=True, value=1.0)


def _variances(found: Roles, options: FitOptions, taken: set[Key], terms: Sequence[Term]) -> list[Draft]:
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
            rows.append(Draft(key, alone, 0.0 if alone else np.nan, False, None))
    return rows


def _covariances(found: Roles, options: FitOptions, taken: set[Key]) -> list[Draft]:
    pairs = [*combinations(found.free_latents, 2), *combinations(found.outcomes, 2)]
    rows = []
    for left, right in pairs:
        key = (left, "~~", right)
        if key not in taken:
            zero = options.orthogonal and left in found.latents and right in found.latents
            rows.append(Draft(key, zero, 0.0 if zero else np.nan, False, None))
    if not options.fixed_x:
        among = [(left, "~~", right) for left, right in combinations(found.sources, 2)]
        rows += [Draft(key, False, np.nan, False, None) for key in among if key not in taken]
    return rows


def _predictor_moments(found: Roles, taken: set[Key]) -> list[Draft]:
    names = found.predictors
    pairs = [(left, "~~", right) for k, left in enumerate(names) for right in names[k:]]
    return [Draft(key, True, np.nan, True, None) for key in pairs if key not in taken]


def _intercepts(found: Roles, taken: set[Key]) -> list[Draft]:
    rows = []
    for name in (*found.observed, *found.latents):
        key = (name, "~1", "")
        if key in taken:
            continue
        if name in found.predictors:
            rows.append(Draft(key, True, np.nan, True, None))
        elif name in found.latents:
            rows.append(Draft(key, True, 0.0, False, None))
        else:
            rows.append(Draft(key, False, np.nan, False, None))
    return rows


def _in_group(
    draft: Draft, group: int, groups: int, syntax: ModelSyntax, options: FitOptions, categories: Mapping[str, int]
) -> Draft:
    """Return the row of one group, with the modifiers that hold there."""
    if group > 0 and draft.fixed and _released(draft, options, syntax.latents, categories):
        draft = draft._replace(fixed=False, value=np.nan, exogenous=False)
    key, fixed, value, exogenous, term = draft[:5]
    if term is None or not (term.fixed or term.start or term.labels):
        return draft if group == 0 else draft._replace(group=group)
    given = modifier(term, term.fixed, group, groups, syntax)
    if given is not None:
        fixed, value = not np.isnan(given), float(given)
    start = modifier(term, term.start, group, groups, syntax)
    if start is not None and not fixed:
        value = float(start)
    label = modifier(term, term.labels, group, groups, syntax) or ""
    return Draft(key, fixed, value, exogenous, term, group, label)


def _released(row: Draft, options: FitOptions, latents: Sequence[str], categories: Mapping[str, int]) -> bool:
    """Return whether an equality across groups makes a fixed row estimable in the later groups.

    Equal intercepts or thresholds free latent means, equal loadings latent variances. For ordered items see
    :func:`.ordinal_table.released_item`.
    """
    lhs, op, rhs = row.key
    equal = options.group_equal
    if lhs in categories:
        return released_item(row, options, categories[lhs])
    if lhs not in latents:
        return False
    if op == "~1":
        from_thresholds = "thresholds" in equal and options.identification == "lavaan"
        return row.term is None and ("intercepts" in equal or from_thresholds) and "means" not in equal
    standard = op == "~~" and lhs == rhs and options.std_lv
    return standard and "loadings" in equal and "lv_variances" not in equal
