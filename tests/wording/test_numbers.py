"""Digits as the sources print them."""

import datetime
import math

import pytest

from sipas_research.wording import MISSING, date, integer, interval, number, p_value, percent


@pytest.mark.parametrize(
    ("value", "vi", "en"),
    [
        (0.8707, "87,07%", "87.07%"),
        (0.94595, "94,60%", "94.60%"),
        (1.0, "100,00%", "100.00%"),
        (0.00005, "0,01%", "0.01%"),
    ],
)
def test_percent(value, vi, en):
    assert percent(value, "vi") == vi
    assert percent(value, "en") == en


def test_halves_round_away_from_zero():
    assert number(2.675, 2, "vi") == "2,68"
    assert number(-2.675, 2, "en") == "−2.68"
    assert number(-0.001, 2, "vi") == "0,00"


def test_thousands():
    assert integer(3366, "vi") == "3.366"
    assert integer(1234567, "en") == "1,234,567"


def test_p_values_below_a_thousandth():
    assert p_value(0.0004, "vi") == "<0,001"
    assert p_value(0.0456, "en") == "0.046"


@pytest.mark.parametrize("bad", [math.nan, math.inf, None])
def test_missing_is_a_dash_never_nan(bad):
    assert number(bad, 2, "vi") == percent(bad, "vi") == p_value(bad, "vi") == MISSING


def test_interval():
    assert interval(0.841, 0.9004, "vi") == "84,10%–90,04%"
    assert interval(3.41, 3.58, "en", share=False) == "3.41–3.58"
    assert interval(-0.101, -0.01, "vi", share=False) == "−0,10 đến −0,01"
    assert interval(-0.02, 0.03, "en") == "−2.00% to 3.00%"
    assert interval(math.nan, 1, "vi") == MISSING


def test_date():
    assert date(datetime.date(2022, 8, 26), "vi") == "26/08/2022"
    assert date(datetime.date(2022, 8, 26), "en") == "26 August 2022"


def test_numbers_beyond_what_a_float_tells_are_powers_of_ten():
    assert number(1.234e30, 3, "vi") == "1,23×10³⁰"
    assert number(-9.876e307, 3, "en") == "−9.88×10³⁰⁷"
    assert number(999_999_999_999_999.0, 0, "en") == "999,999,999,999,999"
    assert percent(1e40, "vi") == "1,00×10⁴²%"
