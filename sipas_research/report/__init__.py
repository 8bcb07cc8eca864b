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
    "agreement_table": "reliability_tables",
    "alpha_table": "measurement_tables",
    "attempt": "labels",
    "back_test_table": "target_tables",
    "breaks_table": "series_tables",
    "change_table": "target_tables",
    "citations_table": "evidence_tables",
    "claim_findings": "evidence_tables",
    "claim_table": "evidence_tables",
    "coefficient_figure": "model_tables",
    "component_figure": "index_tables",
    "cross_section_finding": "model_sentences",
    "dashboard_figure": "series_figures",
    "dashboard_table": "series_tables",
    "decided_flags_table": "evidence_tables",
    "derived_table": "evidence_tables",
    "designed_factors": "measurement_tables",
    "efa_agreement_table": "efa_tables",
    "efa_table": "measurement_tables",
    "eigen_table": "measurement_tables",
    "factor_items": "measurement_tables",
    "fit_table": "structural_tables",
    "flags_table": "evidence_tables",
    "forms_table": "profile_tables",
    "front_markdown": "front",
    "group_means_table": "group_tables",
    "group_tests_table": "group_tables",
    "grouping_facts": "group_tables",
    "harman_table": "reliability_tables",
    "hierarchical_omega_table": "reliability_tables",
    "htmt_table": "validity_tables",
    "icc_table": "reliability_tables",
    "index_findings": "sentences",
    "index_table": "index_tables",
    "item_total_table": "measurement_tables",
    "item_adequacy_table": "efa_tables",
    "items_table": "item_tables",
    "ledger_findings": "evidence_tables",
    "ledger_tables": "evidence_tables",
    "likert_figures": "item_tables",
    "loadings_table": "structural_tables",
    "logit_table": "model_tables",
    "main_score": "group_tables",
    "marker_variable_table": "method_bias_tables",
    "measurement_conventions_table": "convention_tables",
    "measurement_findings": "measurement_sentences",
    "method_factor_table": "method_bias_tables",
    "method_sensitivity_table": "method_bias_tables",
    "model_findings": "model_sentences",
    "omega_table": "reliability_tables",
    "pairs_table": "group_tables",
    "papi_association_figure": "papi_figures",
    "papi_association_table": "papi_peer_tables",
    "papi_attempt": "papi_labels",
    "papi_breaks_table": "papi_tables",
    "papi_dimension_figure": "papi_figures",
    "papi_dimensions_table": "papi_tables",
    "papi_findings": "papi_sentences",
    "papi_gap_figure": "papi_figures",
    "papi_gaps_table": "papi_tables",
    "papi_ledger_table": "evidence_tables",
    "papi_levers_table": "papi_tables",
    "papi_missing": "papi_labels",
    "papi_peer_gaps_table": "papi_peer_tables",
    "papi_peers_figure": "papi_figures",
    "papi_peers_table": "papi_peer_tables",
    "papi_province": "papi_labels",
    "papi_published_table": "papi_tables",
    "papi_ranks_table": "papi_tables",
    "papi_synthetic_table": "papi_peer_tables",
    "papi_weights_table": "papi_peer_tables",
    "par_fields_table": "series_tables",
    "par_table": "series_tables",
    "parallel_table": "retention_tables",
    "path_diagram": "diagrams",
    "path_figure": "series_figures",
    "path_table": "structural_tables",
    "phi_table": "measurement_tables",
    "profile_table": "profile_tables",
    "quality_findings": "sentences",
    "refuse_simulated_place": "series_tables",
    "regression_fit_table": "model_tables",
    "regression_table": "model_tables",
    "rerun_table": "quality_tables",
    "rerun_tables": "quality_tables",
    "response_findings": "quality_tables",
    "response_signs_table": "quality_tables",
    "retention_figure": "retention_tables",
    "retention_table": "retention_tables",
    "review_figure": "series_figures",
    "review_table": "series_tables",
    "sample_size_table": "sample_tables",
    "scale_group_findings": "comparison_pairs",
    "scale_group_tables": "comparison_tables",
    "scale_means_table": "sample_tables",
    "scale_pairs_table": "comparison_pairs",
    "scale_tests_table": "comparison_tables",
    "scorecard_figure": "scorecard_tables",
    "scorecard_findings": "sentences",
    "scorecard_items_table": "scorecard_tables",
    "scorecard_table": "scorecard_tables",
    "scree_figure": "measurement_tables",
    "screened_loadings_table": "screening_tables",
    "screening_effects_table": "screening_tables",
    "screening_table": "screening_tables",
    "series_findings": "series_sentences",
    "show": "labels",
    "stability_table": "target_tables",
    "structural_diagram": "diagrams",
    "suspects_spread_table": "quality_tables",
    "suspects_table": "quality_tables",
    "target_table": "target_tables",
    "validity_conventions_table": "validity_tables",
    "validity_table": "validity_tables",
    "variance_table": "efa_tables",
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
