"""Regression and ordered logit in the form that theses print, with intervals and robust standard errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sipas_research.factors.scores import INDEX, OVERALL
from sipas_research.levers.regression_result import INTERCEPT, Regression
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Figure, Finding, Table
from sipas_research.report.figures import figure
from sipas_research.report.labels import item_codes, item_text, scale_name, source_line
from sipas_research.report.theme import ESTIMATE, REFERENCE, TEXT_WIDTH, number_axis, theme
from sipas_research.survey.responses import Responses
from sipas_research.wording import integer, number, p_value, percent, text


def term_label(name: str, responses: Responses, language: str) -> str:
    """Return the name of a score for people: a scale's name, a question's code, or what "overall" stands for."""
    questionnaire = responses.questionnaire
    if name == INTERCEPT:
        return text("models.table.intercept", language)
    if name in questionnaire.scale_ids():
        return scale_name(questionnaire, name, language)
    if name == OVERALL:
        return text("tables.index.overall", language)
    if name == INDEX:
        return text("groups.score.index", language)
    return text("models.table.item", language) + " " + item_codes(questionnaire)[name]


def _common(found: Regression, responses: Responses, language: str) -> dict[str, Any]:
    weighting = text("tables.common.unweighted", language)
    if found.weights:
        weighting = text("models.table.note_weighted", language, weights=found.weights)
    return {
        "language": language,
        "data_kind": found.data_kind,
        "weighting": weighting,
        "source": source_line(responses, language),
    }


def _cell(value: float, language: str) -> float | Absent:
    return float(value) if math.isfinite(value) else Absent(text("models.note.no_error", language))


def _notes(found: Regression, responses: Responses, language: str) -> list[str]:
    whole = found.whole
    notes = []
    if whole.covariance == "cluster":
        df = number(whole.wald_df2, 0, language)
        notes.append(text("models.table.note_cluster", language, clusters=whole.clusters, df=df))
    else:
        notes.append(text("models.table.note_hc3", language))
    notes += [text(note, language) for note in found.notes if ":" not in note]
    if found.n_dropped:
        notes.append(text("models.table.note_dropped", language, dropped=found.n_dropped))
    if found.left_out:
        names = "; ".join(term_label(name, responses, language) for name in found.left_out)
        notes.append(text("models.table.note_left_out", language, names=names))
    if found.standardized:
        notes.append(text("models.table.note_standardized", language))
    return notes


def regression_table(found: Regression | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return B, robust standard error, Beta, t, Sig., interval and VIF of each predictor."""
    if isinstance(found, Finding):
        return found
    rows = [
        (
            term_label(t.term, responses, language),
            float(t.estimate),
            _cell(t.std_error, language),
            "" if t.term == INTERCEPT else float(t.beta),
            _cell(t.statistic, language),
            _cell(t.p_value, language),
            (t.conf_low, t.conf_high),
            "" if t.term == INTERCEPT else float(t.vif),
        )
        for t in found.terms
    ]
    return Table(
        "tbl-regression",
        text("models.table.regression", language, outcome=term_label(found.outcome, responses, language)),
        (
            Column("term", text("models.table.predictor", language), width=0.27),
            Column("b", text("models.table.b", language), "number3", width=0.1),
            Column("std_error", text("models.table.std_error", language), "number3", width=0.1),
            Column("beta", text("models.table.beta", language), "number3", width=0.1, align="right"),
            Column("t", text("models.table.t", language), "number2", width=0.09),
            Column("p", text("models.table.p", language), "p", width=0.1),
            Column("interval", interval_label(found.level, language), "interval", width=0.15),
            Column("vif", text("models.table.vif", language), "number2", width=0.09, align="right"),
        ),
        tuple(rows),
        n=found.n,
        notes=(
            text("models.table.note_association", language),
            *_notes(found, responses, language),
            text("models.table.note_score", language),
            text("models.table.note_vif", language),
        ),
        **_common(found, responses, language),
    )


def interval_label(level: float, language: str) -> str:
    """Return "Khoảng tin cậy 95%" with the level in force."""
    return text("groups.table.interval", language, level=percent(level, language, 0))


def regression_fit_table(found: Regression | Finding, responses: Responses, language: str) -> Table | None:
    """Return R2, adjusted R2, both F tests and, by local habit, Durbin-Watson; nothing where there is no model."""
    if isinstance(found, Finding):
        return None
    whole = found.whole
    df = [integer(whole.df1, language), integer(whole.df2, language), number(whole.wald_df2, 0, language)]
    labels = {
        "r2": number(whole.r2, 3, language),
        "r2_adjusted": number(whole.r2_adjusted, 3, language),
        "f": number(whole.f_statistic, 2, language),
        "f_p": p_value(whole.f_p_value, language),
        "wald": number(whole.wald, 2, language),
        "wald_p": p_value(whole.wald_p_value, language),
        "residual_sd": number(whole.residual_sd, 3, language),
        "durbin_watson": number(whole.durbin_watson, 2, language),
    }
    fields = {"f": {"df1": df[0], "df2": df[1]}, "wald": {"df1": df[0], "df2": df[2]}}
    rows = [(text(f"models.table.{name}", language, **fields.get(name, {})), value) for name, value in labels.items()]
    return Table(
        "tbl-regression-fit",
        text("models.table.regression_fit", language, outcome=term_label(found.outcome, responses, language)),
        (
            Column("measure", text("models.table.measure", language), width=0.7),
            Column("value", text("models.table.value", language), align="right", width=0.3),
        ),
        tuple(rows),
        n=found.n,
        notes=(text("models.table.note_f", language), text("models.table.note_durbin_watson", language)),
        **_common(found, responses, language),
    )


def logit_table(found: Regression | Finding, responses: Responses, language: str) -> Table | Finding | None:
    """Return the ordered logit beside the regression: coefficients, odds ratios with intervals."""
    if isinstance(found, Finding):
        return None
    logit = found.logit
    if logit is None:
        sentence = text(found.logit_note, language) if found.logit_note else ""
        return Finding("reason-logit", sentence, language, found.data_kind, role="reason") if sentence else None
    rows = [
        (
            term_label(t.term, responses, language),
            float(t.estimate),
            float(t.std_error),
            float(t.statistic),
            float(t.p_value),
            _odds(t.estimate),
            (_odds(t.conf_low), _odds(t.conf_high)),
        )
        for t in logit.terms
    ]
    code = item_codes(responses.questionnaire)[logit.item]
    question = item_text(responses.questionnaire, logit.item, language)
    level = percent(found.level, language, 0)
    notes = [
        text(
            "models.table.note_logit",
            language,
            code=code,
            question=question.rstrip(".?"),
            pseudo_r2=number(logit.pseudo_r2, 3, language),
        ),
        text("models.table.note_agree", language),
        *_notes(found, responses, language)[:1],
    ]
    if any(len(group) > 1 for group in logit.answers):
        groups = "; ".join("–".join(map(str, (g[0], g[-1]))) for g in logit.answers if len(g) > 1)
        notes.insert(1, text("models.table.note_merged", language, groups=groups))
    return Table(
        "tbl-ordered-logit",
        text("models.table.logit", language, code=code),
        (
            Column("term", text("models.table.predictor", language), width=0.28),
            Column("coefficient", text("models.table.coefficient", language), "number3", width=0.12),
            Column("std_error", text("models.table.std_error", language), "number3", width=0.12),
            Column("t", text("models.table.t", language), "number2", width=0.09),
            Column("p", text("models.table.p", language), "p", width=0.1),
            Column("odds", text("models.table.odds_ratio", language), "number2", width=0.11),
            Column("interval", text("models.table.odds_interval_level", language, level=level), "interval", width=0.18),
        ),
        tuple(rows),
        n=logit.n,
        notes=tuple(notes),
        **(_common(found, responses, language) | {"weighting": text("tables.common.unweighted", language)}),
    )


def _odds(value: float) -> float:
    """Return exp(value), NaN where it leaves the range of numbers."""
    return math.exp(value) if math.isfinite(value) and abs(value) < 700 else float("nan")


def coefficient_figure(found: Regression | Finding, responses: Responses, language: str) -> Figure | None:
    """Return the coefficients with their intervals, in the order of the questionnaire; nothing without a model."""
    if isinstance(found, Finding):
        return None
    from matplotlib import pyplot as plt

    terms = [t for t in found.terms if t.term != INTERCEPT]
    clear = sum(t.conf_low > 0 or t.conf_high < 0 for t in terms)
    outcome = term_label(found.outcome, responses, language)
    with theme():
        drawing, axes = plt.subplots(figsize=(TEXT_WIDTH, 1.1 + 0.34 * len(terms)))
        places = np.arange(len(terms))
        estimates = np.array([t.estimate for t in terms])
        reach = np.array([[t.estimate - t.conf_low, t.conf_high - t.estimate] for t in terms]).T
        axes.axvline(0.0, color=REFERENCE, linestyle="--", linewidth=1)
        axes.errorbar(estimates, places, xerr=reach, fmt="o", color=ESTIMATE, markersize=5, capsize=3)
        axes.set_yticks(places, [term_label(t.term, responses, language) for t in terms])
        axes.set_ylim(len(terms) - 0.5, -0.5)
        axes.set_xlabel(text("models.table.figure_axis", language))
        number_axis(axes, language, which="x", decimals=2)
        return figure(
            drawing,
            id="fig-coefficients",
            title=text("models.table.figure_title", language, outcome=outcome),
            alt=text("models.table.figure_alt", language, count=len(terms), clear=clear),
            n=found.n,
            notes=(text("models.table.note_association", language),),
            **_common(found, responses, language),
        )
