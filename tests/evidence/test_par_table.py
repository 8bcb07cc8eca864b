"""The PAR INDEX tree from the user's table: levels, gaps, and refusals that name file, sheet, row and column."""

import math

import pandas as pd
import pytest

from sipas_research.errors import DataFileError
from sipas_research.evidence.par_table import PRINTED_COUNTS, find_par_table, read_par_table, write_par_template
from sipas_research.results import DataKind
from sipas_research.survey.workbook import read_rows

HEADER = "Lĩnh vực,Chỉ tiêu,Tiêu chí thành phần,Điểm,Điểm năm trước"


def written(folder, *lines, header=HEADER, name="par_index.csv"):
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_levels_counts_and_gaps(tmp_path):
    tree = read_par_table(
        written(
            tmp_path,
            "Thủ tục hành chính,,,92.5,90",
            ",Kiểm soát thủ tục,,8.5,8.5",
            ",,Công bố đúng hạn,2.0,2.5",
            ",,Công khai đầy đủ,1.5,",
            "Tài chính công,,,,80",
            ",Tự chủ,,7,6",
        )
    )
    counts = tree.counts().set_index("term")
    assert counts.loc["field", ["n", "up", "down", "same", "unknown"]].tolist() == [2, 1, 0, 0, 1]
    assert counts.loc["indicator", ["n", "up", "down", "same", "unknown"]].tolist() == [2, 1, 0, 1, 0]
    assert counts.loc["component", ["n", "up", "down", "same", "unknown"]].tolist() == [2, 0, 1, 0, 1]
    assert counts["printed"].to_dict() == dict(PRINTED_COUNTS) == {"field": 8, "indicator": 43, "component": 102}
    assert [n.name for n in tree.gaps()] == ["Công khai đầy đủ", "Tài chính công"]
    assert tree.nodes[3].indicator == "Kiểm soát thủ tục"
    assert tree.nodes[5].field == "Tài chính công"
    assert tree.data_kind is DataKind.USER
    assert math.isnan(tree.tidy().loc[4, "estimate"]), "a parent is not computed from its children"


def test_a_new_field_does_not_inherit_an_indicator(tmp_path):
    tree = read_par_table(written(tmp_path, "A,a1,,1,1", "B,,b-thành phần,2,1"))
    assert tree.nodes[1].indicator == ""
    assert tree.nodes[1].level == "component"


def test_decimal_commas_per_cent_signs_and_english_headers(tmp_path):
    path = written(tmp_path, '"A";"";"";"87,11%";"83,8"', header="Field;Indicator;Component;Score;Previous score")
    tree = read_par_table(path)
    assert (tree.nodes[0].score, tree.nodes[0].previous) == (87.11, 83.8)


def test_excel_gives_the_same_tree(tmp_path):
    rows = [("A", None, None, 87.11, 83.8), (None, "a1", None, 8.5, None)]
    frame = pd.DataFrame(rows, columns=HEADER.split(","))
    path = tmp_path / "par_index.xlsx"
    frame.to_excel(path, index=False, sheet_name="PAR INDEX")
    csv = written(tmp_path, "A,,,87.11,83.8", ",a1,,8.5,")
    ours, theirs = read_par_table(path), read_par_table(csv)
    assert [n.name for n in ours.nodes] == [n.name for n in theirs.nodes]
    assert ours.tidy()["estimate"].tolist() == theirs.tidy()["estimate"].tolist()


def test_troubles_name_file_row_and_column(tmp_path):
    path = written(tmp_path, "A,,,tám mươi,90", ",a1,,120,8", "A,,,80,80", ",,,,")
    with pytest.raises(DataFileError) as caught:
        read_par_table(path)
    assert [(p.key, p.row) for p in caught.value.problems] == [
        ("par.problem.score", 2),
        ("par.problem.score", 3),
        ("par.problem.twice", 4),
    ]
    message = caught.value.message("vi")
    assert "par_index.csv" in message
    assert "tám mươi" in message
    assert "'Điểm'" in message


@pytest.mark.parametrize(
    ("lines", "header", "key"),
    [
        ([",,,80,80"], HEADER, "par.problem.no_name"),
        ([",a1,,80,80"], HEADER, "par.problem.no_name"),
        (["A,80"], "Lĩnh vực,Điểm cũ", "workbook.unknown_header"),
        (["A,1"], "Lĩnh vực,Chỉ tiêu", "workbook.missing_header"),
        (["A,nan"], "Lĩnh vực,Điểm", "par.problem.score"),
        (["A,-1"], "Lĩnh vực,Điểm", "par.problem.score"),
    ],
)
def test_hostile_tables_are_refused(tmp_path, lines, header, key):
    with pytest.raises(DataFileError) as caught:
        read_par_table(written(tmp_path, *lines, header=header))
    assert key in [p.key for p in caught.value.problems]
    for language in ("vi", "en"):
        assert "par_index.csv" in caught.value.message(language)


def test_a_marked_file_is_simulated(tmp_path):
    tree = read_par_table(written(tmp_path, "A,,,80,79,simulated", header=HEADER + ",data_kind"))
    assert tree.data_kind is DataKind.SIMULATED


def test_template_can_be_filled_and_found(tmp_path):
    assert find_par_table(tmp_path) is None
    path = write_par_template(tmp_path / "par_index.xlsx")
    _, headers = read_rows(path, "PAR INDEX")
    assert headers == HEADER.split(",")
    with pytest.raises(DataFileError):
        find_par_table(tmp_path)
    from openpyxl import load_workbook

    book = load_workbook(path)
    book["PAR INDEX"].append(["A", None, None, "87,11", "83,8"])
    book.save(path)
    assert find_par_table(tmp_path).nodes[0].score == 87.11
