"""``sr.invariance``: does a scale measure the same in all groups? Configural, metric, scalar, strict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.results import DataKind
from sipas_research.sem.comparison import ModelRow, difference_sentence, indices_of, model_row
from sipas_research.sem.difference import Difference, difference
from sipas_research.sem.group_fits import ORDERED_STEPS, STEPS, group_model, known_steps
from sipas_research.sem.invariance_rules import POOR_CFI, POOR_RMSEA, RULES, Limits, Verdict, limits
from sipas_research.sem.result import SemFit
from sipas_research.sem.sampling import Data
from sipas_research.wording import number, text

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class InvarianceStep:
    """One step: the model, its test against the step before, and what the convention says.

    Attributes
    ----------
    row : ModelRow
    limits : Limits
    verdict : {"baseline", "holds", "doubtful", "fails", "not_judged"}
        "baseline" for the first step.
    """

    row: ModelRow
    limits: Limits
    verdict: Verdict


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Invariance:
    """Steps of a test of measurement invariance.

    Attributes
    ----------
    steps : tuple of InvarianceStep
    fits : tuple of SemFit
        In the order of the steps.
    rule : str
        The convention behind the verdicts.
    indices : {"robust", "scaled", "plain"}
        Which CFI and RMSEA were compared.
    group : str
        The grouping column; "" for moments.
    data_kind : DataKind
    """

    steps: tuple[InvarianceStep, ...]
    fits: tuple[SemFit, ...]
    rule: str
    indices: str
    group: str
    data_kind: DataKind

    def __repr__(self) -> str:
        return self.summary("vi")

    @property
    def conclusion(self) -> str:
        """The last step that holds together with all steps before it; the first step where none does."""
        reached = self.steps[0].row.model
        for each in self.steps[1:]:
            if each.row.df_diff == 0:  # it restricts nothing: thresholds of three answers, residuals of two
                continue
            if each.verdict != "holds":
                break
            reached = each.row.model
        return reached

    def fit(self, step: str) -> SemFit:
        """Return the fit of one step by name."""
        for each, fit in zip(self.steps, self.fits, strict=True):
            if each.row.model == step:
                return fit
        allowed = ", ".join(each.row.model for each in self.steps)
        raise OptionError("sem_comparison.error.steps", received=repr(step), allowed=allowed)

    def tidy(self) -> pd.DataFrame:
        """Return one row a step.

        Columns of :class:`.comparison.ModelRow` (``model`` is ``step``), then limit_cfi, limit_rmsea, limit_srmr,
        verdict.
        """
        frame = pd.DataFrame([asdict(each.row) for each in self.steps]).rename(columns={"model": "step"})
        for name in ("cfi", "rmsea", "srmr"):
            frame[f"limit_{name}"] = [getattr(each.limits, name) for each in self.steps]
        frame["verdict"] = [each.verdict for each in self.steps]
        return frame

    def glance(self) -> pd.DataFrame:
        """Return one row: group, groups, n, estimator, rule, variant, indices, conclusion, data_kind."""
        first = self.fits[0]
        found = {
            "group": self.group,
            "groups": len(first.groups),
            "n": first.n,
            "estimator": first.options.estimator,
            "rule": self.rule,
            "variant": self.steps[-1].limits.variant,
            "indices": self.indices,
            "conclusion": self.conclusion,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([found])

    def summary(self, language: str = "vi") -> str:
        """Return steps, tests, verdicts, and what the convention is and where it fails."""
        first = self.fits[0]
        lines = [
            text(
                "sem_comparison.invariance.head", language, group=self.group or "-", groups=len(first.groups),
                n=first.n, estimator=first.options.estimator,
                indices=text(f"sem_comparison.indices.{self.indices}", language),
            )
        ]  # fmt: skip
        for before, each in zip((None, *self.steps), self.steps, strict=False):
            lines += _step_lines(before, each, language)
        variant = self.steps[-1].limits.variant
        rule = f"{self.rule}_{variant}" if variant else self.rule
        lines.append(text(f"sem_comparison.rule.{rule}", language))
        lines.append(text("sem_comparison.rule.limits", language))
        if self.indices == "robust":
            lines.append(text("sem_comparison.rule.robust", language))
        if first.options.categorical:
            lines.append(text("sem_comparison.rule.ordered", language))
            if _two_answers(first):
                lines.append(text("sem_comparison.rule.binary", language))
        lines.append(
            text(
                "sem_comparison.invariance.conclusion", language,
                step=text(f"sem_comparison.step.{self.conclusion}", language),
            )
        )  # fmt: skip
        return "\n".join(lines)


def _two_answers(fit: SemFit) -> bool:
    """Return whether some ordered item has one threshold only."""
    ranks = {(row.lhs, row.rhs) for row in fit.table.rows if row.op == "|"}
    return any((name, "t2") not in ranks for name, _ in ranks)


def _step_lines(before: InvarianceStep | None, each: InvarianceStep, language: str) -> list[str]:
    row = each.row
    name = text(f"sem_comparison.step.{row.model}", language)
    fit = text(
        "sem_comparison.invariance.step", language, step=name, df=row.df, chisq=number(row.chisq, 2, language),
        cfi=number(row.cfi, 3, language), rmsea=number(row.rmsea, 3, language), srmr=number(row.srmr, 3, language),
    )  # fmt: skip
    if before is None:
        notes = [text(f"sem_comparison.note.{code}", language) for code in row.note.split("; ") if code]
        return [" ".join([f"  {fit}", *notes])]
    free = text(f"sem_comparison.step.{before.row.model}", language)
    verdict = text(f"sem_comparison.verdict.{each.verdict}", language)
    named = difference_sentence(free, row, language, name=name)
    return [f"  {fit}", f"    {named} {verdict}"]


def invariance(
    model: str,
    data: Data,
    *,
    group: str | None = None,
    steps: Sequence[str] | None = None,
    estimator: str | None = None,
    group_partial: Sequence[str] | str = (),
    rule: str = "chen2007",
    std_lv: bool = False,
    orthogonal: bool = False,
    level: float = 0.95,
    ordered: Sequence[str] | bool = (),
    missing: str = "listwise",
    cluster: str | None = None,
    weights: str | None = None,
    data_kind: DataKind = DataKind.USER,
) -> Invariance:
    """Fit a measurement model under more and more equality across groups and judge each step.

    Configural: the same items load on the same factors. Metric: equal loadings. Scalar: equal intercepts too, latent
    means free in all groups but the first. Strict: equal residual variances too. Each step is tested against the one
    before by a (scaled) likelihood-ratio test and judged by the changes of CFI, RMSEA and SRMR under a named
    convention.

    Parameters
    ----------
    model : str
    data : Responses, DataFrame or mapping of label to Moments
    group : str, optional
        Column that holds the group; not for moments.
    steps : sequence of {"configural", "thresholds", "metric", "scalar", "strict"}, optional
        At least two, in this order; all by default. "thresholds" is a step of ordered items only.
    estimator : {"MLR", "ML", "MLM", "GLS", "WLSMV", "ULSMV", "WLS"}, optional
        MLR by default, WLSMV for ordered items.
    group_partial : sequence of str
        Rows that stay free in every step: ``"f=~x2"``, ``"x3~1"``.
    rule : {"chen2007", "cheung_rensvold2002"}
        Convention of the verdicts, see :mod:`.invariance_rules`. Both come from simulations of normal data in two
        groups; with many groups, ordered answers or weak items they err.
    ordered : sequence of str or bool
        Ordered items (True: all). The steps are then those of Wu & Estabrook (2016): equal thresholds, then loadings,
        then intercepts, then residual variances. Equal thresholds test something only with four answers or more.
    missing, cluster, weights, std_lv, orthogonal, level, data_kind
        As in :func:`sipas_research.sem`.

    Returns
    -------
    Invariance

    Raises
    ------
    AnalysisError
        If there are fewer than two groups, or a group has fewer than 10 rows or no more rows than parameters.
    OptionError
        If steps, rule or another option are outside their vocabulary.

    References
    ----------
    Meredith (1993), Psychometrika 58, 525-543; Vandenberg & Lance (2000), Organizational Research Methods 3, 4-70;
    Chen (2007); Cheung & Rensvold (2002); Wu & Estabrook (2016), Psychometrika 81, 1014-1045.
    """
    allowed = ORDERED_STEPS if ordered else STEPS
    given = tuple(allowed) if steps is None else steps
    names = known_steps(tuple(given) if not isinstance(given, str) else given, allowed)
    if rule not in RULES:
        raise OptionError("sem_comparison.error.rule", received=repr(rule), allowed=", ".join(RULES))
    if estimator in ("ULS", "DWLS"):
        raise AnalysisError("sem_comparison.error.uls")
    partial = group_partial if isinstance(group_partial, str) else tuple(group_partial)
    start = group_model(
        model, data, group=group, estimator=estimator or ("WLSMV" if ordered else "MLR"), group_partial=partial,
        std_lv=std_lv, orthogonal=orthogonal,
        level=level, data_kind=data_kind, ordered=ordered, missing=missing, cluster=cluster, weights=weights,
    )  # fmt: skip
    fits = tuple(start.fit(name) for name in names)
    sizes = [each.n for each in start.sample.groups]
    found: list[InvarianceStep] = []
    indices = indices_of(fits)
    for k, (name, fit) in enumerate(zip(names, fits, strict=True)):
        found.append(_step(name, fit, (found[-1], fits[k - 1]) if k else None, limits(rule, name, sizes), indices))
    return Invariance(tuple(found), fits, rule, indices, group or "", start.sample.data_kind)


def _step(
    name: str, fit: SemFit, before: tuple[InvarianceStep, SemFit] | None, given: Limits, indices: str
) -> InvarianceStep:
    trouble = _trouble(fit)
    if before is None:
        row = model_row(name, fit, None, None, indices)
        poor = row.cfi < POOR_CFI or row.rmsea > POOR_RMSEA
        notes = (*trouble, *(("poor_baseline",) if poor else ()))
        return InvarianceStep(_noted(row, notes), Limits(given.rule, given.variant, NAN, NAN, NAN), "baseline")
    earlier, free = before
    unusable = {"not_converged", "not_identified"} & {*trouble, *_trouble(free)}
    step = Difference(NAN, NAN, 0, NAN, NAN, "", NAN, ()) if unusable else difference(free, fit)
    row = _noted(model_row(name, fit, earlier.row, step, indices), trouble)
    judged = not unusable and bool(np.isfinite(row.delta_cfi)) and not {"not_nested", "same_df"} & set(step.notes)
    verdict = given.verdict(row.delta_cfi, row.delta_rmsea, row.delta_srmr) if judged else "not_judged"
    return InvarianceStep(row, given, verdict)


def _trouble(fit: SemFit) -> tuple[str, ...]:
    """Return short names of what a fit warned about and that touches its chi-square."""
    names = {
        "sem.warning.not_converged": "not_converged",
        "sem.warning.not_identified": "not_identified",
        "sem.warning.heywood": "improper",
        "sem.warning.negative_variance": "improper",
        "sem.warning.not_positive_definite": "improper",
    }
    return tuple(dict.fromkeys(names[key] for key in fit.troubles if key in names))


def _noted(row: ModelRow, notes: Sequence[str]) -> ModelRow:
    return replace(row, note="; ".join(filter(None, (row.note, *notes))))
