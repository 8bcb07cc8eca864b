"""A model refitted with a method factor, unmeasured or measured by a marker: how far its coefficients move."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sipas_research.errors import AnalysisError, OptionError, SipasWarning
from sipas_research.factors.inputs import too_few_people
from sipas_research.factors.method_factor_result import (
    BASELINE,
    CFA,
    EQUAL,
    FREE,
    NAN,
    RESTRICTED,
    Coefficient,
    MethodFactor,
    Variant,
    VariantTest,
)
from sipas_research.factors.options import list_names
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.results import DataKind
from sipas_research.sem.comparison import compare
from sipas_research.sem.estimate import fit_table, sem
from sipas_research.sem.parameter_table import FIXED, ParameterTable
from sipas_research.sem.result import SemFit
from sipas_research.sem.sampling import Data
from sipas_research.sem.syntax import ModelSyntax, parse_model

#: The level at which free method loadings are preferred to equal ones.
_LEVEL = 0.05
_IMPROPER = {"sem.warning.heywood", "sem.warning.negative_variance", "sem.warning.not_positive_definite"}


def method_factor(
    model: str,
    data: Data,
    *,
    marker: Sequence[str] = (),
    items: Sequence[str] | None = None,
    estimator: str = "ML",
    data_kind: DataKind = DataKind.USER,
) -> MethodFactor:
    """Refit a model with a method factor, as a sensitivity analysis; its coefficients are never corrected estimates.

    Without a marker: the baseline model, then an unmeasured factor, uncorrelated with the others, on which all items
    load equally, then freely. With a marker (items that theory ties to none of the factors), the sequence of Williams,
    Hartman & Cavazotte (2010): all factors correlated; baseline, with the marker uncorrelated and its own loadings and
    error variances kept from there; equal and free loadings of the items on the marker; and the better of these with
    the coefficients among the factors kept at the baseline's values. Factors have variance one. Each variant is
    tested against the one it is nested in.

    Parameters
    ----------
    model : str
        The model without the method factor, in lavaan's language; one group.
    data : Responses, DataFrame or Moments
        As in :func:`sipas_research.sem.estimate.sem`.
    marker : sequence of str
        Items of the marker, at least two; none for an unmeasured factor.
    items : sequence of str, optional
        Items that bear method loadings; by default all indicators of the model.
    estimator : str
        As in :func:`sipas_research.sem.estimate.sem`.
    data_kind : DataKind
        Kind of a DataFrame.

    Returns
    -------
    MethodFactor
        A variant that cannot be estimated, does not converge or is not identified is named and not compared.

    Raises
    ------
    OptionError
        If marker or items do not fit the model.
    AnalysisError
        If the model has fewer than two factors, or the first variant cannot be estimated.

    References
    ----------
    Williams, Hartman & Cavazotte (2010), Organ. Res. Methods 13, 477-514. Podsakoff, MacKenzie, Lee & Podsakoff
    (2003), J. Appl. Psychol. 88, 879-903. Chin, Thatcher & Wright (2012), MIS Quarterly 36, 1003-1019.
    """
    plan = _plan(model, _normalised(marker), None if items is None else _normalised(items))
    first = sem(plan.opening, data, estimator=estimator, std_lv=True, data_kind=data_kind)
    if too_few_people(data, first.n):
        raise AnalysisError("factors.error.few_people", minimum=MINIMUM_CELL)
    lead = CFA if plan.marker else BASELINE
    fits: dict[str, SemFit | None] = {lead: first}
    base = plan.opening if lead == BASELINE else plan.fixed_marker(first)
    texts = {BASELINE: base, EQUAL: base + plan.loadings(equal=True), FREE: base + plan.loadings(equal=False)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SipasWarning)  # troubles stand in the result, rows were told of above
        for name, text in texts.items():
            if name not in fits:
                fits[name] = _fitted(text, data, estimator, data_kind)
        variants = [_variant(name, fit, plan) for name, fit in fits.items()]
        known = {variant.name: variant for variant in variants}
        tests = [_test(EQUAL, known[BASELINE], known[EQUAL]), _test(FREE, known[EQUAL], known[FREE])]
        chosen = ""
        if plan.marker:
            chosen = _chosen(known, tests[1])
            kept = known[chosen].fit if chosen else None
            last = _variant(RESTRICTED, _restricted(kept, known[BASELINE].fit, plan), plan)
            variants.append(last)
            tests.append(_test(RESTRICTED, last, known[chosen or EQUAL]))
    last_note = "common_method.note.marker" if plan.marker else "common_method.note.unmeasured"
    return MethodFactor(
        "marker" if plan.marker else "unmeasured", plan.marker, plan.items, tuple(variants), tuple(tests), chosen,
        _coefficients(variants, plan), first.n, ("common_method.note.sensitivity", last_note), first.data_kind,
    )  # fmt: skip


def _normalised(names: object) -> tuple[str, ...]:
    """Return names as the language of models has them: equal up to Unicode normalisation is equal."""
    return tuple(unicodedata.normalize("NFC", str(name)) for name in list_names(names))


@dataclass(frozen=True, slots=True)
class _Plan:
    """Texts of the variants."""

    opening: str
    marker: tuple[str, ...]
    items: tuple[str, ...]
    latents: tuple[str, ...]
    sources: tuple[str, ...]
    name: str
    label: str

    def apart(self) -> str:
        """Keep the method factor uncorrelated with the factors that nothing explains."""
        return "".join(f"\n{self.name} ~~ 0*{latent}" for latent in self.sources)

    def loadings(self, *, equal: bool) -> str:
        """Let the items load on the method factor."""
        label = f"{self.label}*" if equal else ""
        text = f"\n{self.name} =~ " + " + ".join(f"{label}{item}" for item in self.items)
        return text if self.marker else text + self.apart()

    def fixed_marker(self, fit: SemFit) -> str:
        """Keep the marker's loadings and error variances, and set it apart from the factors."""
        values = dict(zip([(r.lhs, r.op, r.rhs) for r in fit.table.rows], fit.values.tolist(), strict=True))
        own = " + ".join(f"{values[self.name, '=~', item]!r}*{item}" for item in self.marker)
        errors = "".join(f"\n{item} ~~ {values[item, '~~', item]!r}*{item}" for item in self.marker)
        model = self.opening.rsplit("\n", 1)[0]
        return f"{model}\n{self.name} =~ {own}{errors}{self.apart()}"


def _plan(model: str, marker: tuple[str, ...], items: tuple[str, ...] | None) -> _Plan:
    syntax = parse_model(model)
    latents = tuple(syntax.latents)
    if len(latents) < 2:
        raise AnalysisError("common_method.error.no_factors")
    indicators = tuple(
        dict.fromkeys(t.rhs for t in syntax.terms if t.op == "=~" and t.rhs not in latents and t.rhs not in marker)
    )
    used = sorted(set(marker) & set(syntax.names))
    if used or len(set(marker)) < len(marker):
        raise OptionError("common_method.error.marker_used", names=", ".join(used or marker))
    if len(marker) == 1:
        raise OptionError("common_method.error.few_marker_items", received=1)
    wanted = indicators if items is None else items
    wrong = [item for item in wanted if item not in indicators]
    if wrong or len(wanted) < 2 or len(set(wanted)) < len(wanted):
        raise OptionError("common_method.error.items", names=", ".join(wrong) or "-")
    explained = {t.rhs for t in syntax.terms if t.op == "=~"} | {t.lhs for t in syntax.terms if t.op == "~"}
    sources = tuple(latent for latent in latents if latent not in explained)
    taken = {*syntax.names, *syntax.labels, *marker}
    name = _unused("marker" if marker else "method", taken)
    opening = model + _scaled_latents(syntax)
    if marker:
        opening += f"\n{name} =~ " + " + ".join(marker)
    return _Plan(opening, marker, wanted, latents, sources, name, _unused("method_loading", taken | {name}))


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _scaled_latents(syntax: ModelSyntax) -> str:
    """Free the variance of factors that the model scales by a fixed loading: variance one would scale them twice."""
    fixed = {t.lhs for t in syntax.terms if t.op == "=~" for v in t.fixed if v is not None and np.isfinite(v) and v}
    written = {t.lhs for t in syntax.terms if t.op == "~~" and t.lhs == t.rhs}
    return "".join(f"\n{latent} ~~ NA*{latent}" for latent in syntax.latents if latent in fixed - written)


def _fitted(text: str, data: Data, estimator: str, data_kind: DataKind) -> SemFit | None:
    try:
        return sem(text, data, estimator=estimator, std_lv=True, data_kind=data_kind)
    except AnalysisError:
        return None


def _variant(name: str, fit: SemFit | None, plan: _Plan) -> Variant:
    if fit is None:
        return Variant(name, None, NAN, ("common_method.note.not_fitted",))
    hits = {
        "not_converged": not fit.converged,
        "not_identified": bool(fit.information.unidentified),
        "improper": bool(_IMPROPER & set(fit.troubles)),
    }
    share = NAN
    if name in (EQUAL, FREE, RESTRICTED) and not (hits["not_converged"] or hits["not_identified"]):
        table = fit.tidy()
        own = table[(table["op"] == "=~") & (table["lhs"] == plan.name) & table["rhs"].isin(plan.items)]
        share = float((own["std_all"] ** 2).mean())
    return Variant(name, fit, share, tuple(f"common_method.note.{key}" for key, hit in hits.items() if hit))


def _test(question: str, restricted: Variant, free: Variant) -> VariantTest:
    nothing = VariantTest(question, restricted.name, free.name, NAN, NAN, NAN, "common_method.note.no_test")
    if restricted.fit is None or free.fit is None or not (restricted.usable and free.usable):
        return nothing
    try:
        found = compare(free.fit, restricted.fit).rows[1]
    except AnalysisError:
        return nothing
    if not np.isfinite(found.p_value):
        return nothing
    return VariantTest(question, restricted.name, free.name, found.chisq_diff, float(found.df_diff), found.p_value, "")


def _chosen(known: Mapping[str, Variant], test: VariantTest) -> str:
    """Return which of equal and free loadings fits better; "" where neither can be used."""
    if known[FREE].usable and (test.p_value < _LEVEL or not known[EQUAL].usable):
        return FREE
    return EQUAL if known[EQUAL].usable else ""


def _restricted(fit: SemFit | None, baseline: SemFit | None, plan: _Plan) -> SemFit | None:
    """Return the fit with the coefficients among factors kept at the baseline's values."""
    if fit is None or baseline is None:
        return None
    latents = set(plan.latents)
    values = {
        (row.lhs, row.op, row.rhs): float(value)
        for row, value in zip(baseline.table.rows, baseline.values, strict=True)
        if row.op in ("~~", "~") and row.lhs != row.rhs and {row.lhs, row.rhs} <= latents
    }
    try:
        return fit_table(_with_fixed(fit.table, values), fit.sample, fit.options)
    except AnalysisError:
        return None


def _with_fixed(table: ParameterTable, values: Mapping[tuple[str, str, str], float]) -> ParameterTable:
    """Return a table with some rows fixed and the free parameters numbered anew."""
    rows = []
    for row in table.rows:
        at = (row.lhs, row.op, row.rhs)
        at = at if at in values else (row.rhs, row.op, row.lhs) if row.op == "~~" else at
        rows.append(row._replace(free=FIXED, value=values[at], label="") if at in values else row)
    order = {free: k for k, free in enumerate(sorted({row.free for row in rows if row.free != FIXED}))}
    numbered = tuple(row if row.free == FIXED else row._replace(free=order[row.free]) for row in rows)
    return replace(table, rows=numbered, size=len(order))


def _coefficients(variants: Sequence[Variant], plan: _Plan) -> tuple[Coefficient, ...]:
    """Return the standardised coefficients among the factors under every variant."""
    latents = set(plan.latents)
    wanted: dict[tuple[str, str, str], None] = {}
    tables: list[dict[tuple[str, str, str], tuple[float, float, float, float]]] = []
    for variant in variants:
        found: dict[tuple[str, str, str], tuple[float, float, float, float]] = {}
        if variant.fit is not None and variant.usable:
            for row in variant.fit.standardized(scale="all").itertuples():
                if row.op in ("~~", "~") and row.lhs != row.rhs and {row.lhs, row.rhs} <= latents:
                    pair = (row.rhs, row.lhs) if (row.rhs, row.op, row.lhs) in wanted else (row.lhs, row.rhs)
                    key = (pair[0], row.op, pair[1])
                    wanted.setdefault(key)
                    found[key] = (row.estimate, row.std_error, row.conf_low, row.conf_high)
        tables.append(found)
    nothing = (NAN,) * 4
    rows = []
    for key in wanted:
        cells = [tuple(map(float, table.get(key, nothing))) for table in tables]
        rows.append(
            Coefficient(
                *key, tuple(c[0] for c in cells), tuple(c[1] for c in cells), tuple((c[2], c[3]) for c in cells)
            )
        )
    return tuple(rows)
