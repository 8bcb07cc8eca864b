"""Which items differ between groups: searched on one half of the rows, confirmed on the other; or explored on all."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, OptionError, SipasWarning
from sipas_research.numerics.multiplicity import holm
from sipas_research.results import DataKind
from sipas_research.sem.difference import difference
from sipas_research.sem.fit_indices import chi_square_p
from sipas_research.sem.group_fits import STEPS, GroupModel, group_model, require_rows
from sipas_research.sem.missing import sample_with_holes
from sipas_research.sem.moments import GroupRows, GroupSample, sample_of_rows
from sipas_research.sem.phrases import p_phrase
from sipas_research.sem.result import SemFit
from sipas_research.sem.row_system import row_system
from sipas_research.sem.sampling import Data, Sample
from sipas_research.wording import number, text

NAN = float("nan")
SPLIT, HOLM = "split", "holm"
#: So many loadings and so many intercepts of each factor stay equal, so that its scale and mean stay comparable.
ANCHORS = 2


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """One loading or intercept that was tested.

    Attributes
    ----------
    parameter : str
        As ``group_partial`` takes it: ``"f=~x2"``, ``"x3~1"``.
    family : {"loadings", "intercepts"}
    statistic, df, p_value : float, int, float
        Score test of its equality in the search.
    p_adjusted : float
        The p-value times what stood to choose from in that round (split), or Holm's (holm).
    confirm_statistic, confirm_p, confirm_adjusted : float
        Likelihood-ratio test in the other half, alone and after Holm; NaN where nothing was held out.
    spread : float
        Largest less smallest estimate among the groups with the equality let go, in the half (or sample) that judged;
        NaN where it was not let go.
    verdict : {"confirmed", "not_confirmed", "exploratory", "not_flagged"}
    """

    parameter: str
    family: str
    statistic: float
    df: int
    p_value: float
    p_adjusted: float
    confirm_statistic: float
    confirm_p: float
    confirm_adjusted: float
    spread: float
    verdict: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InvarianceSearch:
    """Items that differ between groups.

    Attributes
    ----------
    rows : tuple of ItemDifference
        With ``split`` those that the search picked, in its order; with ``holm`` all, smallest p-value first.
    method : {"split", "holm"}
    step : str
    alpha : float
    n_search, n_confirm : int
        Rows of the two halves; ``n_confirm`` is 0 where nothing was held out.
    seed : int
    group : str
    data_kind : DataKind
    """

    rows: tuple[ItemDifference, ...]
    method: str
    step: str
    alpha: float
    n_search: int
    n_confirm: int
    seed: int
    group: str
    data_kind: DataKind

    def __repr__(self) -> str:
        return self.summary("vi")

    @property
    def found(self) -> tuple[str, ...]:
        """Parameters that differ, in the form that ``group_partial`` takes: confirmed, or flagged while exploring."""
        return tuple(row.parameter for row in self.rows if row.verdict in ("confirmed", "exploratory"))

    def tidy(self) -> pd.DataFrame:
        """Return one row a parameter; see :class:`ItemDifference`."""
        names = list(ItemDifference.__dataclass_fields__)
        return pd.DataFrame([asdict(row) for row in self.rows], columns=names)

    def glance(self) -> pd.DataFrame:
        """Return one row: group, step, method, tested or picked, found, alpha, rows of both halves, seed, data_kind."""
        found = {
            "group": self.group,
            "step": self.step,
            "method": self.method,
            "parameters": len(self.rows),
            "found": len(self.found),
            "alpha": self.alpha,
            "n_search": self.n_search,
            "n_confirm": self.n_confirm,
            "seed": self.seed,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([found])

    def summary(self, language: str = "vi") -> str:
        """Return what was found and how far it may be trusted."""
        head = text(
            f"sem_comparison.search.head_{self.method}", language, group=self.group or "-", n=self.n_search,
            held=self.n_confirm, alpha=number(self.alpha, 2, language),
            step=text(f"sem_comparison.step.{self.step}", language),
        )  # fmt: skip
        shown = [row for row in self.rows if row.verdict != "not_flagged"]
        lines = [head, *(_sentence(row, language) for row in shown)]
        if not shown:
            lines.append(text("sem_comparison.search.none", language))
        lines.append(text(f"sem_comparison.search.reading_{self.method}", language))
        return "\n".join(lines)


def _sentence(row: ItemDifference, language: str) -> str:
    confirmed = np.isfinite(row.confirm_p)
    return "  " + text(
        f"sem_comparison.search.{row.verdict}", language, parameter=row.parameter,
        statistic=number(row.confirm_statistic if confirmed else row.statistic, 2, language), df=row.df,
        p=p_phrase(row.confirm_adjusted if confirmed else row.p_adjusted, language),
        spread=number(row.spread, 3, language),
    )  # fmt: skip


def invariance_search(
    model: str,
    data: Data,
    *,
    group: str | None = None,
    step: str = "scalar",
    method: str = "split",
    estimator: str = "MLR",
    missing: str = "listwise",
    alpha: float = 0.05,
    seed: int = 1,
    data_kind: DataKind = DataKind.USER,
) -> InvarianceSearch:
    """Search for loadings and intercepts that differ between groups.

    ``split``: the rows of each group are divided at random. In one half the equality whose score test is smallest
    (Bonferroni over those that stand to choose from) is let go, and so on while one is significant and two of each
    factor stay equal; loadings come first, then intercepts. What was picked is tested in the other half, one
    likelihood-ratio test each, with Holm's correction: there the error is ``alpha``, because these rows chose nothing.

    ``holm``: all equalities are tested once on all rows with Holm's correction (loadings in the metric model,
    intercepts in the scalar one). An item that differs makes others look different too: what is flagged is
    exploratory.

    Factors are scaled by variance one in the first group, so that every loading can be tested.

    Parameters
    ----------
    model : str
    data : Responses, DataFrame or mapping of label to Moments with rows
    group : str, optional
    step : {"metric", "scalar"}
        Loadings only, or intercepts too.
    method : {"split", "holm"}
    estimator : {"MLR", "ML", "MLM"}
    missing : {"listwise", "fiml"}
    alpha : float
        In (0, 1).
    seed : int
        Of the division; it does not depend on the order of rows or columns.
    data_kind : DataKind

    Returns
    -------
    InvarianceSearch

    Raises
    ------
    AnalysisError
        If there are fewer than two groups, or a group (with ``split`` one half of it) has too few rows.
    OptionError
        If an option is outside its vocabulary.

    References
    ----------
    Yoon & Millsap (2007), Structural Equation Modeling 14, 435-463, on how searches without confirmation err;
    MacCallum, Roznowski & Necowitz (1992), Psychological Bulletin 111, 490-504; Holm (1979).
    """
    _require_options(step, method, estimator, alpha, seed)
    start = group_model(
        model, data, group=group, estimator=estimator, group_partial=(), std_lv=True, orthogonal=False, level=0.95,
        data_kind=data_kind, missing=missing,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SipasWarning)  # fits on the way; the verdicts tell what came of them
        if method == HOLM:
            rows = _explored(start, step, alpha)
            sizes = (start.sample.n, 0)
        else:
            seen, unseen = _halves(start, seed)
            rows = _confirmed(start, unseen, _search(start, seen, step, alpha), step, alpha)
            sizes = (seen.n, unseen.n)
    return InvarianceSearch(rows, method, step, alpha, *sizes, seed, group or "", start.sample.data_kind)


def _require_options(step: str, method: str, estimator: str, alpha: float, seed: int) -> None:
    for name, value, allowed in (
        ("step", step, ("metric", "scalar")), ("method", method, (SPLIT, HOLM)),
        ("estimator", estimator, ("MLR", "ML", "MLM")),
    ):  # fmt: skip
        if value not in allowed:
            raise OptionError("sem.error.option", option=name, received=repr(value), allowed=", ".join(allowed))
    if not isinstance(alpha, float) or not 0 < alpha < 1:
        raise OptionError("sem_comparison.error.alpha", received=repr(alpha))
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise OptionError("sem_comparison.error.seed", received=repr(seed))


def _halves(start: GroupModel, seed: int) -> tuple[Sample, Sample]:
    """Divide the rows of each group at random; the division depends on their values, not on their order."""
    rng = np.random.default_rng(seed)
    first, second = [], []
    for part in sorted(start.sample.groups, key=lambda group: group.label):
        if part.rows is None:
            raise AnalysisError("sem_comparison.error.no_rows_to_split")
        values = np.concatenate(list(part.rows()))
        ordered = np.lexsort(values[:, np.argsort(part.names)].T)
        drawn = ordered[rng.permutation(part.n)]
        cut = part.n - part.n // 2
        build = sample_of_rows if part.holes is None else sample_with_holes
        first.append(build(GroupRows(values[np.sort(drawn[:cut])], part.names, part.label)))
        second.append(build(GroupRows(values[np.sort(drawn[cut:])], part.names, part.label)))
    halves = tuple(_sample(parts, start.sample) for parts in (first, second))
    for half in halves:
        require_rows(half, start.table(), half=True)
    return halves[0], halves[1]


def _sample(parts: Sequence[GroupSample], whole: Sample) -> Sample:
    place = {part.label: part for part in parts}
    groups = tuple(place[label] for label in whole.labels)
    return Sample(groups, sum(part.n for part in groups), whole.data_kind, whole.checked)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An equality across groups that could be let go, with its score test."""

    parameter: str
    family: str
    factors: tuple[str, ...]
    statistic: float
    df: int
    p_value: float


def _tested(fit: SemFit, family: str) -> list[_Candidate]:
    """Return the score test of each loading or intercept that is equal in all groups."""
    system = row_system(fit)
    rows = [fit.table.rows[k] for k in system.rows]
    measured: dict[str, list[str]] = {}
    for row in fit.table.rows:
        if row.op == "=~" and row.group == 0:
            measured.setdefault(row.rhs, []).append(row.lhs)
    op = "=~" if family == "loadings" else "~1"
    classes: dict[int, list[int]] = {}
    for k, row in enumerate(rows):
        if row.op == op and row.lhs not in (fit.table.latents if op == "~1" else ()):
            classes.setdefault(row.free, []).append(k)
    found = []
    for places in classes.values():
        first = rows[places[0]]
        named = {(rows[k].lhs, rows[k].rhs) for k in places}
        if len(places) != len(fit.groups) or len(named) != 1 or first.label:
            continue
        along = np.eye(len(rows))[:, places[1:]]
        statistic, df, _ = system.released(along)
        factors = (first.lhs,) if op == "=~" else tuple(measured.get(first.lhs, ()))
        tail = chi_square_p(statistic, df) if df else 1.0
        found.append(_Candidate(f"{first.lhs}{first.op}{first.rhs}", family, factors, statistic, df, tail))
    return found


def _families(step: str) -> tuple[tuple[str, str], ...]:
    """Return the steps to search in turn with the family that each adds."""
    return tuple((name, STEPS[name][-1]) for name in ("metric", "scalar")[: 1 if step == "metric" else 2])


def _search(start: GroupModel, seen: Sample, step: str, alpha: float) -> list[ItemDifference]:
    """Let equalities go one after the other in the half that may be searched."""
    picked: list[ItemDifference] = []
    for name, family in _families(step):
        while True:
            fit = start.fit(name, tuple(row.parameter for row in picked), seen)
            if not fit.converged:
                break
            tests = _tested(fit, family)
            left: dict[str, int] = {}
            for each in tests:
                for factor in each.factors:
                    left[factor] = left.get(factor, 0) + 1
            open_to = [each for each in tests if each.df and all(left[f] > ANCHORS for f in each.factors)]
            best = min(open_to, key=lambda each: (each.p_value, -each.statistic, each.parameter), default=None)
            if best is None or best.p_value * len(open_to) >= alpha:
                break
            adjusted = min(1.0, best.p_value * len(open_to))
            picked.append(_row(best, adjusted, "not_confirmed"))
    return picked


def _row(each: _Candidate, adjusted: float, verdict: str) -> ItemDifference:
    return ItemDifference(
        each.parameter, each.family, each.statistic, each.df, each.p_value, adjusted, NAN, NAN, NAN, NAN, verdict
    )


def _confirmed(
    start: GroupModel, unseen: Sample, picked: list[ItemDifference], step: str, alpha: float
) -> tuple[ItemDifference, ...]:
    """Test what was picked in the half that chose nothing: the model with all of it free against each one equal."""
    names = tuple(row.parameter for row in picked)
    if not names:
        return ()
    free = start.fit(step, names, unseen)
    tests = []
    for name in names:
        bound = start.fit(step, tuple(other for other in names if other != name), unseen)
        usable = free.converged and bound.converged
        tests.append(difference(free, bound) if usable else None)
    tails = [each.p_value if each is not None and np.isfinite(each.p_value) else 1.0 for each in tests]
    adjusted = holm(np.array(tails))
    return tuple(
        replace(
            row, confirm_statistic=test.statistic if test is not None else NAN, confirm_p=tail, confirm_adjusted=holms,
            spread=_spread(free, row.parameter), verdict="confirmed" if holms < alpha else "not_confirmed",
        )
        for row, test, tail, holms in zip(picked, tests, tails, adjusted.tolist(), strict=True)
    )  # fmt: skip


def _explored(start: GroupModel, step: str, alpha: float) -> tuple[ItemDifference, ...]:
    tests: list[_Candidate] = []
    for name, family in _families(step):
        tests += _tested(start.fit(name, ()), family)
    adjusted = holm(np.array([each.p_value for each in tests]))
    flagged = tuple(each.parameter for each, p in zip(tests, adjusted, strict=True) if p < alpha)
    free = start.fit(step, flagged) if flagged else None
    rows = []
    for each, p in zip(tests, adjusted.tolist(), strict=True):
        row = _row(each, p, "exploratory" if p < alpha else "not_flagged")
        if free is not None and p < alpha and free.converged:
            row = replace(row, spread=_spread(free, each.parameter))
        rows.append(row)
    return tuple(sorted(rows, key=lambda row: (row.p_value, -row.statistic, row.parameter)))


def _spread(fit: SemFit, parameter: str) -> float:
    values = [
        float(value)
        for row, value in zip(fit.table.rows, fit.values, strict=True)
        if f"{row.lhs}{row.op}{row.rhs}" == parameter
    ]
    return max(values) - min(values) if values else NAN
