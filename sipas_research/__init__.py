"""Satisfaction with public administration in Vietnam: measure it, model it, report it.

Public names load on first use, so that importing the package stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "DataKind": "results",
    "load_study": "study.study",
    "read_responses": "survey.read",
    "check_responses": "survey.read",
    "read_crosswalk": "survey.crosswalk",
    "read_table": "survey.reading",
    "load_questionnaire": "survey.questionnaire_files",
    "response_quality": "survey.response_quality",
    "without_suspects": "survey.response_quality",
    "rerun_without_suspects": "survey.rerun",
    "describe": "survey.description",
    "profile": "survey.description",
    "reliability": "factors.reliability",
    "omega_hierarchical": "factors.omega",
    "screen_items": "factors.screening",
    "kmo": "factors.adequacy",
    "bartlett_sphericity": "factors.adequacy",
    "efa": "factors.efa",
    "parallel_analysis": "factors.parallel",
    "map_test": "factors.retention",
    "factor_retention": "factors.retention",
    "polychoric": "factors.polychoric",
    "cfa": "sem.estimate",
    "factor_model": "sem.questionnaire_models",
    "lever_model": "sem.questionnaire_models",
    "compare": "sem.comparison",
    "estimator_grid": "sem.estimator_grid",
    "design_grid": "sem.design_grid",
    "invariance": "sem.invariance",
    "invariance_search": "sem.invariance_search",
    "wald_test": "sem.wald",
    "score_test": "sem.score_tests",
    "Moments": "sem.moments",
    "compare_groups": "factors.group_differences",
    "compare_scales": "factors.scale_differences",
    "icc": "factors.agreement",
    "agreement": "factors.agreement",
    "harman": "factors.method_bias",
    "marker_variable": "factors.marker_variable",
    "method_factor": "factors.method_factor",
    "validity": "factors.validity",
    "regress": "levers.regression",
    "verify_with_semopy": "verification.semopy_check",
    "factor_analyzer_check": "verification.factor_analyzer_models",
    "satisfaction_index": "framework.index",
    "index_change": "framework.change",
    "comparable_years": "framework.change",
    "adjusted_index": "framework.case_mix",
    "weighted_index": "framework.weights",
    "weight_choices": "framework.weight_choices",
    "deciding_index": "framework.weights",
    "scorecard": "framework.scorecard",
    "open_scorecard": "study.scorecard_file",
    "rank_sets": "framework.ranks",
    "rank_robustness": "framework.rank_robustness",
    "fay_herriot": "framework.small_area",
    "classify": "framework.classes",
    "misgraded": "framework.class_errors",
    "load_framework": "framework.framework_file",
    "facts": "evidence.ledger",
    "check_claim": "evidence.claim",
    "published_claim": "evidence.published_claims",
    "dashboard": "evidence.published",
    "index_series": "evidence.published",
    "review_series": "evidence.published",
    "review_targets": "evidence.published",
    "papi_series": "evidence.published",
    "read_citations": "evidence.ledger_file",
    "decided_flags": "evidence.flags",
    "read_par_table": "evidence.par_table",
    "find_par_table": "evidence.par_table",
    "write_par_template": "evidence.par_table",
    "stability": "evidence.stability",
    "target_path": "framework.targets",
    "target_panel": "framework.target_panel",
    "read_papi": "evidence.papi",
    "province_ranks": "levers.ranks",
    "peers": "levers.peers",
    "synthetic_control": "levers.synthetic",
    "province_association": "levers.panel",
    "path_diagram": "report.diagrams",
}
_MODULES = ("errors", "report", "sem", "wording")

__all__ = ["__version__", *_HOME, *_MODULES]  # noqa: PLE0604 - names are the table's keys


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"sipas_research.{_HOME[name]}"), name)
    if name in _MODULES:
        return import_module(f"sipas_research.{name}")
    raise AttributeError(f"module 'sipas_research' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
