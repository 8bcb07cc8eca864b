"""Attacks on the scorecards of all agencies together: what is hidden must not follow from what is shown."""

from dataclasses import replace

import numpy as np
import pytest

from sipas_research.errors import AnalysisError
from sipas_research.framework.scorecard import scorecard
from sipas_research.survey.agencies import AgencyRegister


def with_levels(survey, levels):
    register = tuple(replace(a, level=levels[a.code]) for a in survey.agencies.agencies)
    return replace(survey, agencies=AgencyRegister(register))


def cards(survey):
    found = {}
    for agency in survey.agencies.codes():
        try:
            found[agency] = scorecard(survey, agency)
        except AnalysisError:
            continue
    return found


def test_levels_do_not_tell_a_small_agency_from_its_complement(small):
    """The unknowns are satisfied and given answers of the small agency; two shown peers are two equations."""
    sizes = (40, 30, 5, 25, 20, 50)
    names = [f"dv_{i:02d}" for i in range(6)]
    survey = with_levels(small(sizes), dict(zip(names, ["department"] * 3 + ["district"] * 3, strict=True)))
    shown = cards(survey)
    assert set(shown) == {"dv_00", "dv_01", "dv_03", "dv_05"}
    own = {a: c.tidy().set_index(["term", "group"]).loc[("index", "agency")] for a, c in shown.items()}
    gap = {a: c.differences().set_index("term").loc["index"] for a, c in shown.items()}
    others = {a: own[a]["estimate"] - gap[a]["estimate"] for a in shown}
    matrix, right = [], []
    for agency, peer in (("dv_00", "dv_01"), ("dv_01", "dv_00")):
        matrix.append([1.0, -others[agency]])
        right.append((others[agency] - own[peer]["estimate"]) * own[peer]["n_answers"])
    satisfied, given = np.linalg.solve(matrix, right)
    hidden = survey.frame[survey.frame["agency"] == "dv_02"][["a1", "a2", "b1", "b2"]]
    assert not np.isclose(satisfied / given, (hidden >= 4).to_numpy().mean())
    assert {g["group"] for g in gap.values()} == {"province_others"}
    assert all(c.tidy().query("group == 'level'")["suppressed"].all() for c in shown.values())


def test_levels_are_compared_where_all_that_is_hidden_lies_in_one(small):
    sizes = (40, 30, 5, 12, 45, 50)
    names = [f"dv_{i:02d}" for i in range(6)]
    survey = with_levels(small(sizes), dict(zip(names, ["department"] * 4 + ["district"] * 2, strict=True)))
    groups = {a: set(c.differences()["group"]) for a, c in cards(survey).items()}
    assert groups == {a: {"level_others"} for a in ("dv_00", "dv_01", "dv_04", "dv_05")}


def test_items_of_a_hidden_component_are_hidden(small):
    survey = small((30, 20, 25))
    frame = survey.frame.copy()
    # component "a" has 6 answers in dv_01: it is hidden there, and its complement in another agency
    few = frame.index[frame["agency"] == "dv_01"][6:]
    frame.loc[few, ["a1", "a2"]] = np.nan
    for card in cards(replace(survey, frame=frame)).values():
        own = card.tidy().query("group == 'agency'").set_index("term")["suppressed"]
        items = card.items().set_index("term")["suppressed"]
        assert not own["a"] or items[["a1", "a2"]].all()
        assert not own["b"] or items[["b1", "b2"]].all()


def test_an_item_few_answered_does_not_follow_from_the_other_cards(small):
    survey = small((30, 20, 25))
    frame = survey.frame.copy()
    frame.loc[frame.index[frame["agency"] == "dv_01"][4:], "a1"] = np.nan
    survey = replace(survey, frame=frame)
    known = {a: c.items().set_index("term")["suppressed"]["a1"] for a, c in cards(survey).items()}
    assert known["dv_01"]
    assert sum(known.values()) >= 2, "the survey's total of a1 minus the shown agencies is the hidden one"


@pytest.mark.parametrize("answer", [5.0, 1.0])
def test_an_item_all_answered_alike_is_hidden_with_another_agency(small, answer):
    survey = small((30, 20, 25))
    frame = survey.frame.copy()
    frame.loc[frame["agency"] == "dv_01", "b2"] = answer
    known = {a: c.items().set_index("term")["suppressed"]["b2"] for a, c in cards(replace(survey, frame=frame)).items()}
    assert known["dv_01"]
    assert sum(known.values()) >= 2
