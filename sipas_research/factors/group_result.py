"""What a comparison of groups found."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import pandas as pd

from sipas_research.numerics.group_tests import Effect, MeanTest
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.wording import number, p_value, text

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group: people with a score, mean, standard deviation, standard error and interval of the mean."""

    group: str
    n: float
    mean: float
    sd: float
    std_error: float
    conf_low: float
    conf_high: float
    suppressed: bool
    note: str


@dataclass(frozen=True, slots=True)
class TestRow:
    """One test by its name; ``note`` is a catalogue key where it does not exist."""

    __test__ = False  # the name is the field's, not pytest's

    term: str
    test: MeanTest
    note: str


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two groups compared, adjusted for all pairs: ``method`` "tukey" or "games_howell"."""

    method: str
    first: str
    second: str
    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    p_value: float


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Groups of one fact compared in one score.

    Attributes
    ----------
    by, outcome : str
    group_rows : tuple of GroupRow
        In the order of questionnaire, register or calendar; hidden groups carry no figure.
    test_rows : tuple of TestRow
    effect_sizes : tuple of (str, Effect)
    pair_rows : tuple of PairRow
        Empty for two groups and for more than eight.
    n, clusters : int
        People in the groups that are shown; clusters of the Wald test, 0 where there is none.
    level : float
    data_kind : DataKind
    """

    by: str
    outcome: str
    group_rows: tuple[GroupRow, ...]
    test_rows: tuple[TestRow, ...]
    effect_sizes: tuple[tuple[str, Effect], ...]
    pair_rows: tuple[PairRow, ...]
    n: int
    clusters: int
    level: float
    data_kind: DataKind

    @property
    def shown(self) -> tuple[GroupRow, ...]:
        """Groups that are compared."""
        return tuple(row for row in self.group_rows if row.n > 0 and not row.suppressed)

    def groups(self) -> pd.DataFrame:
        """One row a group."""
        return pd.DataFrame([astuple(r) for r in self.group_rows], columns=[f.name for f in fields(GroupRow)])

    def tidy(self) -> pd.DataFrame:
        """One row a test: common columns, then df1, df2 and the kind of the data."""
        rows = [
            {
                "term": row.term,
                "group": "",
                "estimate": row.test.estimate,
                "std_error": row.test.std_error,
                "statistic": row.test.statistic,
                "p_value": row.test.p_value,
                "conf_low": row.test.conf_low,
                "conf_high": row.test.conf_high,
                "note": row.note,
                "df1": row.test.df1,
                "df2": row.test.df2,
                "data_kind": self.data_kind.value,
            }
            for row in self.test_rows
        ]
        return pd.DataFrame(rows, columns=[*TIDY_COLUMNS, "df1", "df2", "data_kind"])

    def effects(self) -> pd.DataFrame:
        """One row an effect size: term, estimate, conf_low, conf_high."""
        rows = [(name, e.estimate, e.conf_low, e.conf_high) for name, e in self.effect_sizes]
        return pd.DataFrame(rows, columns=["term", "estimate", "conf_low", "conf_high"])

    def pairs(self) -> pd.DataFrame:
        """One row a pair and method; p-values are adjusted for the number of pairs."""
        return pd.DataFrame([astuple(r) for r in self.pair_rows], columns=[f.name for f in fields(PairRow)])

    def test(self, term: str) -> MeanTest | None:
        """Return one test by name, None where it was not made."""
        return next((row.test for row in self.test_rows if row.term == term), None)

    @property
    def leading(self) -> tuple[str, MeanTest]:
        """The test that is read first: robust to clusters where it exists, else Welch's, as variances may differ."""
        for name in ("cluster_wald", "welch_t", "welch_anova", "kruskal_wallis"):
            test = self.test(name)
            if test is not None and test.p_value == test.p_value:
                return name, test
        return self.test_rows[0].term, self.test_rows[0].test

    def glance(self) -> pd.DataFrame:
        """Return one row: groups shown, people, the leading test and its p-value."""
        name, test = self.leading
        row = {
            "by": self.by,
            "outcome": self.outcome,
            "n_groups": len(self.shown),
            "n_suppressed": sum(r.suppressed for r in self.group_rows),
            "n": self.n,
            "n_clusters": self.clusters,
            "test": name,
            "p_value": test.p_value,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return the leading test and the share of variance between groups in one sentence."""
        name, test = self.leading
        share = dict(self.effect_sizes)["eta_squared"].estimate
        return text(
            "groups.summary.comparison",
            language,
            by=self.by,
            outcome=self.outcome,
            groups=len(self.shown),
            n=self.n,
            test=text(f"groups.test.{name}", language),
            p=p_value(test.p_value, language),
            eta=number(share, 3, language),
        )
