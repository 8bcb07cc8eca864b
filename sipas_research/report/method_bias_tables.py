"""Common-method bias as a sensitivity analysis in tables: marker variable, method factor; nothing is corrected."""

from __future__ import annotations

from typing import Any

import numpy as np

from sipas_research.factors.marker_variable import SENSITIVITY, MarkerVariable
from sipas_research.factors.method_factor_result import MethodFactor, Variant
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.labels import item_codes, scale_name, source_line, survey_id
from sipas_research.results import DataKind
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, percent, text

#: The upper end that the table prints, of those in the result.
_UPPER = SENSITIVITY.index(0.95)


def _common(kind: DataKind, responses: Responses, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "data_kind": kind,
        "weighting": text("tables.common.unweighted", language),
        "source": source_line(responses, language),
    }


def _name(name: str, responses: Responses, language: str) -> str:
    """Return a scale's name or an item's code; what the analyst made up keeps its name."""
    questionnaire = responses.questionnaire
    if name in {scale.id for scale in questionnaire.scales}:
        return scale_name(questionnaire, name, language)
    return item_codes(questionnaire).get(name, name)


def marker_variable_table(found: MarkerVariable | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return each pair's correlation as observed, less what a marker shares, and less the upper end of that."""
    if isinstance(found, Finding):
        return found
    level = percent(SENSITIVITY[_UPPER], language, 0)
    place = 1 + _UPPER
    rows = []
    for pair in found.pairs:
        first, second = (_name(name, responses, language) for name in (pair.first, pair.second))
        cells: list[object] = [text("common_method.table.pair_names", language, first=first, second=second)]
        cells += [pair.correlation, pair.p_value, pair.partial[0], pair.partial_p[0]]
        rows.append((*cells, pair.partial[place], pair.partial_p[place]))
    tail = text("common_method.table.p", language)
    shared = text(
        "common_method.table.note_shared", language, shared=number(found.shared, 3, language), level=level,
        upper=number(found.upper[_UPPER], 3, language),
    )  # fmt: skip
    return Table(
        f"tbl-marker-variable-{survey_id(responses)}",
        text("common_method.table.marker_title", language, marker=_name(found.marker, responses, language)),
        (
            Column("pair", text("common_method.table.pair", language), width=0.34),
            Column("observed", text("common_method.table.observed", language), "number3"),
            Column("p", tail, "p"),
            Column("partial", text("common_method.table.partial", language), "number3"),
            Column("partial_p", tail, "p"),
            Column("upper", text("common_method.table.upper", language, level=level), "number3"),
            Column("upper_p", tail, "p"),
        ),
        tuple(rows),
        n=found.n,
        notes=(shared, *[text(key, language) for key in found.notes]),
        **_common(found.data_kind, responses, language),
    )


def method_factor_table(found: MethodFactor | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return the fit of each variant, the share of the method factor and the tests between variants."""
    if isinstance(found, Finding):
        return found
    records = found.comparison().to_dict("records")
    rows = []
    for variant, row in zip(found.variants, records, strict=True):
        why = Absent(text(next(iter(variant.notes), "common_method.note.no_test"), language))
        cells: list[object] = [found.variant_name(variant.name, language)]
        cells += [row[key] if variant.usable else why for key in ("chisq", "df", "cfi", "rmsea")]
        cells.append(_or_nothing(row["method_share"], variant, why))
        tested = [row[key] for key in ("chisq_diff", "df_diff", "p_value")]
        asked = variant.name not in ("cfa", "baseline")
        absent = why if not variant.usable else Absent(text("common_method.note.no_test", language))
        rows.append((*cells, *[v if np.isfinite(v) else absent if asked else "" for v in tested]))
    chosen = found.variant_name(found.chosen, language) if found.chosen else "–"
    notes = [text("common_method.table.note_difference", language, chosen=chosen)]
    wrong = [
        text(
            "common_method.factor.remark", language, name=found.variant_name(v.name, language), reason=text(k, language)
        )
        for v in found.variants
        for k in v.notes
        if v.usable
    ]
    return Table(
        f"tbl-method-factor-{found.kind}-{survey_id(responses)}",
        text(f"common_method.table.variants_title_{found.kind}", language),
        (
            Column("variant", text("common_method.table.variant", language), width=0.28),
            Column("chisq", text("common_method.table.chisq", language), "number2", align="right"),
            Column("df", text("common_method.table.df", language), "integer", align="right"),
            Column("cfi", text("common_method.table.cfi", language), "number3"),
            Column("rmsea", text("common_method.table.rmsea", language), "number3"),
            Column("share", text("common_method.table.share", language), "percent1", align="right"),
            Column("difference", text("common_method.table.difference", language), "number2", align="right"),
            Column("difference_df", text("common_method.table.difference_df", language), "integer", align="right"),
            Column("difference_p", text("common_method.table.difference_p", language), "p", align="right"),
        ),
        tuple(rows),
        n=found.n,
        notes=(*notes, *[line.strip() for line in wrong], *[text(key, language) for key in found.notes]),
        **_common(found.data_kind, responses, language),
    )


def _or_nothing(value: float, variant: Variant, why: Absent) -> object:
    if variant.name in ("cfa", "baseline"):
        return ""
    return value if np.isfinite(value) else why


def method_sensitivity_table(found: MethodFactor | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return the standardised coefficients among factors under each variant, side by side."""
    if isinstance(found, Finding):
        return found
    rows = []
    for c in found.coefficients:
        between = " ↔ " if c.op == "~~" else " ← "
        cells: list[object] = [between.join(_name(name, responses, language) for name in (c.lhs, c.rhs))]
        for variant, value in zip(found.variants, c.values, strict=True):
            reason = next(iter(variant.notes), "common_method.note.no_test")
            cells.append(float(value) if np.isfinite(value) else Absent(text(reason, language)))
        rows.append(tuple(cells))
    names = "; ".join(found.variant_name(name, language) for name in found.names)
    return Table(
        f"tbl-method-sensitivity-{found.kind}-{survey_id(responses)}",
        text("common_method.table.sensitivity_title", language),
        (
            Column("relation", text("common_method.table.relation", language), width=0.4),
            *[Column(name, text(f"common_method.table.short_{name}", language), "number3") for name in found.names],
        ),
        tuple(rows),
        n=found.n,
        notes=(
            text("common_method.table.note_order", language, names=names),
            *[text(key, language) for key in found.notes],
        ),
        **_common(found.data_kind, responses, language),
    )
