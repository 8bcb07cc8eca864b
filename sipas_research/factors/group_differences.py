"""Whether groups of respondents differ in their mean: t-test, Welch, analysis of variance, pairs, effect sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.factors.group_pairs import cluster_pairs, games_howell, tukey
from sipas_research.factors.group_result import Comparison, GroupRow, PairRow, TestRow
from sipas_research.factors.options import check_level, list_names
from sipas_research.factors.scores import OVERALL, score
from sipas_research.numerics import group_tests
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.disclosure import MINIMUM_CELL, suppress
from sipas_research.numerics.group_tests import Effect, MeanTest
from sipas_research.numerics.intervals import t_quantile
from sipas_research.numerics.sandwich import cluster_covariance
from sipas_research.results import DataKind
from sipas_research.survey.agency_level import LEVEL, with_agency_level
from sipas_research.survey.comparison import near
from sipas_research.survey.responses import Responses, require_responses

NAN = float("nan")
#: With more groups than this pairs are not compared: 8 groups are 28 pairs already.
MOST_PAIRED = 8
#: Ways to compare pairs, and those that are made unless others are asked for.
PAIR_METHODS = ("tukey", "games_howell", "cluster_holm")
USUAL_PAIRS = ("tukey", "games_howell")
#: Clusters unless others are asked for; a form need not have them.
USUAL_CLUSTER = "agency"


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """Rows divided by one fact.

    Attributes
    ----------
    by : str
    labels : tuple of str
        Groups in the order of questionnaire, register or calendar.
    member : (n,) array of int
        Each row's place among them, -1 for none.
    clusters : (n,) array of int, or None
        Each row's cluster, -1 for none; None where no clusters are used.
    """

    by: str
    labels: tuple[str, ...]
    member: np.ndarray
    clusters: np.ndarray | None


def compare_groups(
    responses: Responses,
    by: str,
    outcome: str = OVERALL,
    *,
    cluster: str | None = "agency",
    level: float = 0.95,
    pairs: Sequence[str] = USUAL_PAIRS,
) -> Comparison:
    """Compare the mean of a score between the groups of one fact, in the form that theses print.

    Two groups: Student's and Welch's t-test, Cohen's d, Hedges' g. Any number: Levene (mean) and Brown-Forsythe
    (median), analysis of variance, Welch's analysis of variance, Kruskal-Wallis on ranks, eta and omega squared;
    three to eight groups also pairs. All of these take answers as independent; where ``cluster`` is there, a Wald test
    with cluster-robust covariance stands beside them. No weights are used.

    Groups of 1 to 9 people, groups whose members all have one score, and what would let them be derived
    (:func:`sipas_research.numerics.disclosure.suppress`) are left out of every figure.

    Parameters
    ----------
    responses : Responses
    by : str
        A category, "agency", "year", or "level" (of the agency, from the register).
    outcome : str
        "overall" (mean of the items of overall satisfaction), "index" (share of high answers over the factors'
        items, 0-1), or the id of a scale or item.
    cluster : str or None
        Column of the clusters; not used where it is absent, is ``by`` itself, or has one value.
    level : float
        Coverage of the intervals, in (0, 1).
    pairs : sequence of str
        Of "tukey", "games_howell" and "cluster_holm" (robust to clusters, with Holm's correction).

    Returns
    -------
    Comparison

    Raises
    ------
    AnalysisError
        If fewer than two groups may be shown, or the score does not vary.
    OptionError
        If the fact or the outcome is unknown, or of a kind that could point at one person.

    References
    ----------
    Welch (1951), Biometrika 38, 330-336. Games & Howell (1976), Journal of Educational Statistics 1, 113-125.
    Kruskal & Wallis (1952), JASA 47, 583-621. Hoang Trong & Chu Nguyen Mong Ngoc (2008).
    """
    check_level(level)
    pairs = list_names(pairs)
    for method in pairs:
        if method not in PAIR_METHODS:
            raise OptionError("comparisons.error.pairs", received=str(method), known=", ".join(PAIR_METHODS))
    values = score(responses, outcome).to_numpy(float)
    found = divide(responses, by, cluster)
    return compare_division(values, found, outcome, level=level, pairs=pairs, data_kind=responses.data_kind)


def divide(responses: Responses, by: str, cluster: str | None = "agency") -> Division:
    """Return the rows divided by one fact, with their clusters."""
    labels, member = members(responses, by)
    return Division(by, tuple(labels), member, _cluster_codes(responses, cluster, by))


def compare_division(
    values: Array, division: Division, outcome: str, *, level: float, pairs: Sequence[str], data_kind: DataKind
) -> Comparison:
    """Compare a score, one value a row, between the groups of a division (see :func:`compare_groups`)."""
    member, labels, clusters = division.member, division.labels, division.clusters
    without_fact = int((member[~np.isnan(values)] < 0).sum())
    member = np.where(np.isnan(values), -1, member)
    groups = [values[member == place] for place in range(len(labels))]
    hidden = _hidden(groups, without_fact)
    shown = [place for place in range(len(labels)) if not hidden[place] and len(groups[place])]
    if len(shown) < 2:
        raise AnalysisError("groups.error.few_groups", by=division.by, minimum=MINIMUM_CELL)
    kept = [groups[place] for place in shown]
    if np.ptp(np.concatenate(kept)) == 0:
        raise AnalysisError("groups.error.no_spread", outcome=outcome)
    tests, pair_rows, count = _tests(kept, level), _pairs([labels[p] for p in shown], kept, level, pairs), 0
    if clusters is not None:
        used = np.isin(member, shown) & (clusters >= 0)
        places, count = np.unique(member[used], return_inverse=True)[1], len(np.unique(clusters[used]))
        tests.append(("cluster_wald", _cluster_wald(values[used], places, clusters[used])))
        if "cluster_holm" in pairs and 2 < len(shown) <= MOST_PAIRED and len(np.unique(places)) == len(shown):
            pair_rows += cluster_pairs([labels[p] for p in shown], values[used], places, clusters[used], level)
    return Comparison(
        division.by,
        outcome,
        tuple(_group_row(label, g, bool(h), level) for label, g, h in zip(labels, groups, hidden, strict=False)),
        tuple(TestRow(name, test, _test_note(test)) for name, test in tests),
        tuple(_effects(kept, level)),
        tuple(pair_rows),
        sum(map(len, kept)),
        count,
        level,
        data_kind,
    )


def members(responses: Responses, by: str) -> tuple[list[str], np.ndarray]:
    """Return labels in the order of questionnaire, register or calendar, and each row's place (-1: none)."""
    require_responses(responses)
    by = str(by)
    if by == LEVEL:
        responses = with_agency_level(responses)
    facts = {q.id: q for q in responses.questionnaire.facts()}
    if by == LEVEL and LEVEL not in facts:
        raise AnalysisError("comparisons.error.no_level")
    allowed = [q.id for q in facts.values() if q.kind == "category" or q.id in {"agency", "year"}]
    if by not in allowed:
        usable = [name for name in allowed if responses.has(name)]
        raise OptionError("groups.error.by", by=by, known=", ".join(near(by, usable) or usable) or "–")
    if not responses.has(by):
        raise AnalysisError("groups.error.by_absent", by=by)
    column = responses.frame[by]
    if by == "agency":
        order: list[object] = [code for code in responses.agencies.codes() if column.eq(code).any()]
        order += sorted(set(column.dropna()) - set(order))
    elif by == "year":
        order = sorted(column.dropna().unique())
    else:
        order = [code for code in facts[by].valid_codes if column.eq(code).any()]
    member = np.full(len(column), -1)
    for place, value in enumerate(order):
        member[column.eq(value).fillna(False).to_numpy(bool)] = place
    return [str(int(v)) if isinstance(v, float | np.number) else str(v) for v in order], member


def _hidden(groups: Sequence[Array], rest: int) -> np.ndarray:
    """Return which groups to hide.

    People with a score but without the fact (``rest``) are a cell too: never printed, it may cover for a small group.
    Where it alone is small it costs no group, since it says nothing about anyone (as in the profile of respondents).
    People without a score cover for nobody: the comparison by another fact tells how many have one.
    """
    uniform = np.array([len(g) > 0 and np.ptp(g) == 0 for g in groups], dtype=bool)
    sizes = np.array([len(g) for g in groups])
    if not (uniform | ((sizes > 0) & (sizes < MINIMUM_CELL))).any() and sizes.sum() >= MINIMUM_CELL:
        return np.zeros(len(groups), dtype=bool)
    return suppress([*sizes, rest], withheld=[*uniform, False])[:-1]


def _cluster_codes(responses: Responses, cluster: str | None, by: str) -> np.ndarray | None:
    if cluster is None:
        return None
    known = [q.id for q in responses.questionnaire.facts()]
    if cluster not in known and cluster != USUAL_CLUSTER:
        # a misspelt name would leave out what makes the tests honest
        usable = [name for name in known if responses.has(name)]
        near_ones = near(str(cluster), usable) or usable
        raise OptionError("groups.error.cluster", received=str(cluster), known=", ".join(near_ones) or "–")
    if cluster == by or cluster not in known or not responses.has(cluster):
        return None
    codes = responses.frame[cluster].astype("category").cat.codes.to_numpy()
    return codes if len(np.unique(codes[codes >= 0])) > 1 else None


def _tests(groups: list[Array], level: float) -> list[tuple[str, MeanTest]]:
    from scipy.stats import kruskal

    found: list[tuple[str, MeanTest]] = []
    if len(groups) == 2:
        found.append(("student_t", group_tests.student_t(groups[0], groups[1], level)))
        found.append(("welch_t", group_tests.welch_t(groups[0], groups[1], level)))
    found.append(("levene", group_tests.levene(groups)))
    found.append(("brown_forsythe", group_tests.levene(groups, centre="median")))
    if len(groups) > 2:
        found.append(("anova", group_tests.anova(groups)))
        found.append(("welch_anova", group_tests.welch_anova(groups)))
    ranks = kruskal(*groups)
    found.append(("kruskal_wallis", MeanTest(float(ranks.statistic), len(groups) - 1.0, NAN, float(ranks.pvalue))))
    return found


def _test_note(test: MeanTest) -> str:
    return "" if np.isfinite(test.p_value) else "groups.note.no_test"


def _cluster_wald(values: Array, member: np.ndarray, clusters: np.ndarray) -> MeanTest:
    """Return the F test that all groups share one mean, with covariance robust to clusters.

    W / q on q and G - 1 degrees of freedom (Cameron & Miller 2015, section VI). Not defined where the groups
    outnumber what the clusters can tell.
    """
    from scipy.special import fdtrc

    design = np.eye(int(member.max()) + 1)[member]
    design[:, 0] = 1.0
    count, restrictions = len(np.unique(clusters)), design.shape[1] - 1
    if count - 1 < restrictions or count < 2:
        return MeanTest(NAN, restrictions, count - 1.0, NAN)
    coefficients = np.linalg.solve(design.T @ design, design.T @ values)
    covariance = cluster_covariance(design, values - design @ coefficients, clusters)[1:, 1:]
    if np.linalg.matrix_rank(covariance) < restrictions:
        return MeanTest(NAN, restrictions, count - 1.0, NAN)
    f = float(coefficients[1:] @ np.linalg.solve(covariance, coefficients[1:])) / restrictions
    return MeanTest(f, restrictions, count - 1.0, float(fdtrc(restrictions, count - 1.0, f)))


def _effects(groups: list[Array], level: float) -> list[tuple[str, Effect]]:
    found: list[tuple[str, Effect]] = []
    if len(groups) == 2:
        found.append(("cohen_d", group_tests.cohen_d(groups[0], groups[1], level)))
        found.append(("hedges_g", group_tests.hedges_g(groups[0], groups[1], level)))
    test = group_tests.anova(groups)
    found.append(("eta_squared", group_tests.eta_squared(test, level)))
    found.append(("omega_squared", group_tests.omega_squared(test)))
    return found


def _group_row(label: str, values: Array, hidden: bool, level: float) -> GroupRow:
    if hidden or len(values) == 0:
        note = "groups.note.hidden" if hidden else "groups.note.no_answers"
        return GroupRow(label, NAN if hidden else 0.0, NAN, NAN, NAN, NAN, NAN, hidden, note)
    n, mean, sd = len(values), float(values.mean()), float(values.std(ddof=1))
    error = sd / float(np.sqrt(n))
    reach = t_quantile(level, n - 1) * error
    return GroupRow(label, float(n), mean, sd, error, mean - reach, mean + reach, False, "")


def _pairs(labels: list[str], groups: list[Array], level: float, methods: Sequence[str] = USUAL_PAIRS) -> list[PairRow]:
    """Return the pairs of three to eight groups."""
    if not 2 < len(groups) <= MOST_PAIRED:
        return []
    rows = tukey(labels, groups, level) if "tukey" in methods else []
    return rows + (games_howell(labels, groups, level) if "games_howell" in methods else [])
