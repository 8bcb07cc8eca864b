"""Moments gathered block by block are those of the whole table, from every source; the fit is the same."""

import sqlite3
import warnings
from decimal import Decimal

import lavaan_cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, DataFileError, DroppedRowsWarning, OptionError
from sipas_research.sem import moment_sources

FRAME = lavaan_cases.data("holzinger39")
ITEMS = [f"x{k}" for k in range(1, 10)]
MODEL = "visual =~ x1 + x2 + x3\ntext =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(moment_sources, "ROWS", 70)


def from_csv(folder, frame, names=None, **options):
    path = folder / "khảo sát.csv"
    frame.to_csv(path, index=False, sep=options.get("separator", ","), decimal=options.get("decimal", "."))
    return sr.Moments.from_csv(path, names, **options)


def from_parquet(folder, frame, names=None, **options):
    import polars as pl

    path = folder / "khảo sát.parquet"
    pl.DataFrame({name: frame[name].to_list() for name in frame}).write_parquet(path)
    return sr.Moments.from_parquet(path, names, **options)


def from_sqlite(_folder, frame, names=None, **options):
    connection = sqlite3.connect(":memory:")
    frame.to_sql("answers", connection, index=False)
    return sr.Moments.from_query(connection, "SELECT * FROM answers", names, **options)


def from_duckdb(_folder, frame, names=None, **options):
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not a part of this package")
    connection = duckdb.connect()
    connection.register("given", frame)
    connection.execute("CREATE TABLE answers AS SELECT * FROM given")
    return sr.Moments.from_query(connection, "SELECT * FROM answers", names, **options)


def from_blocks(_folder, frame, names=None, **options):
    return sr.Moments.from_blocks(lambda: (frame[k : k + 37] for k in range(0, len(frame), 37)), names, **options)


SOURCES = [from_csv, from_parquet, from_sqlite, from_duckdb, from_blocks]


@pytest.mark.parametrize("source", SOURCES)
def test_a_stream_gives_the_moments_and_the_fit_of_the_table(source, tmp_path):
    found = source(tmp_path, FRAME[[*ITEMS, "school"]], ITEMS)
    assert found.n == len(FRAME)
    np.testing.assert_allclose(found.cov, FRAME[ITEMS].cov(), rtol=1e-12)
    np.testing.assert_allclose(found.mean, FRAME[ITEMS].mean(), rtol=1e-13)
    plain = sr.cfa(MODEL, FRAME, estimator="MLR")
    again = sr.cfa(MODEL, found, estimator="MLR")
    np.testing.assert_allclose(again.vcov(), plain.vcov(), atol=1e-8)
    pd.testing.assert_series_equal(again.fit_measures(), plain.fit_measures(), rtol=1e-7)


@pytest.mark.parametrize("source", SOURCES)
def test_groups_incomplete_rows_and_codes_for_no_answer_are_those_of_a_table(source, tmp_path):
    holes = FRAME[[*ITEMS, "school"]].copy()
    holes.loc[::17, "x3"] = np.nan
    plain_holes = holes.copy()
    holes.loc[5::29, "x1"] = 99.0
    plain_holes.loc[5::29, "x1"] = np.nan
    with pytest.warns(DroppedRowsWarning):
        found = source(tmp_path, holes, ITEMS, group="school", missing=(99,))
    assert list(found) == list(dict.fromkeys(holes["school"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = sr.cfa(MODEL, plain_holes, group="school", estimator="MLR")
        again = sr.cfa(MODEL, found, estimator="MLR")
    assert again.table.groups == plain.table.groups
    assert again.n == plain.n
    np.testing.assert_allclose(again.vcov(), plain.vcov(), atol=1e-7)


def test_means_far_from_zero_cost_no_digits(tmp_path):
    far = FRAME[ITEMS] + 1e7
    found = from_blocks(tmp_path, far)
    np.testing.assert_allclose(found.cov, FRAME[ITEMS].cov(), atol=2e-8)
    ordered = far.sort_values("x1")
    np.testing.assert_allclose(from_blocks(tmp_path, ordered).cov, FRAME[ITEMS].cov(), atol=2e-8)


def test_all_columns_of_numbers_are_taken_by_default(tmp_path):
    found = from_csv(tmp_path, FRAME[["school", *ITEMS, "ageyr"]])
    assert found.variables == (*ITEMS, "ageyr")


def test_a_decimal_comma_and_names_composed_otherwise_are_read(tmp_path):
    frame = FRAME[ITEMS].rename(columns={"x1": "quy tri\u0300nh"})
    found = from_csv(tmp_path, frame, ["quy tr\u00ecnh", "x2"], separator=";", decimal=",")
    np.testing.assert_allclose(found.cov, FRAME[["x1", "x2"]].cov(), rtol=1e-12)


def test_the_mark_of_simulated_data_stays(tmp_path):
    frame = FRAME[ITEMS].assign(data_kind="simulated")
    for source in (from_csv, from_parquet, from_sqlite, from_blocks):
        assert source(tmp_path, frame, ITEMS, data_kind=sr.DataKind.REAL).data_kind is sr.DataKind.SIMULATED
    assert from_csv(tmp_path, FRAME[ITEMS], data_kind=sr.DataKind.REAL).data_kind is sr.DataKind.REAL


def test_an_iterator_serves_once_and_a_list_again():
    parts = [FRAME[ITEMS][k : k + 100].to_numpy() for k in range(0, len(FRAME), 100)]
    once, again = sr.Moments.from_blocks(iter(parts), ITEMS), sr.Moments.from_blocks(parts, ITEMS)
    assert once.rows is None
    sr.cfa(MODEL, once)
    with pytest.raises(OptionError, match="single responses"):
        sr.cfa(MODEL, once, estimator="MLR")
    assert sr.cfa(MODEL, again, estimator="MLR").converged


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda p: sr.Moments.from_csv(p / "no.csv"), DataFileError, "no.csv"),
        (lambda p: sr.Moments.from_parquet(p / "no.parquet"), DataFileError, "no.parquet"),
        (lambda p: from_csv(p, FRAME, ["x1", "X_2"]), AnalysisError, "x2"),
        (lambda p: from_csv(p, FRAME, ["x1"], group="schol"), AnalysisError, "school"),
        (lambda p: from_csv(p, FRAME, ["x1", "school"]), AnalysisError, "school"),
        (lambda p: from_csv(p, FRAME[["school"]]), AnalysisError, "names"),
        (lambda p: from_csv(p, FRAME[:1], ITEMS), AnalysisError, "at least 2"),
        (lambda p: from_csv(p, FRAME[:0], ITEMS), AnalysisError, "at least 2"),
        (lambda p: from_csv(p, FRAME[:3].replace({"x1": {FRAME["x1"][0]: np.inf}}), ITEMS), AnalysisError, "infinite"),
        (lambda p: from_csv(p, FRAME, ["x1", "x1"]), OptionError, "list of names"),
        (lambda p: from_csv(p, FRAME, ITEMS, missing=("x",)), OptionError, "missing"),
        (lambda p: from_csv(p, FRAME, ITEMS, data_kind="guess"), OptionError, "data_kind"),
        (lambda p: from_csv(p, FRAME, ITEMS, encoding="utf-16"), DataFileError, "encoding"),
        (lambda _: sr.Moments.from_query("file.db", "SELECT 1"), OptionError, "execute"),
        (lambda _: sr.Moments.from_blocks(FRAME, ITEMS), OptionError, "blocks"),
        (lambda _: sr.Moments.from_blocks([np.ones((3, 2))], ["x"]), OptionError, "shape"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(call, error, words, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(error, match=words):
            call(tmp_path)


def test_a_file_that_is_not_parquet_is_refused(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_text("x1,x2\n1,2\n")
    with pytest.raises(DataFileError, match=r"x\.parquet"):
        sr.Moments.from_parquet(path)


def test_a_name_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("x1,x2,x1\n1,2,3\n2,1,4\n", encoding="utf-8")
    with pytest.raises(AnalysisError, match="x1"):
        sr.Moments.from_csv(path)


def test_numbers_of_a_database_may_be_objects():
    frame = pd.DataFrame({"x": [Decimal("1.5"), None, Decimal(2), Decimal(4)], "y": [1, 2, 3, True]}, dtype=object)
    with pytest.warns(DroppedRowsWarning):
        found = sr.Moments.from_blocks([frame], ["x", "y"])
    np.testing.assert_allclose(found.mean, [2.5, 5 / 3])
    with pytest.raises(AnalysisError, match="not numbers"):
        sr.Moments.from_blocks([frame.assign(y="a")], ["x", "y"])


def test_a_file_that_changed_since_is_noticed(tmp_path):
    found = from_csv(tmp_path, FRAME, ITEMS)
    FRAME.assign(x1=FRAME["x1"] + 3).to_csv(tmp_path / "khảo sát.csv", index=False)
    with pytest.raises(OptionError, match="same data"):
        sr.cfa(MODEL, found, estimator="MLR")


def written(folder, text):
    path = folder / "khảo sát.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("heading", ["a,b,c", "a,b,c,", ",a,b,c"])
@pytest.mark.parametrize("names", [None, ["a", "b"], ["b", "c"]])
def test_cells_stay_under_their_name_when_lines_end_in_a_separator(heading, names, tmp_path):
    lead = "7," if heading.startswith(",") else ""
    lines = [f"{lead}{k},{k * k},{k % 3}{',' if k % 2 else ''}" for k in range(9)]
    found = sr.Moments.from_csv(written(tmp_path, "\n".join(["", heading, *lines])), names)
    means = {"a": 4.0, "b": 204 / 9, "c": 1.0}
    wanted = names or ["a", "b", "c"]
    assert found.variables == tuple(wanted)
    np.testing.assert_allclose(found.mean, [means[name] for name in wanted])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,c\n" + "1,5,2,3\n" * 9, "more cells"),
        ("a,b,c\n" + "1,2,3\n4,1,2\n" * 90 + "1,5,2,3\n", "more cells"),
        ("a;b;c\n1;2;3\n", "separator"),
        ("", "no line"),
    ],
)
def test_a_file_whose_cells_have_no_certain_column_is_refused(text, words, tmp_path):
    for names in (None, ["a", "b"]):
        with pytest.raises(DataFileError, match=words):
            sr.Moments.from_csv(written(tmp_path, text), names)


def test_a_query_that_cannot_run_is_refused_in_words():
    connection = sqlite3.connect(":memory:")
    with pytest.raises(AnalysisError, match="syntax error"):
        sr.Moments.from_query(connection, "SELECT * FRM answers")
    with pytest.raises(AnalysisError, match="x1"):
        sr.Moments.from_query(connection, "SELECT 1 AS x1, 2 AS x1")
    with pytest.raises(OptionError, match="one character"):
        sr.Moments.from_csv(__file__, separator=", ")


def test_a_group_keeps_its_code_whatever_else_stands_in_its_block(tmp_path):
    codes = ["01"] * 80 + ["2.0"] * 60 + ["01", "so_3", "2"] * 20
    lines = [f"{code},{k % 7},{k % 5}" for k, code in enumerate(codes)]
    found = sr.Moments.from_csv(written(tmp_path, "\n".join(["ma,x,y", *lines])), ["x", "y"], group="ma")
    assert {label: one.n for label, one in found.items()} == {"01": 100, "2": 80, "so_3": 20}


@pytest.mark.parametrize("path", [None, 3, ["a.csv"]])
def test_a_path_is_text_or_a_path(path):
    for source in (sr.Moments.from_csv, sr.Moments.from_parquet):
        with pytest.raises(OptionError, match="path of a file"):
            source(path)


def test_a_function_that_yields_no_blocks_is_refused():
    with pytest.raises(OptionError, match="received NoneType"):
        sr.Moments.from_blocks(lambda: None, ["a", "b"])
