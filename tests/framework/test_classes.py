"""Classes by certified bounds: exact behaviour at the cut, separate rules, what would settle, the twin."""

from dataclasses import replace

import numpy as np
import pytest

import sipas_research as sr
from sipas_research import resources
from sipas_research.errors import OptionError
from sipas_research.framework.bands import Band, Bands, make_bands
from sipas_research.framework.class_stability import class_stability
from sipas_research.framework.framework_file import load_framework
from sipas_research.framework.group_estimates import group_estimates
from sipas_research.framework.index import IndexRow, SatisfactionIndex
from sipas_research.numerics.class_bounds import one_sided_bounds
from sipas_research.numerics.intervals import logit_interval
from sipas_research.results import DataKind
from sipas_research.wording import Bilingual

THREE = make_bands((0.8, 0.9), (Bilingual("Thấp", "Low"), Bilingual("Khá", "Fair"), Bilingual("Tốt", "Good")))
NAN = float("nan")


def make_index(figures, *, families=None, fpc=False, level=0.95):
    """An index of agencies from (estimate, std_error, n); None stands for a hidden agency."""
    rows, labels, values = [], [], []
    for number, figure in enumerate(figures, start=1):
        group = f"dv_{number:02d}"
        if figure is None:
            rows.append(IndexRow("index", group, *[NAN] * 4, "framework.note.suppressed", NAN, NAN, NAN, True))
            labels.append(group)
            values.append((0.5, 0.2, 5.0))
            continue
        estimate, error, n = figure
        inside = 0.0 < estimate < 1.0 and error > 0.0
        ends = logit_interval(estimate, error, n - 1, level) if inside else (NAN, NAN)
        ends = (estimate, estimate) if error == 0.0 else ends
        rows.append(IndexRow("index", group, estimate, error, *ends, "", n - 1.0, float(n), 20.0 * n, False))
        labels.append(group)
        values.append(figure)
    share, error, people = (np.array(part, dtype=float) for part in zip(*values, strict=True))
    estimation = group_estimates(
        tuple(labels),
        share,
        np.diag(error**2),
        people - 1.0,
        people,
        people,
        families=tuple(families or ["department"] * len(labels)),
        shown=np.array([f is not None for f in figures]),
    )
    return SatisfactionIndex(
        rows=(IndexRow("index", "", 0.85, 0.01, 0.83, 0.87, "", 500.0, 500.0, 9000.0, False), *rows),
        groups=tuple(labels),
        components=(),
        by="agency",
        definition="share_satisfied",
        level=level,
        n=500.0,
        n_strata=0,
        n_clusters=0,
        fpc=fpc,
        weighting="unweighted",
        notes=(),
        data_kind=DataKind.SIMULATED,
        source="thu.csv",
        estimation=estimation,
    )


def lower_of(estimate, error, n):
    return float(one_sided_bounds(*(np.array([v]) for v in (estimate, error, n - 1.0, n, n))).lower[0])


def upper_of(estimate, error, n):
    return float(one_sided_bounds(*(np.array([v]) for v in (estimate, error, n - 1.0, n, n))).upper[0])


def two(cut):
    return make_bands((cut,), (Bilingual("Chưa đạt"), Bilingual("Đạt")))


def test_a_bound_at_the_cut_certifies_and_one_step_below_does_not():
    index = make_index([(0.86, 0.02, 200)])
    low = lower_of(0.86, 0.02, 200)
    assert sr.classify(index, two(low)).rows[0].outcome == "certified"
    assert sr.classify(index, two(low)).rows[0].band == "class_2"
    above = sr.classify(index, two(float(np.nextafter(low, 1.0)))).rows[0]
    assert above.outcome == "undetermined"
    assert (above.band_low, above.band_high) == ("class_1", "class_2")


def test_an_upper_bound_at_the_cut_is_not_below_it():
    index = make_index([(0.86, 0.02, 200)])
    high = upper_of(0.86, 0.02, 200)
    assert sr.classify(index, two(high)).rows[0].outcome == "undetermined"
    below = sr.classify(index, two(float(np.nextafter(high, 1.0)))).rows[0]
    assert (below.outcome, below.band) == ("certified", "class_1")


def test_both_neighbours_stand_beside_an_open_class():
    row = sr.classify(make_index([(0.85, 0.025, 150), (0.85, 0.04, 150)]), THREE, half_width=0.1)
    assert row.rows[0].outcome == "certified"
    assert (row.rows[1].band_low, row.rows[1].band_high) == ("class_1", "class_3")
    assert row.said(row.rows[1], "vi") == "chưa đủ căn cứ xếp loại (Thấp hoặc Khá hoặc Tốt)"
    assert row.said(row.rows[1], "en") == "not enough evidence to grade (Low or Fair or Good)"


def test_within_a_point_of_the_cut_settling_is_impossible():
    index = make_index([(0.91, 0.02, 200), (0.9101, 0.02, 200), (0.89, 0.02, 200), (0.8899, 0.02, 200)])
    settled = [row.settled for row in sr.classify(index, THREE).rows]
    assert settled == ["impossible", "forms", "impossible", "forms"]
    found = sr.classify(index, THREE)
    assert found.to_settle(found.rows[0], "vi") == "Không thể: quá sát cận của mức."
    assert np.isnan(found.rows[0].forms_needed)


def test_forms_needed_have_a_cap():
    index = make_index([(0.915, 0.02, 200)])
    needed = int(sr.classify(index, THREE).rows[0].forms_needed)
    assert 200 < needed < 10_000
    capped = sr.classify(index, THREE, most_forms=needed - 1)
    assert (capped.rows[0].settled, np.isnan(capped.rows[0].forms_needed)) == ("over_cap", True)
    assert f"{needed - 1:,}".replace(",", ".") in capped.to_settle(capped.rows[0], "vi")


def test_precision_and_disclosure_are_two_rules():
    index = make_index([None, (0.50, 0.03, 250), (0.95, 0.01, 300)])
    found = sr.classify(index, THREE)
    assert [r.outcome for r in found.rows] == ["withheld", "imprecise", "certified"]
    assert found.rows[1].half_width > 0.05
    assert found.rows[1].settled == "precision"
    assert found.rows[1].forms_needed > 250
    assert np.isnan(found.rows[0].estimate)
    # the wide one lies far below every cut: without the rule of precision it would have a class
    assert sr.classify(index, THREE, half_width=0.2).rows[1].outcome == "certified"


def test_nothing_of_a_withheld_agency_is_in_any_output():
    found = sr.classify(make_index([None, (0.95, 0.01, 300)]), THREE)
    hidden = found.tidy().iloc[0].drop(["term", "group", "outcome", "settled", "method"])
    assert all(value == "" or np.isnan(value) for value in hidden)
    assert "0,5" not in found.summary("vi").split("\n")[2]


def test_exact_bounds_decide_where_n_p_q_is_small():
    index = make_index([(0.98, 0.012, 60)])
    row = sr.classify(index, THREE).rows[0]
    assert row.method == "exact"
    assert row.lower < logit_interval(0.98, 0.012, 59, 0.90)[0] + 0.02
    assert sr.classify(index, THREE, exact_below=0.0).rows[0].method == "logit"


def test_a_census_is_graded_by_its_own_figure():
    found = sr.classify(make_index([(0.90, 0.0, 400), (0.8999, 0.0, 400)], fpc=True), THREE)
    assert [r.band for r in found.rows] == ["class_3", "class_2"]


def test_no_spread_without_a_census_is_no_certainty():
    row = sr.classify(make_index([(0.91, 0.0, 30)]), THREE).rows[0]
    assert row.outcome == "undetermined"
    assert row.method == "exact"


def test_one_unit_alone_gets_no_class():
    assert sr.classify(make_index([(0.9, NAN, 30)]), THREE).rows[0].outcome == "no_variance"


def test_families_are_never_mixed():
    index = make_index([(0.95, 0.01, 300)] * 3, families=["department", "department", "district"])
    with pytest.raises(OptionError, match="department, district"):
        sr.classify(index, THREE)
    assert len(sr.classify(index, THREE, family="department").rows) == 2
    assert len(sr.classify(index, load_framework("district")).rows) == 1
    with pytest.raises(OptionError, match="commune"):
        sr.classify(index, THREE, family="commune")
    with pytest.raises(OptionError, match="Load the right one"):
        sr.classify(index, load_framework("district"), family="department")


@pytest.mark.parametrize(
    "options",
    [{"level": 1.0}, {"level": 0.3}, {"half_width": 0.0}, {"power": 1.0}, {"near": 0.6}, {"most_forms": 0}],
)
def test_options_outside_their_range_are_refused(options):
    with pytest.raises(OptionError):
        sr.classify(make_index([(0.9, 0.02, 100)]), THREE, **options)


def test_the_interval_must_have_the_level_of_the_rule():
    index = make_index([(0.9, 0.02, 100)], level=0.9)
    with pytest.raises(OptionError, match=r"level=0\.95"):
        sr.classify(index, load_framework("department"))


@pytest.mark.parametrize("lowers", [(0.0,), (0.1, 0.8), (0.0, 0.9, 0.8), (0.0, 0.8, 0.8), (0.0, 1.0)])
def test_bands_must_rise_from_zero(lowers):
    with pytest.raises(OptionError):
        Bands(tuple(Band(f"b{n}", Bilingual("x"), low) for n, low in enumerate(lowers)))


def test_a_value_at_a_cut_lies_in_the_class_above():
    assert [THREE.place(v) for v in (0.0, 0.7999, 0.8, 0.9, 1.0)] == [0, 0, 1, 2, 2]


def test_stability_keeps_within_one_method():
    high, low = make_index([(0.95, 0.01, 300), (0.85, 0.012, 300)]), make_index([(0.70, 0.02, 300), (0.85, 0.012, 300)])
    years = {2019: sr.classify(high, THREE, year=2019), 2020: sr.classify(low, THREE, year=2020)}
    found = class_stability(years)
    assert [r.move for r in found.rows] == ["moved", "kept"]
    assert found.glance()["share_kept"].iloc[0] == 0.5
    across = class_stability({2021: years[2019], 2022: years[2020]})
    assert across.rows == ()
    assert across.skipped == ((2021, 2022),)
    assert "2021" in across.summary("vi")
    with pytest.raises(OptionError):
        class_stability({2019: years[2019]})
    with pytest.raises(OptionError):
        class_stability({2019: years[2019], 2020: sr.classify(low, two(0.8), year=2020)})


def test_open_years_count_as_neither():
    index = make_index([(0.905, 0.02, 200)])
    rows = class_stability({y: sr.classify(index, THREE, year=y) for y in (2018, 2019)}).rows
    assert [r.move for r in rows] == ["open"]


def test_texts_hold_no_key_and_both_languages_speak():
    index = make_index([None, (0.5, 0.04, 150), (0.95, 0.01, 300), (0.905, 0.02, 200), (0.9, NAN, 30)])
    found = sr.classify(index, replace(load_framework("department")))
    for language in ("vi", "en"):
        assert "classes." not in found.summary(language)
        assert "nan" not in found.summary(language)
    assert "chưa kiểm chứng" in found.summary("vi")
    assert found.glance()["n_withheld"].iloc[0] == 1


def test_the_province_is_classified_within_its_levels():
    study = sr.load_study(resources.data("twin", "study.toml"))
    current = study.current(study.responses("citizens"))
    index = sr.satisfaction_index(current, by="agency")
    found = sr.classify(index, load_framework("department"), year=2022)
    assert len(found.rows) == 20
    assert [r.group for r in found.rows] == [g for g in index.groups if g.startswith("so_")]
    certified = [r for r in found.rows if r.outcome == "certified"]
    assert 0 < len(certified) < 20
    for row in certified:
        assert found.bands.place(row.lower) == found.bands.place(row.upper) == found.bands.place(row.estimate)
    assert found.data_kind is DataKind.SIMULATED
