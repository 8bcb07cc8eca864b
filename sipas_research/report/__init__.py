"""Tables, figures and documents for people: reads results, never estimates.

In a notebook::

    from sipas_research.report import Column, Table, figure, Finding

    Table("tbl-alpha", "Hệ số Cronbach's alpha", (Column("scale", "Thang đo"), Column("alpha", "Alpha", "number3")),
          (("Tiếp cận", 0.8123),), language="vi", data_kind=responses.data_kind, n=3000, source="khảo sát năm 2022")

as the last expression of a cell, or through IPython's ``display``. After the run ``read_chapter`` collects what the
notebook showed and ``write_documents`` makes HTML, Word and PDF.
"""

from sipas_research.report.cells import Absent, Suppressed
from sipas_research.report.display import MIME, Column, Figure, Finding, Table, from_payload, mark
from sipas_research.report.documents import FORMATS, write_documents
from sipas_research.report.executed import Block, Chapter, read_chapter
from sipas_research.report.figures import figure
from sipas_research.report.source import Document, plain

__all__ = [
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
]
