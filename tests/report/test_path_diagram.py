"""Path diagrams: what is drawn, how it is styled and said, and what is refused."""

import io
import math

import pandas as pd
import pytest
from diagram_cases import LONG, MODELS, FakeFit, coefficient, fitted, table
from matplotlib.colors import to_rgba

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.report import Finding
from sipas_research.report.diagram_drawing import DASHES
from sipas_research.report.diagram_model import read_model
from sipas_research.report.diagram_text import balanced, broken, width_of
from sipas_research.results import DataKind


def words(drawing):
    return " ".join(t.get_text() for t in drawing.axes[0].texts).replace("\n", " ")


def numbers(drawing):
    return [t.get_text() for t in drawing.axes[0].texts if t.get_gid() == "number"]


def simple(**options):
    rows = [
        coefficient("f", "=~", "a", 0.812, fixed=True),
        coefficient("f", "=~", "b", 0.725),
        coefficient("g", "=~", "c", -0.61, p=0.2),
        coefficient("g", "=~", "d", 0.5, p=0.0499),
        coefficient("g", "~", "f", 0.305, p=0.05),
        coefficient("a", "~~", "c", 0.104, p=0.3),
        coefficient("g", "~~", "g", 0.906),
        coefficient("f", "~~", "f", 1.0),
        coefficient("f", "~1", "", 0.0, fixed=True),
        coefficient("total", ":=", "p1*p2", 0.9),
    ]
    return FakeFit(table(rows), **options)


def test_numbers_are_standardised_with_the_commas_of_the_language():
    assert sorted(numbers(sr.path_diagram(simple()))) == ["0,10", "0,31", "0,50", "0,73", "0,81", "−0,61"]
    assert sorted(numbers(sr.path_diagram(simple(), language="en"))) == [
        "0.10",
        "0.31",
        "0.50",
        "0.73",
        "0.81",
        "−0.61",
    ]
    assert "0,305" in numbers(sr.path_diagram(simple(), decimals=3))
    assert "R² = 0,09" in words(sr.path_diagram(simple()))
    assert "R²" not in words(sr.path_diagram(simple(), r2=False))


def test_significance_is_a_line_style_and_the_legend_says_so():
    model = read_model(simple().frame)
    verdicts = {arrow.ends: arrow.verdict for arrow in model.arrows}
    assert verdicts == {
        ("f", "a"): "untested",
        ("f", "b"): "clear",
        ("g", "c"): "unclear",
        ("g", "d"): "clear",
        ("f", "g"): "unclear",  # p equal to the level is not below it
        ("a", "c"): "unclear",
    }
    assert len({str(style) for style in DASHES.values()}) == 3
    for language, said in (("vi", ("p < 0,05", "p ≥ 0,05", "không kiểm định")), ("en", ("p < 0.05", "not tested"))):
        shown = words(sr.path_diagram(simple(), language=language))
        assert all(part in shown for part in said)
    assert "p < 0,01" in words(sr.path_diagram(simple(), significance=0.01))
    assert read_model(simple().frame, significance=0.01).arrows[3].verdict == "unclear"


def test_dashes_are_drawn_by_verdict():
    drawing = sr.path_diagram(simple())
    styles = [line.get_linestyle() for line in drawing.axes[0].lines]
    arrows, legend = styles[:6], styles[6:]
    assert arrows.count("-") == 2
    assert len(arrows) == 6
    assert legend.count("-") == 2  # the sample of p < 0,05 and that of covariances
    dashed = [line for line in drawing.axes[0].lines if line.get_linestyle() == "--"]
    assert len({to_rgba(line.get_color()) for line in dashed[:4]}) > 1  # every kind of arrow may be dashed


def test_a_legend_names_only_what_is_there():
    shown = words(sr.path_diagram(fitted("y ~ a + b\na ~~ b")))
    assert "biến quan sát" in shown
    assert "biến tiềm ẩn" not in shown
    assert "không kiểm định" not in shown


def test_what_is_fixed_at_zero_is_no_arrow():
    zero = coefficient("f", "~~", "g", 0.0, fixed=True, estimate=0.0)
    frame = pd.concat([simple().frame, table([zero])], ignore_index=True)
    assert read_model(frame).arrows == read_model(simple().frame).arrows


def test_covariances_above_a_number_are_left_out_and_the_caption_says_so():
    fit = fitted(MODELS["nine factors"])
    assert len(numbers(sr.path_diagram(fit))) == 41 + 36
    few = sr.path_diagram(fit, most_covariances=10)
    assert len(numbers(few)) == 41
    assert "Không vẽ 36 hiệp phương sai" in words(few)
    assert "36 covariances are not drawn" in words(sr.path_diagram(fit, most_covariances=10, language="en"))
    assert len(numbers(sr.path_diagram(fit, most_covariances=None))) == 41 + 36


def test_one_of_several_groups_is_drawn_and_named():
    frames = [fitted(MODELS["three factors"], group=g, seed=s).frame for s, g in ((1, "Pasteur"), (2, "Grant-White"))]
    fit = FakeFit(pd.concat(frames, ignore_index=True))
    first, second = sr.path_diagram(fit), sr.path_diagram(fit, group="Grant-White")
    assert "Nhóm: Pasteur (mô hình có 2 nhóm)" in words(first)
    assert "Nhóm: Grant-White" in words(second)
    assert numbers(first) == numbers(sr.path_diagram(FakeFit(frames[0])))
    assert numbers(second) == numbers(sr.path_diagram(FakeFit(frames[1])))
    with pytest.raises(OptionError, match="Pasteur, Grant-White"):
        sr.path_diagram(fit, group="Pasteu")


def test_levels_are_chosen_like_groups():
    frames = [fitted("f =~ a + b + c", level=1).frame, fitted("fb =~ a + b + c", level=2, seed=5).frame]
    fit = FakeFit(pd.concat(frames, ignore_index=True))
    assert "Cấp: 1 (mô hình có 2 cấp)" in words(sr.path_diagram(fit))
    assert "fb" in words(sr.path_diagram(fit, level=2))
    with pytest.raises(OptionError, match="1, 2"):
        sr.path_diagram(fit, level=3)


@pytest.mark.parametrize(
    "options",
    [
        {"language": "fr"},
        {"significance": 0.0},
        {"significance": 1.0},
        {"decimals": -1},
        {"most_covariances": -3},
        {"page": (0.0, 5.0)},
    ],
)
def test_options_outside_their_range_are_refused(options):
    with pytest.raises(OptionError) as caught:
        sr.path_diagram(simple(), **options)
    assert str(next(iter(options))) in caught.value.message("vi")


def test_a_table_without_arrows_is_refused():
    for rows in ([], [coefficient("a", "~~", "b", 0.3)], [coefficient("f", "~1", "", 0.3)]):
        with pytest.raises(AnalysisError, match="Không có gì để vẽ"):
            sr.path_diagram(FakeFit(table(rows)))


def test_a_missing_standardised_value_is_a_dash():
    rows = [coefficient("f", "=~", "a", math.nan), coefficient("f", "=~", "b", 0.5), coefficient("f", "=~", "c", 0.5)]
    assert sorted(numbers(sr.path_diagram(FakeFit(table(rows))))) == ["0,50", "0,50", "–"]


def test_items_stand_beside_the_factor_they_load_on_most_and_general_factors_apart():
    model = read_model(fitted(MODELS["bifactor"]).frame)
    assert dict(model.homes) == {
        "g": (),
        "s1": ("x1", "x2", "x3", "x4"),
        "s2": ("x5", "x6", "x7", "x8"),
        "s3": ("x9", "x10", "x11", "x12"),
    }
    rows = [("f", "a", 0.8), ("f", "b", 0.7), ("f", "c", 0.2), ("g", "c", 0.6), ("g", "d", 0.7)]
    crossed = read_model(table([coefficient(f, "=~", item, std) for f, item, std in rows]))
    assert dict(crossed.homes) == {"f": ("a", "b"), "g": ("c", "d")}


def test_the_mark_stands_in_the_picture_of_simulated_data_only():
    marked = sr.path_diagram(simple(data_kind=DataKind.SIMULATED))
    assert words(marked).count("DỮ LIỆU MÔ PHỎNG") >= 2
    assert "SIMULATED DATA" in words(sr.path_diagram(simple(data_kind=DataKind.SIMULATED), language="en"))
    assert "MÔ PHỎNG" not in words(sr.path_diagram(simple(data_kind=DataKind.REAL)))


@pytest.mark.parametrize("style", ["png", "svg", "pdf"])
def test_the_same_fit_gives_the_same_bytes(style):
    def drawn():
        target = io.BytesIO()
        sr.path_diagram(fitted(MODELS["democracy"])).savefig(target, format=style)
        return target.getvalue()

    first = drawn()
    assert first == drawn()
    assert b"Date" not in first


def test_no_window_stays_open():
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    sr.path_diagram(simple())
    assert plt.get_fignums() == before


def test_long_names_are_broken_between_words():
    name = LONG["feedback"]
    lines = broken(name, 9.5, 1.2)
    assert " ".join(lines) == name
    assert all(width_of(line, 9.5) <= 1.2 for line in lines)
    even = balanced(name, 9.5, 1.2)
    assert len(even) == len(lines)
    assert max(width_of(line, 9.5) for line in even) <= max(width_of(line, 9.5) for line in lines)
    assert broken("mot_ten_bien_rat_dai", 9.5, 0.7)[0] == "mot_ten_"
    assert broken("", 9.5, 1.0) == ("",)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_builder_names_scales_and_items_as_the_questionnaire_does(language):
    project = sr.load_study(resources.data("twin", "study.toml"))
    responses = project.current(project.responses("citizens"))
    scales = responses.scale_items("factor")
    text = "\n".join(f"{scale} =~ " + " + ".join(items) for scale, items in scales.items())
    fit = fitted(text, kind=DataKind.SIMULATED)
    found = report.structural_diagram(fit, responses, language, n=700)
    assert found.id == "fig-path-diagram"
    assert found.caption.endswith("(DỮ LIỆU MÔ PHỎNG)" if language == "vi" else "(SIMULATED DATA)")
    assert "22" in found.alt
    assert found.source
    assert ("tương quan" if language == "vi" else "correlations") in found.note_line
    assert found.png == report.structural_diagram(fit, responses, language, n=700).png
    assert float(found.width.removesuffix("cm")) <= 16


def test_the_builder_leaves_items_out_where_they_do_not_fit_and_says_so():
    fit = fitted(MODELS["levers"])
    found = report.structural_diagram(fit, None, "vi", labels=LONG)
    assert "phần cấu trúc" in found.title
    assert "Không vẽ 41 biến quan sát" in found.note_line
    assert "không chứng minh quan hệ nhân quả" in found.note_line
    assert found.svg == report.structural_diagram(fit, None, "vi", labels=LONG).svg
    whole = report.structural_diagram(fit, None, "vi", items=True)
    assert "41 biến quan sát" in whole.alt
    assert "lớn hơn một trang" in whole.note_line
    across, down = (int.from_bytes(whole.png[place : place + 4], "big") for place in (16, 20))
    assert float(whole.width.removesuffix("cm")) * down / across < 21, "its lower end would be lost"
    measured = report.structural_diagram(fitted(MODELS["nine factors"]), None, "en")
    assert "measurement model" in measured.title
    assert "not drawn" not in measured.note_line
    assert "causes" not in measured.note_line


def test_the_builder_hands_a_finding_back():
    reason = Finding("reason-cfa", "Không lập được.", "vi", DataKind.USER, role="reason")
    assert report.structural_diagram(reason, None, "vi") is reason
