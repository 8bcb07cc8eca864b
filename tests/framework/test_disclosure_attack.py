"""No figure of few people, and none of people who all answered alike, follows from all tables put together."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from disclosure_attack import FIRST, LAST, Attack, gather, random_survey
from test_criterion_weights import framework as of_items

from sipas_research.framework.framework_spec import Criterion, Item
from sipas_research.survey.agencies import Agency
from sipas_research.wording import Bilingual

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.SipasWarning")
SCALES = {"a": ("a1", "a2"), "b": ("b1", "b2", "b3")}


@pytest.fixture
def make(build):
    def survey(frame, levels):
        register = [Agency(f"dv_{k:02d}", Bilingual(f"dv_{k:02d}"), level) for k, level in enumerate(levels)]
        return build(frame, SCALES, agencies=register)

    return survey


def framework(level="department"):
    """Criteria that cut across the form's components: a1 with b1, the others alone."""
    criteria = tuple(
        Criterion(name, "a", Bilingual(name), w, 0.5 * w, 2.0 * w)
        for name, w in (("c_1", 0.4), ("c_2", 0.3), ("c_3", 0.3))
    )
    items = (("a1", "c_1"), ("b1", "c_1"), ("a2", "c_2"), ("b2", "c_3"), ("b3", "c_3"))
    return replace(of_items(), level=level, criteria=criteria, items=tuple(Item(i, c, Bilingual(i)) for i, c in items))


def test_the_attacker_finds_what_a_careless_table_tells(make):
    """Without complementary suppression the province less the shown agencies is the small one."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"agency": np.repeat(["dv_00", "dv_01", "dv_02"], [30, 20, 5]), "year": float(LAST)})
    frame["channel"] = pd.array([1] * 55, dtype="Int64")
    for item in ("a1", "a2", "b1", "b2", "b3"):
        frame[item] = rng.choice([2.0, 5.0], 55)
    early = frame.assign(year=float(FIRST))
    survey = make(pd.concat([frame, early], ignore_index=True), ["department"] * 3)
    attack = Attack(survey, framework())
    now = attack.year == LAST
    for people in (now, now & (attack.agency == "dv_00"), now & (attack.agency == "dv_01")):
        attack.learn("x", people, attack.whole)
    found = attack.solve()
    assert any(line.startswith("dv_02 2024 ('a1', 'a2', 'b1', 'b2', 'b3'): follows") for line in found)
    alike = survey.frame.copy()
    alike.loc[alike["agency"] == "dv_02", ["a1", "a2"]] = 5.0
    alike.loc[alike["agency"] == "dv_01", ["a1", "a2"]] = 5.0
    attack = Attack(replace(survey, frame=alike), framework())
    for people in (now, now & (attack.agency == "dv_00")):
        attack.learn("x", people, ("a1", "a2"))
    assert any("only one number fits" in line for line in attack.solve())


# 2 and 10: a level's total of a criterion took its questions apart; 5, 6, 14: few people of no agency;
# 137, 159: an agency whose people all answered alike, hidden behind people who disagreed on one question only
@pytest.mark.parametrize("seed", [2, 5, 6, 10, 14, 137, 159, 273, 308])
def test_nothing_follows_from_all_tables_of_a_random_study(make, seed):
    attack = gather(random_survey(make, seed), framework())
    assert len(attack.rows) > 20
    assert list(attack.targets())
    assert attack.solve() == []
