"""Each flag that arithmetic can decide, on the printed numbers; expected values were worked out by hand."""

import pytest

from sipas_research.evidence import flags
from sipas_research.evidence.claim_result import VERDICTS
from sipas_research.evidence.ledger import Ledger, facts


def values(finding, name):
    return [c.value for c in finding.computed if c.key == f"claim.computed.{name}"]


def test_f11_index_up_while_three_of_five_fell():
    found = flags.index_up_components_down()
    assert found.verdict == "phu_thuoc_cach_hieu"
    assert values(found, "gain") == pytest.approx([15.5, 5 * (87.07 - 87.07 / 1.031)])
    text = found.computed_text("vi")
    assert "hơn 15,5 điểm" in text
    assert "tối đa 32,1 điểm" in text
    assert "công thức khác" in text
    assert "bảng điểm các chỉ số thành phần" in found.settle_text("vi")


def test_f12_two_indices_under_two_readings():
    text = flags.percent_or_points().computed_text("vi")
    for expected in ("83,80%", "84,32%", "83,97%", "84,45%"):
        assert expected in text


def test_f13_one_decimal_leaves_ten_times_the_range():
    found = flags.printed_decimals()
    widths = [dict(c.figures)["high"].value - dict(c.figures)["low"].value for c in found.computed]
    assert widths == pytest.approx([0.02, 0.11])


def test_f14_five_of_eight_are_fields():
    found = flags.fields_that_rose()
    assert found.verdict == "khop"
    assert values(found, "denominator") == [5]


def test_f15_one_component_is_left():
    assert values(flags.fifth_component(), "left") == [1]


def test_f16_yamane():
    found = flags.frame_and_sample()
    assert found.verdict == "phu_thuoc_cach_hieu"
    assert values(found, "yamane") == pytest.approx([357.51], abs=0.01)
    assert values(found, "large_population") == pytest.approx([400])
    assert "357,5" in found.computed_text("vi")


def test_f17_above_the_national_rise():
    found = flags.national_rise()
    assert values(found, "national_points")[0] == pytest.approx(0.66)
    assert "+0,66" in found.computed_text("vi")
    assert "dẫn lại" in found.computed_text("vi")


def test_f18_ten_year_review():
    text = flags.percent_or_points_ten_years().computed_text("vi")
    for expected in ("76,43%", "77,37%", "81,98%", "82,63%"):
        assert expected in text


def test_f20_years_and_paces():
    found = flags.recovered_years()
    assert found.verdict == "can_them_so_lieu"
    assert values(found, "years") == [4]
    text = found.computed_text("vi")
    for expected in ("+0,35", "+1,02", "+2,15", "+1,00", "4 trong 10 năm"):
        assert expected in text


def test_f21_over_both_targets():
    found = flags.target_decimals()
    assert values(found, "over_target") == pytest.approx([2.6, 1.7])
    assert "2,6" in found.computed_text("vi")


def test_all_decided_flags_speak_both_languages():
    found = flags.decided_flags()
    assert [f.id for f in found] == list(flags.DECIDED)
    for finding in found:
        assert finding.verdict in VERDICTS
        assert finding.text("vi") != finding.text("en")
        assert finding.settle_text("vi")


def test_flags_follow_the_ledger_they_are_given():
    rows = facts(printable=None)
    from dataclasses import replace

    changed = tuple(
        replace(row, printed="2,1%", value=2.1) if row.id == "ls_sipas_change_2021" else row for row in rows
    )
    assert values(flags.index_up_components_down(Ledger(changed)), "gain")[0] == pytest.approx(10.5)
