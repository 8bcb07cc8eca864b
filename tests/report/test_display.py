"""Tables, figures and findings as notebooks show them."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from sipas_research.report import (
    MIME,
    Absent,
    Column,
    Finding,
    Suppressed,
    Table,
    figure,
    from_payload,
    plain,
    theme,
)
from sipas_research.results import DataKind

COLUMNS = (
    Column("name", "Thang đo"),
    Column("items", "Số biến", "integer"),
    Column("alpha", "Alpha", "number3"),
    Column("share", "Tỷ lệ", "percent"),
    Column("ci", "Khoảng tin cậy", "interval_percent"),
    Column("p", "p", "p"),
    Column("year", "Năm", "year"),
)


def make(language: str = "vi", kind: DataKind = DataKind.USER, **options: object) -> Table:
    rows = (("Tiếp cận <a>", np.int64(3366), np.float64(0.8125), 0.8707, (0.841, 0.9004), 0.0002, 2021),)
    return Table("tbl-alpha", "Độ tin cậy", COLUMNS, options.pop("rows", rows), language, kind, **options)  # type: ignore[arg-type]


def test_numbers_are_printed_the_way_of_the_language() -> None:
    assert make("vi").printed()[0][1:] == ("3.366", "0,813", "87,07%", "84,10%–90,04%", "<0,001", "2021")
    assert make("en").printed()[0][1:] == ("3,366", "0.813", "87.07%", "84.10%–90.04%", "<0.001", "2021")


def test_html_is_semantic_aligned_and_escaped() -> None:
    html = make(total_rows=(0,), n=3000)._repr_mimebundle_()["text/html"]
    assert html.count("text-align:") == 2 * len(COLUMNS)
    assert '<table id="tbl-alpha"' in html
    assert "<caption>Độ tin cậy</caption>" in html
    assert "<thead>" in html
    assert "<tbody>" in html
    assert "Tiếp cận &lt;a&gt;" in html
    assert "<strong>87,07%</strong>" in html
    assert "n = 3.000." in html


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, float("inf"), np.float32("nan")])
def test_missing_values_are_dashes_never_nan(missing: object) -> None:
    table = make(rows=(("x", missing, missing, missing, (missing, 0.5), missing, missing),))
    bundle = table._repr_mimebundle_()
    assert table.printed()[0][1:] == ("–",) * 6
    assert "nan" not in bundle["text/html"].lower()
    assert "None" not in bundle["text/html"]
    json.dumps(bundle[MIME], allow_nan=False)


def test_suppressed_cells_are_explained() -> None:
    table = make(rows=(("x", Suppressed(), 0.1, Suppressed(), (0, 1), 0.2, 2021),), notes=("Ghi chú riêng",))
    assert table.printed()[0][1] == "(*)"
    assert "Ghi chú riêng. (*): không công bố" in table.note_line
    assert "dưới 10 phiếu" in table.note_line


def test_reasons_for_absence_are_collected_and_told_apart() -> None:
    one = make(rows=(("x", 1, Absent("thang đo có một biến."), 0.1, (0, 1), Absent("thang đo có một biến."), 1),))
    assert one.printed()[0][2] == "–"
    assert one.note_line.count("thang đo có một biến") == 1
    two = make(rows=(("x", 1, Absent("một biến"), 0.1, (0, 1), Absent("mẫu nhỏ"), 1),))
    assert (two.printed()[0][2], two.printed()[0][5]) == ("– (a)", "– (b)")
    assert "– (a): một biến. – (b): mẫu nhỏ." in two.note_line


def test_note_line_names_n_weighting_and_source() -> None:
    line = make(n=3000, weighting="quyền số thiết kế", source="khảo sát năm 2022.").note_line
    assert line == "n = 3.000; quyền số: quyền số thiết kế; nguồn: khảo sát năm 2022."


@pytest.mark.parametrize(("language", "words"), [("vi", "DỮ LIỆU MÔ PHỎNG"), ("en", "SIMULATED DATA")])
def test_simulated_tables_carry_the_mark_in_the_caption(language: str, words: str) -> None:
    assert words in make(language, DataKind.SIMULATED)._repr_mimebundle_()["text/html"]
    assert words not in make(language, DataKind.USER)._repr_mimebundle_()["text/html"]


def test_a_table_comes_back_from_its_json_unrounded() -> None:
    row = ("x", 3, Absent("vì"), 0.123456789, (0.1, None), Suppressed(12), 2021)
    table = make(rows=(row,), n=5, notes=("a",), total_rows=(0,), source="s")
    back = from_payload(json.loads(json.dumps(table.payload())))
    assert back == table
    assert back.rows[0][3] == 0.123456789


def test_slips_are_refused() -> None:
    with pytest.raises(ValueError, match="tbl-alpha"):
        Table("alpha", "x", COLUMNS, (), "vi", DataKind.USER)
    with pytest.raises(ValueError, match="2 cells for 7"):
        make(rows=(("x", 1),))
    with pytest.raises(TypeError, match="bool"):
        make(rows=(("x", True, 1, 1, (0, 1), 1, 1),))
    with pytest.raises(ValueError, match="known"):
        Column("a", "A", "number9")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="bare float"):
        Table("tbl-x", "x", (Column("a", "A"),), ((0.5,),), "vi", DataKind.USER).printed()
    with pytest.raises(ValueError, match="role"):
        Finding("f", "x", "vi", DataKind.USER, "other")  # type: ignore[arg-type]


def test_finding_shows_its_role_and_comes_back() -> None:
    finding = Finding("f-limit", "Số liệu *không* nói vì sao.", "vi", DataKind.SIMULATED, "limit")
    bundle = finding._repr_mimebundle_()
    assert bundle["text/markdown"].startswith("**Điều số liệu chưa cho biết:**")
    assert "DỮ LIỆU MÔ PHỎNG" in bundle["text/markdown"]
    assert from_payload(bundle[MIME]) == finding


def _figure(kind: DataKind) -> object:
    from matplotlib import pyplot as plt

    with theme.theme():
        drawing, axes = plt.subplots()
        axes.plot([0, 0.5, 1])
        theme.percent_axis(axes, "vi", which="y", decimals=2)
    shown = figure(drawing, id="fig-x", title="Hình", alt="Một đường đi lên", language="vi", data_kind=kind)
    assert not plt.get_fignums()
    return shown


def test_figures_are_marked_and_the_same_twice() -> None:
    marked, again, clean = (_figure(k) for k in (DataKind.SIMULATED, DataKind.SIMULATED, DataKind.USER))
    assert (marked.png, marked.svg) == (again.png, again.svg)  # type: ignore[attr-defined]
    assert "DỮ LIỆU MÔ PHỎNG" in marked.svg  # type: ignore[attr-defined]
    assert "DỮ LIỆU MÔ PHỎNG" not in clean.svg  # type: ignore[attr-defined]
    assert marked.png != clean.png  # type: ignore[attr-defined]
    assert "50,00%" in clean.svg  # type: ignore[attr-defined]
    bundle = marked._repr_mimebundle_()  # type: ignore[attr-defined]
    assert set(bundle) == {"image/png", "image/svg+xml", "text/plain", MIME}
    assert "png" not in bundle[MIME]


def test_theme_leaves_no_setting_behind() -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    with theme.theme():
        assert mpl.rcParams["font.sans-serif"] == ["DejaVu Sans"]
    assert dict(mpl.rcParams) == before
    assert len(set(theme.likert_colours(7))) == 7
    assert theme.likert_colours(5) == theme.LIKERT


def test_plain_escapes_markdown() -> None:
    assert plain("Sở *A*_b\n@tbl-x") == r"Sở \*A\*\_b \@tbl\-x"


def test_importing_the_package_loads_nothing_slow() -> None:
    slow = ("matplotlib", "docx", "pypandoc", "typst", "xlsxwriter")
    code = f"import sys, sipas_research.report; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
