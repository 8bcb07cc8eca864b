"""The index under criterion weights: right, with its error, beside the default, deciding nothing by itself."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import report
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.framework.framework_file import load_framework
from sipas_research.framework.framework_spec import Component, Criterion, Item
from sipas_research.framework.weights import METHODS, deciding_index
from sipas_research.survey.agencies import Agency
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import Bilingual

ITEMS = ("a1", "a2", "b1", "b2")
NAN = float("nan")


def framework(weights=(0.25, 0.25, 0.25, 0.25), *, method="equal", definition="share_satisfied", valid_from=""):
    """Department's framework with four criteria of one question each."""
    criteria = tuple(
        Criterion(f"c_{i}", i[0], Bilingual(f"Tiêu chí {i}"), w, 0.5 * w, 2.0 * w)
        for i, w in zip(ITEMS, weights, strict=True)
    )
    return replace(
        load_framework("department"),
        components=tuple(Component(c, Bilingual(f"Thành phần {c}")) for c in "ab"),
        criteria=criteria,
        items=tuple(Item(i, f"c_{i}", Bilingual(i)) for i in ITEMS),
        weight_method=method,
        definition=definition,
        valid_from=valid_from,
    )


def shares(survey, agency):
    frame = survey.frame[survey.frame["agency"] == agency]
    mass = frame["weight"].to_numpy()
    return np.array([mass @ (frame[i] >= 4) / mass.sum() for i in ITEMS])


@pytest.fixture
def people(small):
    return small((40, 60, 30), design=SampleDesign(weight="weight"))


def test_the_index_is_the_weighted_mean_of_the_criteria(people):
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    found = sr.weighted_index(people, framework(weights, method="expert"))
    for row in found.tidy().itertuples():
        assert row.estimate == pytest.approx(weights @ shares(people, row.group))
        assert row.conf_low < row.estimate < row.conf_high
    default = sr.satisfaction_index(people, by="agency")
    assert found.tidy()["default"].to_numpy() == pytest.approx(default.estimates)
    assert found.chosen == "framework"


def test_equal_weights_of_complete_answers_are_the_default_index_with_its_error(people):
    found = sr.weighted_index(people, framework())
    plain = sr.satisfaction_index(people, by="agency")
    assert found.index.estimates == pytest.approx(plain.estimates)
    assert found.index.matrix == pytest.approx(plain.matrix)
    assert found.index.degrees_of_freedom == pytest.approx(plain.degrees_of_freedom)
    assert found.tidy()["difference"].to_numpy() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_the_covariance_is_that_of_the_derivatives_by_each_persons_weight(small, method):
    """Influence values by finite differences of the whole computation, weights included."""
    people = small((11, 10), design=SampleDesign(weight="weight"))
    given = {f"c_{i}": w for i, w in zip(ITEMS, (1, 2, 3, 4), strict=True)} if method == "expert" else None

    def run(frame):
        return sr.weighted_index(replace(people, frame=frame), framework(), method, weights=given).index

    def slope(person):
        ends = []
        for side in (1.0, -1.0):
            moved = people.frame.copy()
            moved.loc[person, "weight"] *= 1.0 + side * 1e-4
            ends.append(run(moved).estimates)
        return (ends[0] - ends[1]) / 2e-4

    influence = np.array([slope(person) for person in range(21)])
    found = run(people.frame).matrix
    assert found == pytest.approx(21 / 20 * influence.T @ influence, rel=1e-5, abs=1e-10)


def test_estimated_loadings_bring_their_own_error(people):
    estimated = sr.weighted_index(people, framework(), "loadings")
    values = {w.criterion.id: w.weight for w in estimated.weights}
    fixed = sr.weighted_index(people, framework(), "expert", weights=values)
    assert estimated.index.estimates == pytest.approx(fixed.index.estimates)
    assert not np.allclose(estimated.index.matrix, fixed.index.matrix, rtol=1e-3)
    # weights shared by all agencies tie their indices together
    off = estimated.index.matrix[np.triu_indices(3, 1)]
    assert np.abs(off).max() > np.abs(fixed.index.matrix[np.triu_indices(3, 1)]).max()


def test_the_most_favourable_weights_never_give_less(people):
    best = sr.weighted_index(people, framework(), "benefit_of_doubt")
    common = sr.weighted_index(people, framework(), "equal")
    assert (best.index.estimates >= common.index.estimates - 1e-12).all()
    assert best.agency_weights.sum(axis=1) == pytest.approx(1.0)
    assert (best.agency_weights >= 0.125 - 1e-12).all()
    assert (best.agency_weights <= 0.5 + 1e-12).all()


def test_the_interval_of_the_loading_based_index_holds_the_truth(build):
    """100 simulated surveys of one known population."""
    codes = ("dv_00", "dv_01")

    def run(rng, rows):
        level = rng.normal(size=(rows, 1)) * 0.8
        position = level * np.array([1.2, 0.9, 0.6, 0.4]) + rng.normal(size=(rows, 4)) + 0.6
        frame = pd.DataFrame(np.digitize(position, [-1.5, -0.5, 0.3, 1.3]) + 1.0, columns=list(ITEMS))
        frame = frame.assign(agency=np.array(codes)[np.arange(rows) % 2])
        register = [Agency(c, Bilingual(c), "department") for c in codes]
        survey = build(frame, {"a": ITEMS[:2], "b": ITEMS[2:]}, agencies=register)
        return sr.weighted_index(survey, framework(), "loadings").index

    truth = run(np.random.default_rng(0), 100_000).estimates
    rng, hits = np.random.default_rng(5), 0
    for _ in range(100):
        rows = [r for r in run(rng, 200).rows if r.group]
        hits += sum(r.conf_low <= t <= r.conf_high for r, t in zip(rows, truth, strict=True))
    assert 0.92 <= hits / 200 <= 0.98


def test_it_decides_neither_rank_nor_class(people):
    found = sr.weighted_index(people, framework())
    assert not found.index.decides
    for refuse in (lambda: sr.rank_sets(found.index), lambda: sr.classify(found.index, framework())):
        with pytest.raises(OptionError, match="chỉ để đối chiếu"):
            refuse()
    for language in ("vi", "en"):
        assert ("chỉ để đối chiếu" in found.summary(language)) == (language == "vi")


@pytest.mark.parametrize(
    ("changes", "decides"),
    [
        ({}, True),
        ({"valid_from": "2022-06-02"}, False),
        ({"valid_from": ""}, False),
        ({"definition": "share_satisfied"}, False),
        ({"method": "equal"}, False),
    ],
)
def test_it_decides_where_the_framework_said_so_before_the_first_day(people, changes, decides):
    base = {"method": "expert", "definition": "criterion_weights", "valid_from": "2022-06-01"}
    named = framework((0.1, 0.2, 0.3, 0.4), **(base | changes))
    days = pd.to_datetime("2022-06-01") + pd.to_timedelta(np.arange(len(people.frame)) % 30, unit="D")
    dated = replace(people, frame=people.frame.assign(date=days))
    method = "expert" if "method" not in changes else None
    weights = None
    if changes.get("method"):
        method, weights = "expert", {f"c_{i}": 1.0 for i in ITEMS}
    found = sr.weighted_index(dated, named, method, weights=weights)
    assert found.index.decides is decides
    if decides:
        assert sr.classify(found.index, named, half_width=0.3).definition == "criteria_expert"
        assert sr.rank_sets(found.index, draws=1000, half_width=0.4).size == 3


def test_a_criterion_that_is_not_asked_is_refused_or_said(people):
    extra = framework()
    more = Criterion("c_new", "b", Bilingual("Mới"), 0.2, NAN, NAN)
    wide = replace(
        extra, criteria=(*extra.criteria, more), items=(*extra.items, Item("new", "c_new", Bilingual("Câu mới")))
    )
    with pytest.raises(AnalysisError, match="không hỏi 1 trong 5"):
        sr.weighted_index(people, wide)
    found = sr.weighted_index(people, wide, partial=True)
    assert sum(w.weight for w in found.weights) == pytest.approx(1.0)
    assert [w.asked for w in found.weights] == [True] * 4 + [False]
    assert "hỏi 4 trong 5 tiêu chí" in found.summary("vi")


def test_options_are_checked(people):
    for options in (
        {"method": "best"},
        {"method": "expert"},
        {"method": "equal", "weights": {"c_a1": 1.0}},
        {"method": "expert", "weights": {"c_a1": 1.0}},
        {"method": "expert", "weights": {f"c_{i}": -1.0 for i in ITEMS}},
        {"method": "benefit_of_doubt", "bounds": (1.5, 2.0)},
        {"level": 1.0},
    ):
        with pytest.raises(OptionError):
            sr.weighted_index(people, framework(), **options)
    with pytest.raises(AnalysisError, match="không có đơn vị nào"):
        sr.weighted_index(people, replace(framework(), level="commune"))


def test_a_figure_that_gives_a_hidden_one_away_is_hidden(small):
    survey = small((30, 20, 25, 40))
    frame = survey.frame.copy()
    frame.loc[frame.index[frame["agency"] == "dv_01"][4:], "a1"] = np.nan
    found = sr.weighted_index(replace(survey, frame=frame), framework())
    hidden = found.tidy().set_index("group")["suppressed"]
    assert hidden["dv_01"]
    assert hidden.sum() >= 2
    assert np.isnan(found.agency_weights[[list(hidden.index).index("dv_01")]]).all()
    assert found.tidy().loc[found.tidy()["suppressed"], "estimate"].isna().all()


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("method", ["equal", "loadings", "benefit_of_doubt"])
def test_tables_say_how_weights_were_chosen(people, language, method):
    found = sr.weighted_index(people, framework(), method)
    listed = report.weights_table(found, people, language)
    shown = report.weighted_index_table(found, people, language)
    assert len(listed.rows) == 4
    assert found.reason(language).rstrip(".") in listed.note_line
    assert found.reason(language).rstrip(".") in shown.note_line
    words = " ".join([listed.note_line, shown.note_line, *sum(shown.printed(), ())])
    assert "nan" not in words
    assert "None" not in words
    assert [row[0] for row in shown.rows] == [people.agencies.name(g, language) for g in found.index.groups]


def test_ranks_and_classes_rest_on_the_index_that_the_framework_names(people):
    plain = sr.satisfaction_index(people, by="agency")
    assert deciding_index(people, framework(), plain) is plain
    mean = deciding_index(people, framework(definition="mean_score"), plain)
    assert mean.definition == "mean_score"
    late = framework((0.1, 0.2, 0.3, 0.4), method="expert", definition="criterion_weights")
    with pytest.raises(OptionError, match="trước ngày khảo sát đầu tiên"):
        deciding_index(people, late)
    year = replace(people, frame=people.frame.assign(year=2023.0))
    named = replace(late, valid_from="2022-12-31")
    assert deciding_index(year, named).definition == "criteria_expert"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_ways_of_weighing_stand_side_by_side(people, language):
    found = sr.weight_choices(people, framework((0.1, 0.2, 0.3, 0.4), method="expert"))
    assert [way.method for way in found] == ["expert", "equal", "loadings", "benefit_of_doubt"]
    weights, agencies = report.weighing_tables(found, people, language)
    assert [row[1] for row in weights.rows] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert len(agencies.rows) == 3
    for way in found:
        assert way.reason(language) in weights.notes
    reason = report.Finding("x", "x", language, people.data_kind, role="reason")
    assert report.weighing_tables(reason, people, language) == (reason,)
