"""Reading PAPI's panel: what is taken, what is refused and in which words."""

import numpy as np
import pandas as pd
import pytest
from papi_invented import invented_rows, write_rows

import sipas_research as sr
from sipas_research.errors import DataFileError, OptionError
from sipas_research.evidence.papi_facts import PERIODS, folded, papi_facts
from sipas_research.results import DataKind, Result

FACTS = papi_facts()


@pytest.fixture(scope="module")
def rows():
    return invented_rows()


@pytest.fixture(scope="module")
def panel(rows, tmp_path_factory):
    return sr.read_papi(write_rows(rows, tmp_path_factory.mktemp("papi") / "panel.csv"))


def refused(frame, path):
    with pytest.raises(DataFileError) as caught:
        sr.read_papi(write_rows(frame, path))
    assert caught.value.message("en") != caught.value.message("vi")
    return caught.value


def problem_keys(error):
    return {p.key for p in error.problems}


class TestRegister:
    def test_63_provinces_in_six_regions(self):
        assert len(FACTS.provinces) == 63
        sizes = pd.Series([p.region for p in FACTS.provinces]).value_counts().to_dict()
        assert sizes == {
            "northern_mountains": 14,
            "red_river_delta": 11,
            "central_coast": 14,
            "central_highlands": 5,
            "south_east": 6,
            "mekong_delta": 13,
        }
        assert FACTS.find("Lạng Sơn").gso_code == 20
        assert FACTS.find("Lạng Sơn").region == "northern_mountains"
        assert len({folded(p.name.vi) for p in FACTS.provinces}) == 63

    @pytest.mark.parametrize(
        ("spelling", "name"),
        [
            ("Tỉnh Lạng Sơn", "Lạng Sơn"),
            ("lang son", "Lạng Sơn"),
            ("Hoà Bình", "Hòa Bình"),
            ("Thành phố Hồ Chí Minh", "TP. Hồ Chí Minh"),
            ("Ho Chi Minh City", "TP. Hồ Chí Minh"),
            ("Bà Rịa-Vũng Tàu", "Bà Rịa - Vũng Tàu"),
        ],
    )
    def test_spellings(self, spelling, name):
        assert FACTS.find(spelling).name.vi == name

    def test_no_invented_province(self):
        assert FACTS.find("Tỉnh Mô phỏng") is None

    def test_breaks_of_the_panel_and_of_columns(self):
        assert [b.year for b in FACTS.breaks_of()] == [2018, 2021]
        assert {b.year for b in FACTS.breaks_of("dim8_egovernance") if b.column} == {2019, 2020}
        assert {b.year for b in FACTS.breaks_of("dim5_procedures") if b.kind == "content"} == {2021}
        assert {b.year for b in FACTS.breaks_of(FACTS.total)} == {2016, 2018, 2019, 2020, 2021, 2022}
        assert PERIODS[0][1] + 1 == 2018
        assert PERIODS[1][1] + 1 == 2021

    def test_columns_by_year(self):
        assert (len(FACTS.parts), len(FACTS.measures)) == (31, 40)
        assert len(FACTS.dimensions_in(2017)) == 6
        assert len(FACTS.dimensions_in(2018)) == 8
        assert FACTS.published("proc_construction", 2020)
        assert not FACTS.published("proc_construction", 2021)
        assert not FACTS.published("dim7_environment", 2017)


class TestReading:
    def test_all_of_it(self, panel, rows):
        assert isinstance(panel, Result)
        assert panel.data_kind is DataKind.PUBLISHED
        assert len(panel.provinces) == 63
        assert panel.years == tuple(range(2011, 2025))
        want = rows.loc[(rows["year"] == 2020) & (rows["province"] == "Lạng Sơn"), "dim5_procedures"].iloc[0]
        assert panel.scores("dim5_procedures").loc[2020, "Lạng Sơn"] == pytest.approx(want, abs=1e-12)
        assert panel.glance()["n_gaps"].iloc[0] == 4
        assert len(panel.tidy()) == 882 * len(FACTS.measures)

    def test_gaps_are_listed_and_not_filled(self, panel):
        assert [(g.year, g.province, g.whole) for g in panel.gaps] == [
            (2014, "Đồng Tháp", True),
            (2018, "Bắc Ninh", False),
            (2021, "Quảng Ninh", True),
            (2024, "Tiền Giang", True),
        ]
        assert panel.gaps[1].dimensions == ("dim2_transparency", "dim4_corruption_control")
        assert np.isnan(panel.scores("papi_total").loc[2018, "Bắc Ninh"])
        assert len(panel.published(2018)) == 62
        assert len(panel.published(2019)) == 63

    def test_shuffled_rows_and_columns_read_the_same(self, panel, rows, tmp_path):
        mixed = rows.sample(frac=1, random_state=3)[list(reversed(rows.columns))]
        again = sr.read_papi(write_rows(mixed, tmp_path / "panel.csv"))
        pd.testing.assert_frame_equal(again.frame, panel.frame)

    def test_excel_and_vietnamese_csv_read_the_same(self, panel, rows, tmp_path):
        rows.to_csv(tmp_path / "vn.csv", sep=";", decimal=",", index=False)
        again = sr.read_papi(tmp_path / "vn.csv")
        pd.testing.assert_frame_equal(again.frame, panel.frame)
        rows.to_excel(tmp_path / "panel.xlsx", index=False)
        pd.testing.assert_frame_equal(sr.read_papi(tmp_path / "panel.xlsx").frame, panel.frame)

    def test_marker_makes_it_simulated(self, rows, tmp_path):
        marked = rows.assign(data_kind="simulated")
        assert sr.read_papi(write_rows(marked, tmp_path / "m.csv")).data_kind is DataKind.SIMULATED

    def test_unknown_columns_are_told_not_kept(self, rows, tmp_path):
        more = sr.read_papi(write_rows(rows.assign(ghi_chu="x"), tmp_path / "m.csv"))
        assert more.ignored == ("ghi_chu",)
        assert "ghi_chu" not in more.frame
        assert "ghi_chu" in more.summary("vi")

    def test_summary_names_the_breaks(self, panel):
        for language in ("vi", "en"):
            said = panel.summary(language)
            assert "2018" in said
            assert "2021" in said

    def test_unknown_province_and_column(self, panel):
        assert panel.province("lang son") == "Lạng Sơn"
        with pytest.raises(OptionError, match="Atlantis"):
            panel.province("Atlantis")
        with pytest.raises(OptionError, match="dim9"):
            panel.scores("dim9")


class TestRefusals:
    def test_renamed_column_is_named(self, rows, tmp_path):
        error = refused(rows.rename(columns={"dim5_procedures": "dim5_procedure"}), tmp_path / "x.csv")
        assert problem_keys(error) == {"papi.column_near"}
        assert "dim5_procedure'" in error.message("vi")
        assert "dim5_procedures" in error.message("vi")

    def test_another_file(self, tmp_path):
        error = refused(pd.DataFrame({"a": [1, 2], "b": [3, 4]}), tmp_path / "x.csv")
        assert error.key == "papi.columns"

    def test_scale_of_the_publisher(self, rows, tmp_path):
        raw = rows.copy()
        for dimension in FACTS.dimensions:
            for year in range(2011, 2025):
                parts = list(dimension.parts_in(year))
                hit = raw["year"] == year
                raw.loc[hit, parts] = raw.loc[hit, parts] / max(len(parts), 1)
        error = refused(raw, tmp_path / "x.csv")
        assert error.key == "papi.scale_raw"
        assert "papi_panel_1to10.csv" in error.message("vi")

    @pytest.mark.parametrize(("factor", "key"), [(10, "papi.scale_hundred"), (0.1, "papi.scale_unit")])
    def test_scale_of_all(self, rows, tmp_path, factor, key):
        scaled = rows.copy()
        scaled[list(FACTS.measures)] = scaled[list(FACTS.measures)].astype(float) * factor
        assert refused(scaled, tmp_path / "x.csv").key == key

    def test_lost_province_year_and_rows(self, rows, tmp_path):
        cut = rows.loc[(rows["province"] != "Lạng Sơn") & (rows["year"] != 2013)]
        cut = cut.drop(cut.index[(cut["year"] == 2016) & (cut["province"] == "Cà Mau")])
        error = refused(cut, tmp_path / "x.csv")
        assert error.key == "papi.truncated"
        said = error.message("vi")
        assert "2013" in said
        assert "Lạng Sơn" in said
        assert "Cà Mau" in said
        assert problem_keys(error) == {"papi.missing_year", "papi.missing_province", "papi.missing_rows"}

    def test_cut_off_file(self, rows, tmp_path):
        whole = write_rows(rows, tmp_path / "x.csv").read_text(encoding="utf-8")
        (tmp_path / "cut.csv").write_text(whole[: int(len(whole) * 0.7)], encoding="utf-8")
        with pytest.raises(DataFileError):
            sr.read_papi(tmp_path / "cut.csv")
        lines = whole.splitlines(keepends=True)
        (tmp_path / "lines.csv").write_text("".join(lines[:700]), encoding="utf-8")
        with pytest.raises(DataFileError) as caught:
            sr.read_papi(tmp_path / "lines.csv")
        assert caught.value.key == "papi.truncated"

    def test_last_line_cut_in_a_number(self, rows, tmp_path):
        whole = write_rows(rows, tmp_path / "x.csv").read_text(encoding="utf-8").rstrip("\n")
        last = whole.rsplit(",", 1)[1]
        (tmp_path / "cut.csv").write_text(whole[: -(len(last) - 2)], encoding="utf-8")
        with pytest.raises(DataFileError) as caught:
            sr.read_papi(tmp_path / "cut.csv")
        assert problem_keys(caught.value) == {"papi.total"}

    def test_twice(self, rows, tmp_path):
        error = refused(pd.concat([rows, rows.iloc[[5]]]), tmp_path / "x.csv")
        assert problem_keys(error) == {"papi.twice"}
        assert error.problems[0].row == 884

    def test_unknown_province_is_named_with_a_near_one(self, rows, tmp_path):
        other = rows.replace({"province": {"Lạng Sơn": "Lạng Sơnn"}})
        error = refused(other, tmp_path / "x.csv")
        assert problem_keys(error) <= {"papi.province_near", "papi.more"}
        assert "'Lạng Sơn'" in error.message("vi")

    def test_exchanged_names(self, rows, tmp_path):
        other = rows.replace({"province": {"Lạng Sơn": "Cao Bằng", "Cao Bằng": "Lạng Sơn"}})
        assert "papi.code" in problem_keys(refused(other, tmp_path / "x.csv"))

    def test_words_among_numbers(self, rows, tmp_path):
        other = rows.astype({"env_air": object})
        other.loc[700, "env_air"] = "cao"
        error = refused(other, tmp_path / "x.csv")
        assert problem_keys(error) == {"papi.not_number"}
        assert error.problems[0].row == 702

    def test_years_after_the_63_provinces(self, rows, tmp_path):
        error = refused(pd.concat([rows, rows.iloc[:2].assign(year=2025)]), tmp_path / "x.csv")
        assert problem_keys(error) == {"papi.year"}

    def test_values_where_nothing_was_published(self, rows, tmp_path):
        other = rows.copy()
        other.loc[0, "egov_portal"] = 4.0
        assert problem_keys(refused(other, tmp_path / "x.csv")) == {"papi.not_published"}

    def test_a_changed_score_does_not_add_up(self, rows, tmp_path):
        other = rows.copy()
        other.loc[860, "dim6_services"] += 0.5
        assert problem_keys(refused(other, tmp_path / "x.csv")) == {"papi.parts", "papi.total"}

    def test_off_scale_cell(self, rows, tmp_path):
        other = rows.copy()
        other.loc[860, "env_air"] = 11.0
        assert problem_keys(refused(other, tmp_path / "x.csv")) == {"papi.off_scale"}

    def test_half_a_row(self, rows, tmp_path):
        other = rows.copy()
        other.loc[860, "env_air"] = np.nan
        assert problem_keys(refused(other, tmp_path / "x.csv")) == {"papi.half"}

    def test_empty_scores(self, rows, tmp_path):
        other = rows.copy()
        other[list(FACTS.measures)] = np.nan
        assert refused(other, tmp_path / "x.csv").key == "papi.scale_empty"

    def test_blank_names_codes_and_years(self, rows, tmp_path):
        other = rows.copy()
        other.loc[3, "province"] = None
        other.loc[4, "year"] = np.nan
        other.loc[5, "gso_code"] = np.nan
        error = refused(other, tmp_path / "x.csv")
        assert problem_keys(error) == {"papi.province_unknown", "papi.year", "papi.code"}
        assert "nan" not in error.message("vi")
        assert "None" not in error.message("vi")

    def test_dates_for_years(self, rows, tmp_path):
        other = rows.assign(year=[f"{y}-01-01" for y in rows["year"]])
        error = refused(other, tmp_path / "x.csv")
        assert problem_keys(error) == {"papi.not_number", "papi.more"}
        assert error.problems[0].value == "2011-01-01"
