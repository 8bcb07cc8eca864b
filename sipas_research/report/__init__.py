"""Tables, figures and documents for people: reads results, never estimates.

In a notebook::

    from sipas_research.report import Column, Table, figure, Finding

    Table("tbl-alpha", "Hệ số Cronbach's alpha", (Column("scale", "Thang đo"), Column("alpha", "Alpha", "number3")),
          (("Tiếp cận", 0.8123),), language="vi", data_kind=responses.data_kind, n=3000, source="khảo sát năm 2022")

as the last expression of a cell, or through IPython's ``display``. After the run ``read_chapter`` collects what the
notebook showed and ``write_documents`` makes HTML, Word and PDF.
"""

from importlib import import_module
from typing import Any

from sipas_research.report.cells import Absent, Suppressed
from sipas_research.report.display import MIME, Column, Figure, Finding, Table, from_payload, mark
from sipas_research.report.documents import FORMATS, write_documents
from sipas_research.report.excel import write_figure, write_table_xlsx
from sipas_research.report.executed import Block, Chapter, read_chapter
from sipas_research.report.figures import figure
from sipas_research.report.source import Document, plain

#: Builders of particular tables and figures load on first use: they bring the estimators' results with them.
_BUILDERS = {
    "adequacy_table": "measurement_tables",
    "agency_figure": "index_tables",
    "agency_table": "index_tables",
    "alpha_table": "measurement_tables",
    "attempt": "labels",
    "component_figure": "index_tables",
    "designed_factors": "measurement_tables",
    "efa_table": "measurement_tables",
    "eigen_table": "measurement_tables",
    "factor_items": "measurement_tables",
    "forms_table": "profile_tables",
    "front_markdown": "front",
    "index_findings": "sentences",
    "index_table": "index_tables",
    "item_total_table": "measurement_tables",
    "items_table": "item_tables",
    "likert_figures": "item_tables",
    "measurement_findings": "sentences",
    "phi_table": "measurement_tables",
    "profile_table": "profile_tables",
    "quality_findings": "sentences",
    "scorecard_figure": "scorecard_tables",
    "scorecard_findings": "sentences",
    "scorecard_items_table": "scorecard_tables",
    "scorecard_table": "scorecard_tables",
    "scree_figure": "measurement_tables",
    "show": "labels",
    "year_table": "index_tables",
}

__all__ = [  # noqa: PLE0604 - the builders are the table's keys
    "FORMATS",
    "MIME",
    "Absent",
    "Block",
    "Chapter",
    "Column",
    "Document",
    "Figure",
    "Finding",
    "Suppressed",
    "Table",
    "figure",
    "from_payload",
    "mark",
    "plain",
    "read_chapter",
    "write_documents",
    "write_figure",
    "write_table_xlsx",
    *_BUILDERS,
]


def __getattr__(name: str) -> Any:
    if name in _BUILDERS:
        return getattr(import_module(f"sipas_research.report.{_BUILDERS[name]}"), name)
    raise AttributeError(f"module 'sipas_research.report' has no attribute {name!r}")
