"""Chapters from executed notebooks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sipas_research.errors import RunError
from sipas_research.report import Column, Figure, Finding, Table, read_chapter
from sipas_research.results import DataKind

KIND = DataKind.USER


def table(language: str = "vi") -> Table:
    return Table("tbl-a", "Bảng", (Column("a", "A", "number2"),), ((1.5,),), language, KIND)


def shown(bundle: dict[str, Any]) -> dict[str, Any]:
    lines = {
        k: v.splitlines(keepends=True) if isinstance(v, str) and k.startswith("text") else v for k, v in bundle.items()
    }
    return {"output_type": "display_data", "data": lines, "metadata": {}}


def code(*outputs: dict[str, Any], tags: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"cell_type": "code", "source": ["x = 1"], "metadata": {"tags": list(tags)}, "outputs": list(outputs)}


def markdown(source: str, *tags: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source.splitlines(keepends=True), "metadata": {"tags": list(tags)}}


def write(folder: Path, *cells: dict[str, Any]) -> Path:
    path = folder / "03_measurement.ipynb"
    notebook = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    picture = Figure("fig-a", "Hình", b"\x89PNG", "<svg></svg>", "mô tả", "vi", KIND)
    finding = Finding("f", "Kết quả", "vi", KIND, "main")
    return write(
        tmp_path,
        code(shown(table()._repr_mimebundle_()), tags=("parameters",)),
        markdown("# Tiêu đề\n\nĐoạn", "vi"),
        markdown("# Title", "en"),
        markdown("Chung"),
        code(
            {"output_type": "stream", "name": "stdout", "text": ["in ra"]},
            shown({"text/html": "<table>pandas</table>", "text/plain": "x"}),
            shown(table()._repr_mimebundle_()),
            shown(table("en")._repr_mimebundle_()),
        ),
        code(shown(picture._repr_mimebundle_()), shown(finding._repr_mimebundle_())),
    )


def test_takes_only_what_belongs_to_the_language(notebook: Path) -> None:
    vietnamese = read_chapter(notebook, "vi")
    assert vietnamese.name == "03_measurement"
    assert [b if isinstance(b, str) else b.id for b in vietnamese.blocks] == [
        "# Tiêu đề\n\nĐoạn",
        "Chung",
        "tbl-a",
        "fig-a",
        "f",
    ]
    assert vietnamese.tables == (table(),)
    assert vietnamese.figures[0].png == b"\x89PNG"
    assert vietnamese.figures[0].svg == "<svg></svg>"
    assert vietnamese.findings[0].role == "main"
    english = read_chapter(notebook, "en")
    assert [b if isinstance(b, str) else b.language for b in english.blocks] == ["# Title", "Chung", "en"]


def test_a_failed_cell_is_named(tmp_path: Path) -> None:
    error = {"output_type": "error", "ename": "ValueError", "evalue": "sai", "traceback": []}
    with pytest.raises(RunError) as caught:
        read_chapter(write(tmp_path, markdown("a"), code(error)), "vi")
    assert "'03_measurement.ipynb'" in str(caught.value)
    assert "ô số 2" in str(caught.value)
    assert "ValueError: sai" in str(caught.value)


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    payload = table().payload()
    del payload["columns"]
    with pytest.raises(RunError, match="ô số 1"):
        read_chapter(write(tmp_path, code(shown({"application/vnd.sipas+json": payload}))), "vi")


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"cells": 5}'])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RunError, match=r"x\.ipynb"):
        read_chapter(path, "vi")
