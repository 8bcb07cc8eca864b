"""Any analysis once more without the suspect forms, and what changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sipas_research.errors import OptionError
from sipas_research.numerics.disclosure import suppress
from sipas_research.results import TIDY_COLUMNS, DataKind, Result
from sipas_research.survey.response_quality import AT_LEAST, require_suspects, without_suspects
from sipas_research.survey.response_signs import Rules
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, text


@dataclass(frozen=True, slots=True, eq=False)
class Rerun:
    """One analysis with and without the suspects.

    Attributes
    ----------
    everyone, cleaned : Result
        What the analysis gave.
    n, n_removed : int
        Forms in all, and suspects among them.
    data_kind : DataKind
    """

    everyone: Result
    cleaned: Result
    n: int
    n_removed: int
    data_kind: DataKind

    def tidy(self) -> pd.DataFrame:
        """One row a quantity of either table: estimate without suspects, estimate_all with them, difference.

        Where 1 to 9 of the people behind a quantity are gone, or their share would follow from the other groups, the
        estimate without them is withheld: the difference would tell what these few people answered.
        """
        whole, rest = (_numbered(result.tidy()) for result in (self.everyone, self.cleaned))
        keys = ["term", "group", "place"]
        # an outer merge would sort; quantities stand in the order of the analysis
        order = pd.concat([whole[keys], rest[keys]]).drop_duplicates(ignore_index=True)
        both = order.merge(rest, on=keys, how="left").merge(whole, on=keys, how="left", suffixes=("", "_all"))
        few = _few_gone(both)
        both.loc[few, ["estimate", "std_error"]] = np.nan
        both = both.assign(difference=both["estimate"] - both["estimate_all"])
        missing = both["estimate"].isna() ^ both["estimate_all"].isna()
        both["note"] = np.where(missing, "response_quality.note.one_side", "")
        both.loc[few, "note"] = "response_quality.note.few_gone"
        table = both.reindex(columns=[*TIDY_COLUMNS, "estimate_all", "std_error_all", "difference"])
        return table.assign(n_removed=self.n_removed, data_kind=self.data_kind.value)

    def glance(self) -> pd.DataFrame:
        """Return one row: forms, suspects, quantities compared, largest change."""
        changes = self.tidy()["difference"].abs()
        row = {
            "n": self.n,
            "n_removed": self.n_removed,
            "n_compared": int(changes.notna().sum()),
            "largest_change": float(changes.max()) if changes.notna().any() else float("nan"),
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return how many forms are gone and the largest change."""
        table = self.tidy()
        changes = table["difference"].abs()
        if not changes.notna().any():
            return text("response_quality.summary.rerun_nothing", language, removed=self.n_removed, n=self.n)
        place = changes.idxmax()
        row = table.loc[place]
        return text(
            "response_quality.summary.rerun",
            language,
            removed=self.n_removed,
            n=self.n,
            compared=int(changes.notna().sum()),
            term=" ".join(str(part) for part in (row["group"], row["term"]) if part),
            before=number(row["estimate_all"], 3, language),
            after=number(row["estimate"], 3, language),
        )


def rerun_without_suspects(
    responses: Responses,
    analyse: Callable[[Responses], Result],
    *,
    rules: Rules = None,
    at_least: int = AT_LEAST,
) -> Rerun:
    """Run an analysis with all forms and without the suspects.

    Parameters
    ----------
    responses : Responses
    analyse : callable
        Takes Responses, gives a result with ``tidy()``, such as ``sr.reliability``.
    rules, at_least
        As in :func:`sipas_research.survey.response_quality.response_quality`.

    Returns
    -------
    Rerun

    Raises
    ------
    AnalysisError
        If fewer than ten forms are suspects: the difference would tell what these few people answered.
    OptionError
        If ``analyse`` does not give a result.
    """
    if not callable(analyse):
        raise OptionError("response_quality.error.analyse", received=type(analyse).__name__)
    cleaned = without_suspects(responses, rules=rules, at_least=at_least)
    gone = require_suspects(responses, cleaned)
    results = [analyse(part) for part in (responses, cleaned)]
    for result in results:
        if not isinstance(result, Result):
            raise OptionError("response_quality.error.analyse", received=type(result).__name__)
    return Rerun(results[0], results[1], len(responses), gone, responses.data_kind)


def _few_gone(both: pd.DataFrame) -> NDArray[np.bool_]:
    """Return the rows that a few removed people, alone or by the other groups of the same term, tell about."""
    gone = (both["n_all"].astype(float) - both["n"].astype(float)).to_numpy()
    known = gone >= 0
    few = np.zeros(len(both), dtype=bool)
    for _, places in both.groupby("term", sort=False).indices.items():
        inside = places[known[places]]
        if len(inside):
            few[inside] = suppress(gone[inside].astype(np.int64))
    return few


def _numbered(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that are compared; rows of one term and group are told apart by their order."""
    picked = table.reindex(columns=["term", "group", "estimate", "std_error", "n"])
    picked = picked.assign(term=picked["term"].astype(str), group=picked["group"].astype(object).fillna("").astype(str))
    return picked.assign(place=picked.groupby(["term", "group"], sort=False).cumcount())
