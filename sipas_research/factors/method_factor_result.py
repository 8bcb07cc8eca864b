"""What the sensitivity of a model to a method factor is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.sem.result import SemFit
from sipas_research.wording import number, p_value, percent, text

NAN = float("nan")
CFA, BASELINE, EQUAL, FREE, RESTRICTED = "cfa", "baseline", "equal", "free", "restricted"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Variant:
    """One variant of the model.

    Attributes
    ----------
    name : {"cfa", "baseline", "equal", "free", "restricted"}
    fit : SemFit or None
        None where it could not be estimated.
    share : float
        Mean share of an item's variance that the method factor takes, 0-1; NaN without one, or where not usable.
    notes : tuple of str
        Catalogue keys of what is wrong with it.
    """

    name: str
    fit: SemFit | None
    share: float
    notes: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether it may be compared: estimated, converged, identified."""
        bad = {f"common_method.note.{name}" for name in ("not_fitted", "not_converged", "not_identified")}
        return self.fit is not None and not bad & set(self.notes)

    def measure(self, name: str) -> float:
        """Return a measure of fit, the robust one where the estimator is robust; NaN where it may not be used."""
        if self.fit is None or not self.usable:
            return NAN
        found = self.fit.measures
        robust = found.get(f"{name}_scaled" if name == "chisq" else f"{name}_robust", NAN)
        return float(robust) if self.fit.options.robust and np.isfinite(robust) else float(found[name])


@dataclass(frozen=True, slots=True)
class VariantTest:
    """Test of a restricted variant against a freer one; NaN with a note (catalogue key) where there is none."""

    question: str
    restricted: str
    free: str
    chisq: float
    df: float
    p_value: float
    note: str


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One standardised coefficient among factors: ``values``, errors and interval ends, one a variant."""

    lhs: str
    op: str
    rhs: str
    values: tuple[float, ...]
    std_errors: tuple[float, ...]
    ends: tuple[tuple[float, float], ...]

    def change(self, variant: int, base: int) -> float:
        """Difference of one variant from the baseline."""
        return self.values[variant] - self.values[base]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MethodFactor:
    """How far a model's coefficients move when items also load on a method factor; a sensitivity analysis.

    Attributes
    ----------
    kind : {"unmeasured", "marker"}
    marker, items : tuple of str
        Items of the marker (none for an unmeasured factor), and items that bear method loadings.
    variants : tuple of Variant
    tests : tuple of VariantTest
    chosen : str
        Which of "equal" and "free" the restricted variant rests on; "" without one.
    coefficients : tuple of Coefficient
    n : int
    notes : tuple of str
        Catalogue keys about the whole.
    data_kind : DataKind
    """

    kind: str
    marker: tuple[str, ...]
    items: tuple[str, ...]
    variants: tuple[Variant, ...]
    tests: tuple[VariantTest, ...]
    chosen: str
    coefficients: tuple[Coefficient, ...]
    n: int
    notes: tuple[str, ...]
    data_kind: DataKind

    def __repr__(self) -> str:
        return f"MethodFactor({self.kind}, {len(self.items)} items, {self.n} rows, {self.data_kind.value})"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variants."""
        return tuple(variant.name for variant in self.variants)

    def variant(self, name: str) -> Variant:
        """Return one variant; KeyError if there is none of this name."""
        return dict(zip(self.names, self.variants, strict=True))[name]

    def tidy(self) -> pd.DataFrame:
        """One row a standardised coefficient among factors (term "f ~~ g") and variant (``group``)."""
        rows: list[dict[str, object]] = []
        for found in self.coefficients:
            for k, name in enumerate(self.names):
                rows.append(
                    dict.fromkeys(TIDY_COLUMNS, NAN)
                    | {
                        "term": f"{found.lhs} {found.op} {found.rhs}",
                        "group": name,
                        "estimate": found.values[k],
                        "std_error": found.std_errors[k],
                        "conf_low": found.ends[k][0],
                        "conf_high": found.ends[k][1],
                        "note": "" if name in (CFA, BASELINE) else "common_method.note.sensitivity",
                    }
                )
        return pd.DataFrame(rows, columns=list(TIDY_COLUMNS))

    def comparison(self) -> pd.DataFrame:
        """One row a variant: chi-square, df, CFI, RMSEA, SRMR, method share, the test it takes part in, note."""
        tests = {test.free if test.question != RESTRICTED else RESTRICTED: test for test in self.tests}
        rows = []
        for variant in self.variants:
            test = tests.get(variant.name)
            rows.append(
                {
                    "variant": variant.name,
                    **{name: variant.measure(name) for name in ("chisq", "df", "cfi", "rmsea", "srmr")},
                    "method_share": variant.share,
                    "chisq_diff": test.chisq if test else NAN,
                    "df_diff": test.df if test else NAN,
                    "p_value": test.p_value if test else NAN,
                    "note": "; ".join(filter(None, (*variant.notes, test.note if test else ""))),
                }
            )
        return pd.DataFrame(rows)

    def largest_change(self) -> tuple[Coefficient, int] | None:
        """Return the coefficient that moves most from the baseline, and the variant; None where none moves."""
        base = self.names.index(BASELINE)
        found = [
            (abs(c.change(k, base)), -i, k)
            for i, c in enumerate(self.coefficients)
            for k, variant in enumerate(self.variants)
            if variant.name in (EQUAL, FREE) and variant.usable and np.isfinite(c.change(k, base))
        ]
        if not found:
            return None
        _, place, k = max(found)
        return self.coefficients[-place], k

    def glance(self) -> pd.DataFrame:
        """Return one row: kind, items, method share, largest change of a coefficient, p-values, n, data_kind."""
        top = self.largest_change()
        base = self.names.index(BASELINE)
        row = {
            "kind": self.kind,
            "n_items": len(self.items),
            "share_equal": self.variant(EQUAL).share,
            "share_free": self.variant(FREE).share,
            "largest_change": abs(top[0].change(top[1], base)) if top else NAN,
            **{f"p_{test.question}": test.p_value for test in self.tests},
            "n": self.n,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return the variants, what each comparison asks, how far coefficients move, and what this does not show."""
        lines = [
            text(
                f"common_method.factor.head_{self.kind}", language, items=len(self.items), n=self.n,
                kind=text(f"common.kind.{self.data_kind.value}", language),
                **({"marker": ", ".join(self.marker)} if self.marker else {}),
            )
        ]  # fmt: skip
        for variant in self.variants:
            lines += _variant_lines(variant, self.variant_name(variant.name, language), language)
        lines += [_test_line(test, language) for test in self.tests]
        top, base = self.largest_change(), self.names.index(BASELINE)
        if top is not None:
            found, k = top
            lines.append(
                text(
                    "common_method.factor.change", language, first=found.lhs, op=found.op, second=found.rhs,
                    change=number(abs(found.change(k, base)), 3, language),
                    before=number(found.values[base], 3, language), after=number(found.values[k], 3, language),
                    name=self.variant_name(self.names[k], language),
                )
            )  # fmt: skip
        return "\n".join([*lines, *[text(key, language) for key in self.notes]])

    def variant_name(self, name: str, language: str) -> str:
        """Return a variant's name in words."""
        suffix = "_marker" if name == BASELINE and self.kind == "marker" else ""
        return text(f"common_method.variant.{name}{suffix}", language)


def _variant_lines(variant: Variant, name: str, language: str) -> list[str]:
    lines = []
    if variant.usable:
        line = text(
            "common_method.factor.variant", language, name=name, chisq=number(variant.measure("chisq"), 2, language),
            df=int(variant.measure("df")), cfi=number(variant.measure("cfi"), 3, language),
            rmsea=number(variant.measure("rmsea"), 3, language), srmr=number(variant.measure("srmr"), 3, language),
        )  # fmt: skip
        if np.isfinite(variant.share):
            line += text("common_method.factor.share", language, share=percent(variant.share, language, 1))
        lines.append(line + ".")
    for key in variant.notes:
        lines.append(text("common_method.factor.remark", language, name=name, reason=text(key, language)))
    return lines


def _test_line(test: VariantTest, language: str) -> str:
    question = text(f"common_method.question.{test.question}", language)
    if test.note:
        return text("common_method.factor.no_test", language, question=question, reason=text(test.note, language))
    return text(
        "common_method.factor.test", language, question=question, chisq=number(test.chisq, 2, language),
        df=int(test.df), p=p_value(test.p_value, language),
    )  # fmt: skip
