"""What a user may ask of a fit, checked once and frozen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sipas_research.errors import OptionError

Estimator = Literal["ML", "MLR", "MLM", "GLS", "ULS"]
ESTIMATORS = ("ML", "MLR", "MLM", "GLS", "ULS")
#: Estimators whose standard errors and tests need the rows.
ROBUST = ("MLR", "MLM")
#: Estimators that maximise the likelihood; it is conditional on observed predictors unless told otherwise.
LIKELIHOOD = ("ML", *ROBUST)
INFORMATION = ("expected", "observed")
GROUP_EQUAL = (
    "loadings",
    "intercepts",
    "means",
    "regressions",
    "residuals",
    "residual_covariances",
    "lv_variances",
    "lv_covariances",
)


@dataclass(frozen=True, slots=True)
class FitOptions:
    """Options of :func:`sipas_research.sem`, with lavaan's names; see there."""

    estimator: Estimator = "ML"
    group: str | None = None
    group_equal: tuple[str, ...] = ()
    group_partial: tuple[str, ...] = ()
    std_lv: bool = False
    orthogonal: bool = False
    meanstructure: bool = False
    information: Literal["expected", "observed"] = "expected"
    fixed_x: bool = True
    level: float = 0.95

    @property
    def robust(self) -> bool:
        """Whether standard errors and tests are corrected for non-normality."""
        return self.estimator in ROBUST

    @property
    def likelihood(self) -> bool:
        """Whether the discrepancy is that of maximum likelihood."""
        return self.estimator in LIKELIHOOD


def fit_options(
    *,
    estimator: str,
    group: str | None,
    group_equal: Sequence[str] | str,
    group_partial: Sequence[str] | str,
    std_lv: bool,
    orthogonal: bool,
    meanstructure: bool | None,
    information: str | None,
    fixed_x: bool | None,
    level: float,
    means_needed: bool,
) -> FitOptions:
    """Check the options and settle what was left open.

    ``means_needed``: whether the model or its groups call for means.

    Raises
    ------
    OptionError
        If an option is outside its vocabulary.
    """
    name = _one_of("estimator", estimator, ESTIMATORS)
    equal = tuple(item.replace(".", "_") for item in _names(group_equal))
    for item in equal:
        _one_of("group_equal", item, GROUP_EQUAL)
    if information is not None:
        _one_of("information", information, INFORMATION)
    for flag, value in (("std_lv", std_lv), ("orthogonal", orthogonal)):
        _flag(flag, value)
    for flag, given in (("meanstructure", meanstructure), ("fixed_x", fixed_x)):
        if given is not None:
            _flag(flag, given)
    if not isinstance(level, float) or not 0 < level < 1:
        raise OptionError("sem.error.level", received=repr(level))
    means = bool(meanstructure) or means_needed or bool({"intercepts", "means"} & set(equal))
    return FitOptions(
        estimator=name,  # type: ignore[arg-type]
        group=group,
        group_equal=equal,
        group_partial=tuple(item.replace(" ", "") for item in _names(group_partial)),
        std_lv=std_lv,
        orthogonal=orthogonal,
        meanstructure=means,
        information=information or ("observed" if name == "MLR" else "expected"),  # type: ignore[arg-type]
        fixed_x=name in LIKELIHOOD if fixed_x is None else fixed_x,
        level=level,
    )


def _names(given: Sequence[str] | str) -> tuple[str, ...]:
    if not isinstance(given, str | Iterable):
        raise OptionError("sem.error.option_names", received=repr(given))
    names = (given,) if isinstance(given, str) else tuple(given)
    if not all(isinstance(name, str) for name in names):
        raise OptionError("sem.error.option_names", received=repr(given))
    return names


def _one_of(option: str, value: object, allowed: Collection[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise OptionError("sem.error.option", option=option, received=repr(value), allowed=", ".join(allowed))
    return value


def _flag(option: str, value: object) -> None:
    if not isinstance(value, bool):
        raise OptionError("sem.error.option", option=option, received=repr(value), allowed="True, False")
