"""The claim check: closed forms, verdicts, hostile input, words."""

import math
import re

import pytest

import sipas_research as sr
from sipas_research.errors import OptionError
from sipas_research.evidence.arithmetic import change_statistic, margin_of_error, printed, whole, yamane
from sipas_research.evidence.claim import check_claim
from sipas_research.evidence.claim_result import VERDICTS

SIPAS = {"value": "87,07", "change": "3,1"}
WHOLE = SIPAS | {
    "rank": 31,
    "rank_of": 63,
    "places": 8,
    "components": 5,
    "falling": 3,
    "rising": 1,
    "n": 400,
    "clusters": 5,
    "frame": "3.366",
    "national_change": "2,65",
    "national_mean": "86,37",
    "target": 85,
}


def numbers(finding):
    return {(c.key.rsplit(".", 1)[-1], c.reading, c.weighting): c.value for c in finding.computed}


def test_earlier_value_under_both_readings():
    finding = check_claim(**SIPAS).get("previous_value")
    found = numbers(finding)
    assert found["previous_points", "points", ""] == 83.97
    assert found["previous_percent", "percent", ""] == pytest.approx(87.07 / 1.031)
    assert finding.verdict == "phu_thuoc_cach_hieu"
    assert "83,97%" in finding.text("vi")
    assert "84,45%" in finding.text("vi")
    assert "84.45%" in finding.text("en")


@pytest.mark.parametrize(("previous", "unit"), [("83,97", "points"), ("84,45", "percent")])
def test_a_printed_earlier_value_picks_its_reading(previous, unit):
    finding = check_claim(**SIPAS, previous=previous).get("previous_value")
    assert finding.verdict == "khop"
    assert [c.reading for c in finding.computed] == [unit]


def test_an_earlier_value_that_fits_no_reading_needs_data():
    finding = check_claim(**SIPAS, previous=80).get("previous_value")
    assert finding.verdict == "can_them_so_lieu"
    assert {c.reading for c in finding.computed} == {"points", "percent"}


def test_rounding_decides_what_fits():
    # 3,1 stands for 3,05 to 3,15: 84,02 is within rounding of 87,07 - 3,1, but not of 87,07 - 3,10
    assert check_claim(value="87,07", change="3,1", previous="84,02").get("previous_value").verdict == "khop"
    assert check_claim(value="87,07", change="3,10", previous="84,02").get("previous_value").verdict != "khop"


def test_a_named_unit_leaves_one_reading():
    finding = check_claim(**SIPAS, change_unit="points").get("previous_value")
    assert finding.verdict == "khop"
    assert len(finding.computed) == 1


def test_change_from_two_printed_values():
    found = numbers(check_claim(value=87.07, previous=83.97).get("previous_value"))
    assert found["change_points", "points", ""] == pytest.approx(3.1)
    assert found["change_percent", "percent", ""] == pytest.approx(100 * 3.1 / 83.97)


@pytest.mark.parametrize(
    ("places", "before", "verdict"), [(8, 39, "khop"), (-8, 23, "khop"), (40, 71, "can_them_so_lieu")]
)
def test_earlier_rank(places, before, verdict):
    finding = check_claim(value=87.07, rank=31, rank_of=63, places=places).get("rank")
    assert finding.computed[0].value == before
    assert finding.verdict == verdict


def test_margin_of_error_closed_form_and_lower_bound():
    share = 0.8707
    expected = 196 * math.sqrt(share * (1 - share) / 400)
    assert margin_of_error(87.07, 400) == pytest.approx(expected, rel=1e-4)
    assert margin_of_error(87.07, 400, deff=4) == pytest.approx(2 * margin_of_error(87.07, 400))
    assert margin_of_error(87.07, 400, frame=400) == 0
    finding = check_claim(**SIPAS, n=400, clusters=5).get("margin")
    assert finding.verdict == "can_them_so_lieu"
    assert "±3,3" in finding.text("vi")
    assert "cận dưới" in finding.text("vi")
    assert "lower bound" in finding.text("en")
    assert check_claim(**SIPAS, n=400, deff=1.5).get("margin").verdict == "khop"


@pytest.mark.parametrize("value", [0, 100])
def test_margin_at_the_ends_is_not_zero(value):
    assert 0 < margin_of_error(value, 400) < 2


def test_change_beside_its_error():
    expected = 0.031 / math.sqrt((0.8707 * 0.1293 + 0.8397 * 0.1603) / 400)
    assert change_statistic(87.07, 83.97, 400, 400) == pytest.approx(expected)
    finding = check_claim(**SIPAS, n=400).get("change_error")
    assert "z = 1,25" in finding.text("vi")
    assert finding.verdict == "can_them_so_lieu"
    assert "một lần" in finding.text("vi")
    clear = check_claim(value=87.07, change="13,1", n=4000, deff=2).get("change_error")
    assert clear.verdict == "khop"
    split = check_claim(value="87,07", change="3,1", n=1100).get("change_error")
    assert split.verdict == "phu_thuoc_cach_hieu"


def test_yamane_beside_the_sample():
    assert yamane(3366) == pytest.approx(3366 / (1 + 3366 / 400))
    finding = check_claim(value=87.07, n=400, frame="3.366").get("sample_size")
    assert "357,5" in finding.text("vi")
    assert numbers(finding)["large_population", "", ""] == pytest.approx(400)
    assert check_claim(value=87.07, n=300, frame=3366).get("sample_size").verdict == "can_them_so_lieu"


def test_difference_from_the_country():
    finding = check_claim(value="87,11", change="3,31", national_change="2,65", national_mean="86,37").get("national")
    found = numbers(finding)
    assert found["national_points", "points", ""] == pytest.approx(0.66)
    expected = (87.11 - 87.11 / 1.0331) - (86.37 - 86.37 / 1.0265)
    assert found["national_points", "percent", ""] == pytest.approx(expected)
    assert found["national_mean", "", ""] == pytest.approx(0.74)
    assert finding.verdict == "khop"
    turned = check_claim(value=50, change="3,0", national_change="2,0", national_mean=90).get("national")
    assert turned.verdict == "phu_thuoc_cach_hieu"


@pytest.mark.parametrize(
    ("value", "target", "verdict", "words"),
    [
        ("85,71", "84,01", "khop", "1,70"),
        ("80,6", "78", "khop", "2,6"),
        ("77", "84,01", "can_them_so_lieu", "thấp hơn"),
        ("85,7", "85,71", "phu_thuoc_cach_hieu", "làm tròn"),
        ("90", "90", "khop", "bằng mục tiêu"),
    ],
)
def test_target(value, target, verdict, words):
    finding = check_claim(value=value, target=target).get("target")
    assert finding.verdict == verdict
    assert words in finding.text("vi")


def test_a_single_value_needs_data():
    check = check_claim(value=87.07)
    assert [f.verdict for f in check.findings] == ["can_them_so_lieu"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": 120},
        {"value": -1},
        {"value": "tám mươi"},
        {"value": float("nan")},
        {"value": float("inf")},
        {"value": True},
        {"value": None},
        {"value": "1e400"},
        {"change": "nhiều"},
        {"change": 99, "change_unit": "points"},
        {"change": -100, "change_unit": "percent"},
        {"change": -20},
        {"change_unit": "phần trăm"},
        {"previous": 130},
        {"n": 0},
        {"n": -5},
        {"n": 2.5},
        {"n": "bốn trăm"},
        {"clusters": 5},
        {"deff": 2},
        {"n": 400, "deff": 0},
        {"n": 400, "clusters": 401},
        {"n": 400, "frame": 300},
        {"frame": 0},
        {"frame": 100, "precision": 0},
        {"components": 5, "falling": 3, "rising": 3},
        {"components": 1},
        {"components": 40},
        {"components": 5, "falling": -1},
        {"falling": 3},
        {"weights": "equal"},
        {"components": 5, "weights": [1, 2]},
        {"components": 2, "weights": [1, 0]},
        {"components": 2, "weights": "items"},
        {"rank": 64, "rank_of": 63},
        {"rank": 0},
        {"rank_of": 63},
        {"target": 101},
        {"national_mean": 101, "national_change": 1},
        {"national_change": "lớn"},
    ],
    ids=str,
)
def test_impossible_figures_are_refused_in_both_languages(wrong):
    with pytest.raises(OptionError) as caught:
        check_claim(**{"value": 87.07} | wrong)
    assert len(caught.value.message("vi")) > 20
    assert caught.value.message("vi") != caught.value.message("en")


def test_a_change_larger_than_the_value_leaves_the_reading_that_fits():
    finding = check_claim(value=60, change=90).get("previous_value")
    assert [c.reading for c in finding.computed] == ["percent"]


@pytest.mark.parametrize(
    ("written", "value", "decimals"),
    [
        ("87,07", 87.07, 2),
        ("87.07%", 87.07, 2),
        ("3,10", 3.1, 2),
        (3.1, 3.1, 1),
        ("−1,5", -1.5, 1),
        ("1.234,5", 1234.5, 1),
        (78, 78, 0),
        (78.0, 78, 0),
    ],
)
def test_numbers_as_printed(written, value, decimals):
    found = printed(written, "x")
    assert (found.value, found.decimals) == (value, decimals)


@pytest.mark.parametrize(("written", "value"), [("3.366", 3366), ("3,366", 3366), ("400", 400), (400.0, 400)])
def test_whole_numbers(written, value):
    assert whole(written, "n", least=1) == value


@pytest.mark.parametrize("language", ["vi", "en"])
def test_words_are_courteous_and_complete(language):
    check = check_claim(**WHOLE)
    assert {f.verdict for f in check.findings} <= set(VERDICTS)
    text = check.summary(language)
    assert not re.search(r"\bsai\b(?! số)|nhầm|gian|wrong|false|mistake|cố ý|Khánh Hòa|nan|None|[a-z]+_[a-z]+", text)
    for finding in check.findings:
        assert finding.settle_text(language) in text
        assert finding.quoted
    verdict = {"vi": "khớp", "en": "consistent"}[language]
    assert verdict in text


def test_result_manners():
    check = check_claim(**WHOLE)
    assert check.data_kind is sr.DataKind.PUBLISHED
    tidy = check.tidy()
    row = tidy.loc[(tidy["quantity"] == "previous_points") & (tidy["name"] == "value")]
    assert row["estimate"].tolist() == [83.97]
    assert check.glance().iloc[0][list(VERDICTS)].sum() == len(check.findings)
    assert check == check_claim(**WHOLE)
    with pytest.raises(OptionError, match="previous_value"):
        check.get("motive")
    with pytest.raises(AttributeError):
        check.findings = ()


def test_weights_that_are_one_number_are_refused():
    with pytest.raises(OptionError, match="mỗi thành phần một trọng số"):
        check_claim(value=87, change=3, components=5, falling=3, weights=7)


def test_a_design_effect_above_the_forms_is_refused():
    with pytest.raises(OptionError, match="deff"):
        check_claim(value=50, n=10, deff=11)
    assert check_claim(value=50, n=10, deff=10).get("margin").computed[0].value < 100


@pytest.mark.parametrize(("value", "change"), [(0, -50), (100, 0), (0, 0)])
def test_rounding_stays_inside_the_scale(value, change):
    for part in check_claim(value=value, change=change).get("previous_value").computed:
        figures = {name: figure.value for name, figure in part.figures}
        assert 0 <= figures["low"] <= figures["high"] <= 100


def test_a_refusal_shows_the_value_as_typed():
    with pytest.raises(OptionError, match="Với giá trị 87,07,"):
        check_claim(value="87,07", change="90", change_unit="points")


def test_a_point_without_numbers_leaves_no_empty_line():
    said = check_claim(value=87).summary("vi")
    assert all(line.strip() for part in said.split("\n\n") for line in part.splitlines())
