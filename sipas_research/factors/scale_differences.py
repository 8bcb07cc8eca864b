"""Every scale compared between the groups of every fact: one family of tests, corrected for their number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, SipasError
from sipas_research.factors.group_differences import MOST_PAIRED, Division, compare_division, divide
from sipas_research.factors.group_result import Comparison
from sipas_research.factors.options import check_level, list_names
from sipas_research.factors.scores import score
from sipas_research.numerics.disclosure import suppress
from sipas_research.numerics.group_tests import Effect
from sipas_research.numerics.multiplicity import holm
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.survey.agency_level import LEVEL, with_agency_level
from sipas_research.survey.responses import Responses, require_responses
from sipas_research.wording import text

NAN = float("nan")
#: Corrected p-values below this make a comparison's pairs worth a look.
ALPHA = 0.05
#: Pairs, where there are clusters and where there are none.
_PAIRS = ("games_howell", "cluster_holm")


@dataclass(frozen=True, slots=True)
class GroupSize:
    """Forms of one group, whether or not they have a score; NaN where hidden."""

    group: str
    n: float
    suppressed: bool


@dataclass(frozen=True, slots=True, eq=False)
class ScaleComparisons:
    """All scales between the groups of all facts.

    Attributes
    ----------
    comparisons : tuple of Comparison
        Fact by fact, scale by scale; pairs only where the corrected test is below ``alpha``.
    adjusted : tuple of float
        Holm's p-value of each comparison's leading test, corrected for all of them; NaN where it has none.
    sizes : tuple of (str, tuple of GroupSize)
        Forms in each group of each fact.
    gaps : tuple of (str, str, SipasError)
        Fact, scale and why they could not be compared; the scale is "" where the fact itself cannot be used.
    outcomes : tuple of str
    level, alpha : float
    data_kind : DataKind
    """

    comparisons: tuple[Comparison, ...]
    adjusted: tuple[float, ...]
    sizes: tuple[tuple[str, tuple[GroupSize, ...]], ...]
    gaps: tuple[tuple[str, str, SipasError], ...]
    outcomes: tuple[str, ...]
    level: float
    alpha: float
    data_kind: DataKind

    @property
    def facts(self) -> tuple[str, ...]:
        """Facts with at least one comparison."""
        return tuple(dict.fromkeys(c.by for c in self.comparisons))

    @property
    def clear(self) -> tuple[Comparison, ...]:
        """Comparisons whose corrected p-value is below ``alpha``."""
        return tuple(c for c, p in zip(self.comparisons, self.adjusted, strict=True) if p < self.alpha)

    def of(self, by: str) -> tuple[tuple[Comparison, float], ...]:
        """Return the comparisons of one fact, each with its corrected p-value."""
        pairs = zip(self.comparisons, self.adjusted, strict=True)
        return tuple((c, p) for c, p in pairs if c.by == by)

    def tidy(self) -> pd.DataFrame:
        """One row a comparison: ``term`` the scale, ``group`` the fact, ``estimate`` the effect size with its interval.

        Then the leading test's name, statistic and p-value, Holm's p-value, people, and the effect's name.
        """
        rows = []
        for found, adjusted in zip(self.comparisons, self.adjusted, strict=True):
            name, test = found.leading
            effect, size = leading_effect(found)
            rows.append({"term": found.outcome, "group": found.by, "estimate": size.estimate, "std_error": NAN,
                         "statistic": test.statistic, "p_value": test.p_value, "conf_low": size.conf_low,
                         "conf_high": size.conf_high, "note": "", "effect": effect, "test": name,
                         "p_adjusted": adjusted, "n": found.n, "n_groups": len(found.shown)})  # fmt: skip
        columns = [*TIDY_COLUMNS, "effect", "test", "p_adjusted", "n", "n_groups"]
        return pd.DataFrame(rows, columns=columns).assign(data_kind=self.data_kind.value)

    def groups(self) -> pd.DataFrame:
        """One row a fact, scale and group: n, mean, standard deviation, interval; nothing where hidden."""
        parts = [c.groups().assign(by=c.by, outcome=c.outcome) for c in self.comparisons]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def pairs(self) -> pd.DataFrame:
        """One row a pair of groups, of the comparisons that stay clear after the correction."""
        parts = [c.pairs().assign(by=c.by, outcome=c.outcome) for c in self.comparisons if c.pair_rows]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def glance(self) -> pd.DataFrame:
        """Return one row: facts, scales, comparisons, how many stay clear, how many could not be made."""
        row = {
            "n_facts": len(self.facts),
            "n_outcomes": len(self.outcomes),
            "n_comparisons": len(self.comparisons),
            "n_clear": len(self.clear),
            "n_gaps": len(self.gaps),
            "alpha": self.alpha,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return how many comparisons were made and how many stay clear after the correction."""
        return text(
            "comparisons.summary",
            language,
            facts=len(self.facts),
            outcomes=len(self.outcomes),
            count=len(self.comparisons),
            clear=len(self.clear),
        )


def leading_effect(found: Comparison) -> tuple[str, Effect]:
    """Return Hedges' g for two groups, eta squared for more, with its name."""
    effects = dict(found.effect_sizes)
    name = "hedges_g" if "hedges_g" in effects else "eta_squared"
    return name, effects[name]


def comparable_facts(responses: Responses) -> tuple[str, ...]:
    """Return the categories with two to eight answers, in the order of the form, then the level of the agency.

    Facts of the most sensitive kind are compared only when they are asked for by name.
    """
    responses = with_agency_level(responses)
    facts = [q for q in responses.questionnaire.facts() if q.kind == "category" and q.personal != "sensitive"]
    return tuple(q.id for q in facts if responses.has(q.id) and 1 < responses.frame[q.id].nunique() <= MOST_PAIRED)


def compare_scales(
    responses: Responses,
    by: Iterable[str] | None = None,
    outcomes: Iterable[str] | None = None,
    *,
    cluster: str | None = "agency",
    level: float = 0.95,
    alpha: float = ALPHA,
) -> ScaleComparisons:
    """Compare every scale between the groups of every fact.

    The leading test of each comparison follows one rule, set before the data are seen: robust to clusters where the
    file has agencies, else Welch's t-test or analysis of variance; never chosen by a test of variances, which distorts
    what follows (Zimmerman 2004; Delacre, Leys, Mora & Lakens 2019). Holm's correction covers all comparisons. Pairs
    (Games-Howell; robust to clusters with Holm) are made where the corrected p-value is below ``alpha``. No weights
    are used. Groups are hidden as in :func:`sipas_research.factors.group_differences.compare_groups`.

    Parameters
    ----------
    responses : Responses
    by : iterable of str, optional
        Facts; None takes all categories with two to eight answers and the level of the agency.
    outcomes : iterable of str, optional
        Scales or items; None takes all scales with answers.
    cluster : str or None
        Column of the clusters.
    level : float
        Coverage of intervals.
    alpha : float
        Level of the corrected tests.

    Returns
    -------
    ScaleComparisons
        What could not be compared stands in ``gaps`` with its reason.

    Raises
    ------
    AnalysisError
        If the form has no fact to compare by, or no scale.
    OptionError
        If a scale is unknown, or ``level`` or ``alpha`` is not in (0, 1).

    References
    ----------
    Zimmerman (2004), British Journal of Mathematical and Statistical Psychology 57, 173-181. Delacre et al. (2019),
    International Review of Social Psychology 32, 13. Holm (1979), Scandinavian Journal of Statistics 6, 65-70.
    """
    require_responses(responses)
    check_level(level)
    check_level(alpha)
    facts = comparable_facts(responses) if by is None else tuple(dict.fromkeys(list_names(by)))
    if not facts:
        raise AnalysisError("groups.error.no_facts")
    names = responses.scale_items() if outcomes is None else list_names(outcomes)
    values = {name: score(responses, name).to_numpy(float) for name in names}
    if not values:
        raise AnalysisError("agreement.error.no_scores")
    divisions, gaps = _divisions(responses, facts, cluster)
    made: list[tuple[Comparison, Division]] = []
    for division in divisions:
        for name, column in values.items():
            try:
                found = compare_division(column, division, name, level=level, pairs=(), data_kind=responses.data_kind)
            except AnalysisError as reason:
                gaps.append((division.by, name, reason))
            else:
                made.append((found, division))
    adjusted = _adjusted([found for found, _ in made])
    kind = responses.data_kind
    compared = [
        compare_division(values[found.outcome], division, found.outcome, level=level, pairs=_PAIRS, data_kind=kind)
        if p < alpha and len(found.shown) > 2
        else found
        for (found, division), p in zip(made, adjusted, strict=True)
    ]
    sizes = tuple((division.by, _sizes(division)) for division in divisions)
    return ScaleComparisons(tuple(compared), adjusted, sizes, tuple(gaps), tuple(values), level, alpha, kind)


def _divisions(
    responses: Responses, facts: tuple[str, ...], cluster: str | None
) -> tuple[list[Division], list[tuple[str, str, SipasError]]]:
    """Divide the rows by each fact; a fact that was not asked is a gap, a name that nobody knows an error."""
    divisions: list[Division] = []
    gaps: list[tuple[str, str, SipasError]] = []
    for fact in facts:
        try:
            divisions.append(divide(with_agency_level(responses) if fact == LEVEL else responses, fact, cluster))
        except AnalysisError as reason:
            gaps.append((fact, "", reason))
    return divisions, gaps


def _adjusted(found: list[Comparison]) -> tuple[float, ...]:
    tails = np.array([c.leading[1].p_value for c in found])
    known = np.isfinite(tails)
    adjusted = np.full(len(tails), NAN)
    adjusted[known] = holm(tails[known])
    return tuple(adjusted.tolist())


def _sizes(division: Division) -> tuple[GroupSize, ...]:
    counts = [int((division.member == place).sum()) for place in range(len(division.labels))]
    hidden = suppress([*counts, int((division.member < 0).sum())])[:-1].tolist()
    return tuple(
        GroupSize(label, NAN if gone else float(n), gone)
        for label, n, gone in zip(division.labels, counts, hidden, strict=True)
    )
