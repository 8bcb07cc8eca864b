"""Compare a fit with what lavaan found, number by number."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import sipas_research as sr

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "lavaan"
CASES = tuple(sorted(path.stem for path in REFERENCE.glob("*.json")))

#: In standard errors: lavaan's own search stops up to 2e-4 of one before the minimum.
ESTIMATE = 2e-3
#: Relative: tells n from n - 1 at 1,200 rows.
STD_ERROR = 2e-4
#: Absolute, for p-values and standardised coefficients.
SHARE = 1e-4
COUNTS = ("npar", "df", "df_scaled", "baseline_df", "ntotal")
LIKELIHOOD = ("logl", "unrestricted_logl", "aic", "bic", "bic2")
CHI_SQUARES = (
    "chisq", "chisq_scaled", "chisq_scaling_factor", "baseline_chisq", "baseline_chisq_scaled", "scaling_factor_h0",
    "scaling_factor_h1",
)  # fmt: skip
INDICES = (
    "pvalue", "pvalue_scaled", "cfi", "tli", "cfi_scaled", "tli_scaled", "cfi_robust", "tli_robust", "rmsea",
    "rmsea_ci_lower", "rmsea_ci_upper", "rmsea_pvalue", "rmsea_scaled", "rmsea_ci_lower_scaled",
    "rmsea_ci_upper_scaled", "rmsea_pvalue_scaled", "rmsea_robust", "rmsea_ci_lower_robust", "rmsea_ci_upper_robust",
    "rmsea_pvalue_robust", "srmr", "nfi", "rfi", "ifi", "rni", "rmr", "mfi", "ecvi", "cn_05", "cn_01",
)  # fmt: skip


def load(name: str) -> dict[str, Any]:
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


def data(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / f"{name}.csv")


def fit(case: dict[str, Any], frame: pd.DataFrame | None = None) -> Any:
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in case["options"].items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(sr, case["function"])(case["model"], data(case["data"]) if frame is None else frame, **options)


def key(row: dict[str, Any], block: str) -> tuple[str, str, str, str]:
    lhs, rhs = row["lhs"], row["rhs"]
    if row["op"] == "~~" and rhs < lhs:
        lhs, rhs = rhs, lhs
    return (lhs, row["op"], "" if row["op"] in ("~1", ":=") else rhs, block)


def coefficients(case: dict[str, Any], table: pd.DataFrame) -> list[tuple[str, float, float, float]]:
    """Return (name, ours, lavaan's, allowed difference) of every number of every coefficient."""
    labels = case["groups"] if isinstance(case["groups"], list) and len(case["groups"]) > 1 else [""]
    ours = {key(row, row["group"]): row for row in table.to_dict("records")}
    pairs = []
    for row in case["estimates"]:
        block = "" if row["op"] == ":=" or len(labels) == 1 else labels[int(row["block"]) - 1]
        found, name = ours[key(row, block)], f"{row['lhs']}{row['op']}{row['rhs']} [{block}]"
        error = row.get("se") or 0.0
        allowed = max(ESTIMATE * error, 1e-5 * max(1.0, abs(row["est"])) if not error else 1e-6)
        pairs.append((f"estimate {name}", found["estimate"], row["est"], allowed))
        pairs.append((f"std_error {name}", found["std_error"], error, STD_ERROR * error if error else 1e-12))
        if error and row.get("pvalue") is not None:
            pairs.append((f"p_value {name}", found["p_value"], row["pvalue"], SHARE))
            pairs.append((f"conf_low {name}", found["conf_low"], row["ci.lower"], 2 * ESTIMATE * error))
            pairs.append((f"conf_high {name}", found["conf_high"], row["ci.upper"], 2 * ESTIMATE * error))
        for theirs, column in (("std.lv", "std_lv"), ("std.all", "std_all")):
            value = row.get(theirs)
            if value is not None and row["op"] != ":=":
                pairs.append((f"{column} {name}", found[column], value, SHARE * max(1.0, abs(value))))
    return pairs


def measures(case: dict[str, Any], ours: pd.Series) -> list[tuple[str, float, float, float]]:
    """Return (name, ours, lavaan's, allowed difference) of every measure of fit."""
    theirs = {name.replace(".", "_"): value for name, value in case["fit"].items() if value is not None}
    allowed = dict.fromkeys(COUNTS, 1e-06) | dict.fromkeys(LIKELIHOOD, 0.005) | dict.fromkeys(INDICES, 0.0002)
    allowed |= {name: 1e-4 * max(1.0, abs(theirs.get(name, 1.0))) for name in CHI_SQUARES}
    allowed |= {name: 1e-4 * abs(theirs.get(name, 1.0)) for name in ("cn_05", "cn_01", "ecvi")}
    return [(name, float(ours[name]), theirs[name], limit) for name, limit in allowed.items() if name in theirs]


def off(pairs: list[tuple[str, float, float, float]]) -> list[str]:
    """Return the pairs that differ by more than is allowed; a missing number of ours is off."""
    return [f"{name}: {ours!r}, lavaan {theirs!r}" for name, ours, theirs, limit in pairs
            if not np.isfinite(ours) or not abs(ours - theirs) <= limit]  # fmt: skip
