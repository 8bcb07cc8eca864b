"""Executed notebooks: which outputs show a person, and which only look like it."""

from __future__ import annotations

import nbformat
import pandas as pd
import pytest

from sipas_research.study.notebook_check import PersonMarks, last_started_cell, normalise, person_rows, unfinished_cell

MARKS = PersonMarks(
    frozenset({"P-0001", "DTV-07", "1234567", "2021", *map(str, range(400))}),
    frozenset({"access_1", "access_2", "access_3"}),
)


def notebook(*outputs: dict) -> nbformat.NotebookNode:
    made = [nbformat.v4.new_output(**o) for o in outputs]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=made, execution_count=1)])


def shown(frame: pd.DataFrame) -> dict:
    return {"output_type": "display_data", "data": {"text/html": frame.to_html(), "text/plain": repr(frame)}}


def printed(content: str) -> dict:
    return {"output_type": "stream", "name": "stdout", "text": content}


ITEMS = ["access_1", "access_2", "access_3"]


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (shown(pd.DataFrame({"a": ["P-0001"], "b": [4]})), "id"),
        (printed("ma   tuoi\nP-0001   4\n"), "id"),
        (printed("1234567 1 2 3"), "id"),
        (shown(pd.DataFrame({"respondent_id": ["moi"]})), "column"),
        (shown(pd.DataFrame([[1, 2, 3]] * 2, columns=ITEMS)), "rows"),
        (printed(repr(pd.DataFrame([[1, 2, 3]] * 2, columns=ITEMS))), "rows"),
        ({"output_type": "display_data", "data": {"application/vnd.x+json": {"rows": [["DTV-07", 3]]}}}, "id"),
        (printed(repr(pd.DataFrame([[1.0, None, 3.0]] * 2, columns=ITEMS))), "rows"),
        (shown(pd.DataFrame([["Hài lòng", "Bình thường", "Hài lòng"]] * 2, columns=ITEMS)), "rows"),
        (printed(" ".join(map(str, range(100, 120)))), "id"),
    ],
)
def test_rows_about_people_are_found(output: dict, reason: str) -> None:
    assert {(f.cell, f.reason) for f in person_rows(notebook(output), MARKS)} >= {(1, reason)}


@pytest.mark.parametrize(
    "output",
    [
        shown(pd.DataFrame([[1.5, 2, 3]] * 2, columns=ITEMS, index=["mean", "std"])),
        shown(pd.DataFrame([[1.5, 2, 3]] * 2, columns=ITEMS, index=[2021, 2022])),
        shown(pd.DataFrame([[1.0, 0.5, 0.2]] * 3, columns=ITEMS, index=ITEMS)),
        shown(pd.DataFrame({"nam": [2021], "n": [120]})),
        printed("2021: 380 phiếu, 12 đơn vị"),
        # A warning names the items it left out, and the next sentence begins with a count.
        printed("Đã bỏ 3 biến: access_1, access_2, access_3.\n3 items left out: access_1, access_2, access_3.\n"),
        printed("Đã bỏ: access_1, access_2, access_3.\n12 rows with missing answers were left out; 388 are used.\n"),
        {"output_type": "display_data", "data": {"application/vnd.x+json": {"columns": [{"id": "respondent_id"}]}}},
    ],
)
def test_summaries_pass(output: dict) -> None:
    assert person_rows(notebook(output), MARKS) == ()


def test_normalise_leaves_pictures_alone() -> None:
    picture = {"output_type": "display_data", "data": {"image/png": "/srv/a", "text/plain": "/srv/a ipykernel_77/1.py"}}
    made = notebook(picture)
    made.cells[0].metadata["papermill"] = {"duration": 1}
    made.metadata["papermill"] = {"start_time": "x"}
    normalise(made, [("/srv", "s"), ("/srv/a", "file")])
    data = made.cells[0].outputs[0].data
    assert data["image/png"] == "/srv/a"
    assert data["text/plain"] == "file ipykernel/1.py"
    assert "papermill" not in made.metadata
    assert "papermill" not in made.cells[0].metadata


def test_unfinished_cell_counts_code_cells() -> None:
    made = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("a"),
            nbformat.v4.new_code_cell("1", execution_count=1, metadata={"papermill": {"status": "completed"}}),
            nbformat.v4.new_code_cell("2", metadata={"papermill": {"status": "completed"}}),
        ]
    )
    assert unfinished_cell(made) == 2
    made.cells[2]["execution_count"] = 2
    assert unfinished_cell(made) is None


@pytest.mark.parametrize("number_arrived", [True, False])
def test_a_dead_kernel_is_found_in_the_cell_that_was_started_last(number_arrived: bool) -> None:
    cells = [nbformat.v4.new_code_cell("x", execution_count=n) for n in (1, 2 if number_arrived else None, None)]
    for cell, start in zip(cells, ("09:00", "09:01", None), strict=True):
        cell.metadata["papermill"] = {"status": "completed", "start_time": start}
    assert last_started_cell(nbformat.v4.new_notebook(cells=cells)) == 2
    assert last_started_cell(nbformat.v4.new_notebook()) is None


def test_text_that_the_kernel_cut_in_two_is_one_text_again() -> None:
    whole, cut = notebook(printed("một hai ba")), notebook(printed("một "), printed("hai ba"))
    other = notebook(printed("một "), {"output_type": "stream", "name": "stderr", "text": "hai"}, printed(" ba"))
    for made in (whole, cut, other):
        normalise(made, ())
    assert cut.cells[0].outputs == whole.cells[0].outputs
    assert [o.text for o in other.cells[0].outputs] == ["một ", "hai", " ba"]
