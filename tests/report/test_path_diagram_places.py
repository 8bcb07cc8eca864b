"""Nothing in a path diagram covers anything else: boxes and numbers measured by the renderer that draws them."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from diagram_cases import LONG, MODELS, fitted
from matplotlib.backends.backend_agg import FigureCanvasAgg

import sipas_research as sr
from sipas_research.report.diagram_layers import crossings, layered
from sipas_research.report.diagram_layout import arranged
from sipas_research.report.diagram_model import read_model
from sipas_research.report.diagram_routes import routed
from sipas_research.report.diagrams import A4_LANDSCAPE, TEXT_PAGE


def measured(drawing, dpi):
    """Return nodes, numbers and names as (name, bounding box) in pixels of the renderer."""
    drawing.set_dpi(dpi)
    renderer = FigureCanvasAgg(drawing).get_renderer()
    axes = drawing.axes[0]
    nodes = [(p.get_gid()[5:], p.get_window_extent(renderer)) for p in axes.patches if str(p.get_gid())[:5] == "node "]
    numbers = [(t.get_text(), t.get_window_extent(renderer)) for t in axes.texts if t.get_gid() == "number"]
    return nodes, numbers, renderer


def touch(first, second):
    return first.x0 < second.x1 and second.x0 < first.x1 and first.y0 < second.y1 and second.y0 < first.y1


def assert_clear(drawing, dpi=150):
    nodes, numbers, _ = measured(drawing, dpi)
    assert [(a, b) for (a, one), (b, two) in combinations(nodes, 2) if touch(one, two)] == []
    assert [(a, b) for (a, one), (b, two) in combinations(numbers, 2) if touch(one, two)] == []
    assert [(a, b) for a, one in numbers for b, two in nodes if touch(one, two)] == []
    page = drawing.bbox
    for _, box in [*nodes, *numbers]:
        assert page.x0 <= box.x0 < box.x1 <= page.x1
        assert page.y0 <= box.y0 < box.y1 <= page.y1


@pytest.mark.parametrize("name", MODELS)
def test_nothing_overlaps(name):
    drawing = sr.path_diagram(fitted(MODELS[name]))
    for dpi in (100, 200):  # letters are hinted differently
        assert_clear(drawing, dpi)


@pytest.mark.parametrize("name", ["nine factors", "levers"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_long_vietnamese_names_fit_one_page(name, language):
    drawing = sr.path_diagram(fitted(MODELS[name]), labels=LONG, language=language)
    assert_clear(drawing)
    width, height = drawing.get_size_inches()
    assert width <= A4_LANDSCAPE[0] + 1e-6
    assert height <= A4_LANDSCAPE[1] + 1e-6
    shown = " ".join(t.get_text() for t in drawing.axes[0].texts).replace("\n", " ")
    for lever in ("Hạ tầng số và trang thiết bị", "Giám sát, thanh tra, kiểm tra"):
        assert lever in shown
    assert min(t.get_fontsize() for t in drawing.axes[0].texts) >= 6


def test_every_item_may_have_a_long_name():
    fit = fitted(MODELS["nine factors"])
    items = {n: f"Câu {n}: hồ sơ được giải quyết đúng hẹn" for n in fit.frame["rhs"] if n and n not in LONG}
    drawing = sr.path_diagram(fit, labels={**LONG, **items})
    assert_clear(drawing)
    assert drawing.get_size_inches()[1] <= A4_LANDSCAPE[1] + 1e-6


@pytest.mark.parametrize("name", MODELS)
def test_names_stay_inside_their_boxes(name):
    drawing = sr.path_diagram(fitted(MODELS[name]), labels=LONG)
    nodes, _, renderer = measured(drawing, 150)
    texts = [t.get_window_extent(renderer) for t in drawing.axes[0].texts if t.get_gid() is None]
    for node, box in nodes:
        middle = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        own = [t for t in texts if abs((t.x0 + t.x1) / 2 - middle[0]) < 3 and abs((t.y0 + t.y1) / 2 - middle[1]) < 3]
        assert len(own) == 1, node
        assert own[0].width <= box.width
        assert own[0].height <= box.height


def test_the_measure_finds_an_overlap():
    drawing = sr.path_diagram(fitted(MODELS["one"]))
    numbers = [t for t in drawing.axes[0].texts if t.get_gid() == "number"]
    numbers[0].set_position(numbers[1].get_position())
    with pytest.raises(AssertionError):
        assert_clear(drawing)


def places(name, page=A4_LANDSCAPE, **options):
    model = read_model(fitted(MODELS[name]).frame, **options)
    layers = layered(model)
    return model, layers, arranged(model, layers, {}, page, {})


@pytest.mark.parametrize("name", ["levers", "democracy", "second order", "observed", "second order in a structure"])
def test_straight_arrows_pass_through_no_box(name):
    model, layers, layout = places(name)
    boxes = [b for b in layout.boxes if b.shape != "lane"]
    for route in routed(model, layers, layout):
        if route.arrow.kind == "covariance":
            continue
        line = np.vstack([a + (b - a) * np.linspace(0, 1, 30)[:, None] for a, b in pairwise(route.line)])
        for box in (b for b in boxes if b.name not in route.arrow.ends):
            left, bottom, right, top = box.bounds
            inside = (line[:, 0] > left) & (line[:, 0] < right) & (line[:, 1] > bottom) & (line[:, 1] < top)
            if box.shape == "ellipse":
                run = (line[:, 0] - box.centre[0]) / (box.width / 2)
                inside &= np.hypot(run, (line[:, 1] - box.centre[1]) / (box.height / 2)) < 1
            assert not inside.any(), (route.arrow.ends, box.name)


def test_sources_stand_left_and_outcomes_right():
    _, _, layout = places("levers")
    box = layout.box()
    for lever in ("pay", "training", "digital", "oversight"):
        assert box[lever].bounds[2] < box["staff"].bounds[0]
        assert box[f"{lever}1"].bounds[2] < box[lever].bounds[0]
    assert box["staff"].bounds[2] < box["staff1"].bounds[0]
    assert box["staff1"].bounds[2] < box["sat"].bounds[0]
    assert box["sat"].bounds[2] < box["sat1"].bounds[0]


def test_factors_of_a_measurement_model_are_stacked_in_the_order_of_the_model():
    model, _, layout = places("nine factors")
    heights = [layout.box()[name].centre[1] for name in model.latents]
    assert heights == sorted(heights, reverse=True)
    for latent, items in model.homes:
        ups = [layout.box()[item].centre[1] for item in items]
        assert ups == sorted(ups, reverse=True)
        assert min(ups) < layout.box()[latent].centre[1] < max(ups)


def test_crossings_are_counted_and_reduced():
    text = "u ~ c\nv ~ b\nw ~ a\na ~~ b\nu ~~ v"
    model = read_model(fitted(text).frame)
    links = [a.ends for a in model.arrows if a.kind == "path"]
    assert crossings([["a", "b", "c"], ["u", "v", "w"]], links) == 3
    assert crossings(layered(model).columns, links) == 0


def test_a_model_beyond_a_page_keeps_its_letters_and_says_so():
    text = "\n".join(f"f{i} =~ " + " + ".join(f"q{i}_{j}" for j in range(8)) for i in range(12))
    drawing = sr.path_diagram(fitted(text))
    assert drawing.get_size_inches()[1] > A4_LANDSCAPE[1]
    assert min(t.get_fontsize() for t in drawing.axes[0].texts) >= 6
    assert "lớn hơn một trang" in " ".join(t.get_text() for t in drawing.axes[0].texts).replace("\n", " ")
    assert_clear(drawing)


def test_the_structural_part_fits_the_width_of_a_report():
    drawing = sr.path_diagram(fitted(MODELS["levers"]), items=False, labels=LONG, page=TEXT_PAGE)
    assert_clear(drawing)
    assert drawing.get_size_inches()[0] <= TEXT_PAGE[0] + 1e-6
    assert "Không vẽ 41 biến quan sát" in " ".join(t.get_text() for t in drawing.axes[0].texts).replace("\n", " ")
