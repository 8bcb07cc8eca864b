"""Reliability and exploratory factor analysis in the form that Vietnamese theses print."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sipas_research.factors.adequacy import BartlettSphericity, Kmo
from sipas_research.factors.reliability import Reliability
from sipas_research.factors.solution import FactorSolution
from sipas_research.numerics.rotation import NORMALISED, ORTHOGONAL
from sipas_research.report.cells import Absent, Suppressed
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.item_tables import turned_note
from sipas_research.report.labels import item_codes, item_text, scale_name, source_line, survey_id, survey_name
from sipas_research.results import DataKind, weakest
from sipas_research.survey.responses import Responses
from sipas_research.wording import integer, number, p_value, percent, text

#: Loadings smaller than this are left blank, as SPSS users set it.
SHOWN_LOADING = 0.30

#: With more factors than this their names in a header are short.
_NAMED_FACTORS = 6


def _common(kind: DataKind, responses: Responses, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "data_kind": weakest((kind, responses.data_kind)),
        "weighting": text("tables.common.unweighted", language),
        "source": source_line(responses, language),
    }


def _cell(value: float, note: str, language: str) -> float | Absent:
    """Return the value, or why there is none."""
    if np.isfinite(value):
        return float(value)
    return Absent(text(note, language)) if note else Absent(text("tables.common.not_computed", language))


def alpha_table(found: Reliability, responses: Responses, language: str) -> Table | Finding:
    """Return Cronbach's alpha of each scale with Feldt's interval, omega beside it, or why there is no scale."""
    if not found.results:
        reason = text("description.note.no_answers", language)
        sentence = text("findings.reason", language, what=text("findings.what.alpha", language), reason=reason)
        return Finding(f"reason-alpha-{survey_id(responses)}", sentence, language, responses.data_kind, role="reason")
    level = percent(found.level, language, 0)
    return Table(
        f"tbl-alpha-{survey_id(responses)}",
        text("tables.alpha.title", language, survey=survey_name(responses, language)),
        (
            Column("scale", text("tables.common.scale", language), width=0.3),
            Column("items", text("tables.alpha.items", language), "integer", width=0.08),
            Column("n", "n", "integer", width=0.09),
            Column("alpha", text("tables.alpha.alpha", language), "number3", width=0.12),
            Column("interval", text("tables.alpha.interval", language), "interval", width=0.15),
            Column("omega", text("reliability.table.omega", language), "number3", width=0.11),
            Column("omega_interval", text("tables.alpha.omega_interval", language), "interval", width=0.15),
        ),
        tuple(_alpha_row(row, responses, language) for row in found.scales.to_dict("records")),
        notes=(
            text("tables.alpha.note_convention", language),
            text("tables.alpha.note_intervals", language, level=level),
            text("tables.common.listwise_scale", language),
        ),
        **_common(found.data_kind, responses, language),
    )


def _alpha_row(row: dict[Any, Any], responses: Responses, language: str) -> tuple[object, ...]:
    name, items = scale_name(responses.questionnaire, row["term"], language), int(row["n_items"])
    if not np.isfinite(row["n"]):
        return (name, items, *[Suppressed()] * 5)
    alpha = _cell(row["estimate"], row["note"], language)
    ends = (row["conf_low"], row["conf_high"]) if np.isfinite(row["conf_low"]) else alpha
    omega = _cell(row["omega_total"], row["omega_note"] or row["note"], language)
    omega_ends: object = (row["omega_low"], row["omega_high"])
    if not np.isfinite(row["omega_low"]):
        omega_ends = omega if isinstance(omega, Absent) else _cell(np.nan, row["omega_note"], language)
    return (name, items, int(row["n"]), alpha, ends, omega, omega_ends)


def item_total_table(found: Reliability, responses: Responses, language: str) -> Table | None:
    """Return corrected item-total correlation and what becomes of the scale without each question."""
    if not found.results:
        return None
    rows: list[tuple[object, ...]] = []
    headings = []
    for scale, items in found.items.groupby("group", sort=False):
        headings.append(len(rows))
        rows.append(_scale_heading(found, str(scale), responses, language))
        rows += [_item_row(row, found, responses, language) for row in items.to_dict("records")]
    return Table(
        f"tbl-item-total-{survey_id(responses)}",
        text("tables.item_total.title", language, survey=survey_name(responses, language)),
        (
            Column("code", text("tables.common.item_code", language), width=0.085),
            Column("item", text("tables.common.item", language), width=0.395),
            Column("mean_if_deleted", text("tables.item_total.mean_if_deleted", language), "number2", width=0.12),
            Column(
                "variance_if_deleted", text("tables.item_total.variance_if_deleted", language), "number2", width=0.12
            ),
            Column("item_total", text("tables.item_total.item_total", language), "number3", width=0.15),
            Column("alpha_if_deleted", text("tables.item_total.alpha_if_deleted", language), "number3", width=0.13),
        ),
        tuple(rows),
        total_rows=tuple(headings),
        notes=(
            text("measurement_tables.item_total.note_spss", language),
            text("tables.item_total.note_convention", language),
            *turned_note("common", found.items["term"], responses, language),
            text("tables.common.listwise_items", language),
        ),
        **_common(found.data_kind, responses, language),
    )


def _scale_heading(found: Reliability, scale: str, responses: Responses, language: str) -> tuple[object, ...]:
    """Return a row with the scale's name and its alpha, where there is one."""
    name = scale_name(responses.questionnaire, scale, language)
    alpha = float(found.scales.set_index("term").loc[scale, "estimate"])
    if np.isfinite(alpha):
        name = text("tables.item_total.heading", language, scale=name, alpha=number(alpha, 3, language))
    return ("", name, *[""] * 4)


def _item_row(row: dict[Any, Any], found: Reliability, responses: Responses, language: str) -> tuple[object, ...]:
    names = ("scale_mean_if_deleted", "scale_variance_if_deleted", "item_total", "alpha_if_deleted")
    numbers = [
        _cell(row[name], row["note"] or _two_items(found, row["group"]), language)
        if np.isfinite(row["n"])
        else Suppressed()
        for name in names
    ]
    codes = item_codes(responses.questionnaire)
    return (codes[row["term"]], item_text(responses.questionnaire, row["term"], language), *numbers)


def _two_items(found: Reliability, scale: str) -> str:
    """Return the reason why alpha-if-deleted of a two-item scale does not exist."""
    size = next(len(r.items) for r in found.results if r.scale == scale)
    return "tables.item_total.two_items" if size == 2 else ""


def factor_items(responses: Responses) -> tuple[str, ...]:
    """Return the items that the factor analysis takes: those of the factors, else every item but overall ones."""
    for roles in (("factor",), ("lever",), ("overall",)):
        found = [i for role in roles for ids in responses.scale_items(role).values() for i in ids]
        if found:
            return tuple(found)
    return ()


def designed_factors(responses: Responses) -> int:
    """Return how many factors the questionnaire was designed with, at least one."""
    items = set(factor_items(responses))
    return max(1, sum(bool(items & set(ids)) for ids in responses.scale_items().values()))


def adequacy_table(found: Kmo, test: BartlettSphericity, responses: Responses, language: str) -> Table:
    """Return KMO, its lowest item and Bartlett's test."""
    codes = item_codes(responses.questionnaire)
    lowest = int(np.argmin(found.adequacy.items))
    lowest_label = text("tables.adequacy.kmo_lowest", language, item=codes[found.items[lowest]])
    rows = (
        (text("tables.adequacy.kmo", language), number(found.overall, 3, language)),
        (lowest_label, number(float(found.adequacy.items[lowest]), 3, language)),
        (text("tables.adequacy.chi_square", language), number(test.statistic, 2, language)),
        (text("tables.adequacy.df", language), integer(test.df, language)),
        (text("tables.adequacy.p", language), p_value(test.p_value, language)),
    )
    return Table(
        "tbl-adequacy",
        text("tables.adequacy.title", language),
        (
            Column("measure", text("tables.adequacy.measure", language), width=0.72),
            Column("value", text("tables.adequacy.value", language), align="right", width=0.28),
        ),
        rows,
        n=found.n,
        notes=(text("tables.adequacy.note_convention", language), text("tables.common.listwise", language)),
        **_common(found.data_kind, responses, language),
    )


def factor_names(found: FactorSolution, language: str) -> list[str]:
    """Return "Nhân tố 1", "Nhân tố 2" and so on; "NT1" where many factors stand side by side."""
    name = "factor_short" if len(found.factors) > _NAMED_FACTORS else "factor_n"
    return [text(f"tables.common.{name}", language, number=str(k + 1)) for k in range(len(found.factors))]


def _short_names_note(found: FactorSolution, language: str) -> tuple[str, ...]:
    if len(found.factors) <= _NAMED_FACTORS:
        return ()
    return (text("tables.common.note_factor_short", language, count=len(found.factors)),)


def efa_table(
    found: FactorSolution | Finding, responses: Responses, language: str, *, name: str = "", notes: tuple[str, ...] = ()
) -> Table | None:
    """Return the rotated pattern matrix, items in questionnaire order, small loadings blank.

    Parameters
    ----------
    found : FactorSolution or Finding
    responses : Responses
    language : {"vi", "en"}
    name : str
        Part of the table's id, where a chapter shows several.
    notes : tuple of str
        What else must be said, before the other notes.
    """
    if isinstance(found, Finding):
        return None
    codes = item_codes(responses.questionnaire)
    loadings = found.loadings
    rows = [
        (
            codes[item],
            *["" if abs(v) < SHOWN_LOADING else float(v) for v in loadings.loc[item]],
            float(found.communality[place]),
        )
        for place, item in enumerate(found.items)
    ]
    width = (0.72 if len(found.factors) <= _NAMED_FACTORS else 0.77) / len(found.factors)
    return Table(
        f"tbl-efa-{name}" if name else "tbl-efa",
        efa_title(found, language),
        (
            Column("item", text("tables.common.item", language), align="center", width=0.12),
            *[
                Column(f.lower(), n, "number2", width=width)
                for f, n in zip(found.factors, factor_names(found, language), strict=True)
            ],
            Column("communality", text("tables.efa.communality", language), "number2", width=0.16),
        ),
        tuple(rows),
        n=found.n,
        notes=(*notes, *_efa_notes(found, language)),
        **_common(found.data_kind, responses, language),
    )


def efa_title(found: FactorSolution, language: str) -> str:
    """Return "Ma trận mẫu (Pattern Matrix)" or what an orthogonal rotation leaves, with the method."""
    kind = "unrotated" if found.rotation == "none" else "rotated" if found.rotation in ORTHOGONAL else "pattern"
    fields = {"method": text(f"tables.efa.method_{found.method}", language)}
    if kind != "unrotated":
        fields["rotation"] = text(f"tables.efa.rotation_{found.rotation}", language)
    return text(f"measurement_tables.efa.title_{kind}", language, **fields)


def _efa_notes(found: FactorSolution, language: str) -> tuple[str, ...]:
    notes = [
        *_short_names_note(found, language),
        text("tables.efa.note_hidden", language),
        *_spss_notes(found, language),
        text("tables.efa.note_convention", language),
    ]
    fit = found.fit
    if np.isfinite(fit.p_value):
        notes.append(
            text(
                "tables.efa.note_fit",
                language,
                chi_square=number(fit.statistic, 2, language),
                df=fit.df,
                p=_relation(p_value(fit.p_value, language)),
                rmsea=number(fit.rmsea, 3, language),
                tli=number(fit.tli, 3, language),
            )
        )
    if found.heywood:
        notes.append(text("factors.note.heywood", language))
    if not found.converged:
        notes.append(text("factors.note.not_converged", language))
    return tuple(notes)


def _spss_notes(found: FactorSolution, language: str) -> tuple[str, ...]:
    """Say which of SPSS's choices the solution follows, and where it departs."""
    if (found.method, found.rotation) == ("pa", "promax_spss"):
        return (text("measurement_tables.efa.note_spss_promax", language),)
    named = {
        "method": text(f"factors.method.{found.method}", language),
        "rotation": text(f"factors.rotation.{found.rotation}", language),
    }
    notes = [text("measurement_tables.efa.note_departs", language, **named)]
    if found.rotation in NORMALISED and found.options.kaiser is not False:
        notes.append(text("measurement_tables.efa.note_kaiser", language))
    if found.rotation in {"oblimin", "quartimin"} and not found.options.kaiser:
        notes.append(text("measurement_tables.efa.note_no_kaiser", language))
    return tuple(notes)


def _relation(shown: str) -> str:
    """Return "= 0,050" or "< 0,001"."""
    return f"< {shown[1:]}" if shown.startswith("<") else f"= {shown}"


def phi_table(found: FactorSolution | Finding, responses: Responses, language: str) -> Table | None:
    """Return correlations between the factors; nothing for one factor."""
    if isinstance(found, Finding) or len(found.factors) == 1:
        return None
    names = factor_names(found, language)
    matrix: pd.DataFrame = found.factor_correlations
    rows = tuple(
        (name, *[float(matrix.iat[i, j]) if j <= i else "" for j in range(len(names))]) for i, name in enumerate(names)
    )
    return Table(
        "tbl-phi",
        text("tables.efa.phi_title", language),
        (Column("factor", ""), *[Column(f"f{j + 1}", name, "number2") for j, name in enumerate(names)]),
        rows,
        n=found.n,
        notes=_short_names_note(found, language),
        **_common(found.data_kind, responses, language),
    )
