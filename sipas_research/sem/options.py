"""What a user may ask of a fit, checked once and frozen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sipas_research.errors import OptionError

Estimator = Literal["ML", "MLR", "MLM", "GLS", "ULS", "WLS", "DWLS", "WLSMV", "ULSMV"]
#: Estimators for continuous answers, and those for ordered ones.
CONTINUOUS = ("ML", "MLR", "MLM", "GLS", "ULS")
CATEGORICAL = ("WLS", "DWLS", "WLSMV", "ULSMV")
ESTIMATORS = (*CONTINUOUS, *CATEGORICAL)
MISSING = ("listwise", "pairwise", "fiml")
PARAMETERIZATIONS = ("delta", "theta")
#: Estimators whose standard errors and tests need the rows.
ROBUST = ("MLR", "MLM")
#: Estimators that maximise the likelihood; it is conditional on observed predictors unless told otherwise.
LIKELIHOOD = ("ML", *ROBUST)
#: Estimators that allow for weights and clusters: the errors of the others assume like rows, drawn one by one.
FOR_DESIGNS = ("MLR", *CATEGORICAL)
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
    "thresholds",
)
#: What sets the level of an item; held equal together where some items are ordered, as in lavaan.
_LEVELS = {"intercepts", "thresholds"}


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
    missing: Literal["listwise", "pairwise", "fiml"] = "listwise"
    cluster: str | None = None
    weights: str | None = None
    ordered: tuple[str, ...] | bool = ()
    parameterization: Literal["delta", "theta"] = "delta"
    #: What equal thresholds free: with "lavaan" latent means, with "wu_estabrook" the items' intercepts instead.
    identification: Literal["lavaan", "wu_estabrook"] = "lavaan"

    @property
    def categorical(self) -> bool:
        """Whether some variables are ordered categories."""
        return bool(self.ordered)

    @property
    def fiml(self) -> bool:
        """Whether incomplete rows count with what they hold."""
        return self.missing == "fiml"

    @property
    def design(self) -> bool:
        """Whether rows are weighted or come in clusters."""
        return self.cluster is not None or self.weights is not None

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
    estimator: str | None = None,
    group: str | None = None,
    group_equal: Sequence[str] | str = (),
    group_partial: Sequence[str] | str = (),
    std_lv: bool = False,
    orthogonal: bool = False,
    meanstructure: bool | None = None,
    information: str | None = None,
    fixed_x: bool | None = None,
    level: float = 0.95,
    missing: str = "listwise",
    cluster: str | None = None,
    weights: str | None = None,
    ordered: Sequence[str] | str | bool = (),
    parameterization: str = "delta",
    means_needed: bool = False,
) -> FitOptions:
    """Check the options and settle what was left open.

    ``means_needed``: whether the model or its groups call for means.

    Raises
    ------
    OptionError
        If an option is outside its vocabulary, or two of them exclude each other.
    """
    chosen = ordered if isinstance(ordered, bool) else _names(ordered)
    name = _estimator(estimator, categorical=bool(chosen), design=cluster is not None or weights is not None)
    equal = tuple(item.replace(".", "_") for item in _names(group_equal))
    for item in equal:
        _one_of("group_equal", item, GROUP_EQUAL)
    if chosen and _LEVELS & set(equal):  # either alone frees latent means that the other would leave undetermined
        equal = (*equal, *(item for item in sorted(_LEVELS) if item not in equal))
    if information is not None:
        _one_of("information", information, INFORMATION)
    _one_of("missing", missing, MISSING)
    _one_of("parameterization", parameterization, PARAMETERIZATIONS)
    for flag, value in (("std_lv", std_lv), ("orthogonal", orthogonal)):
        _flag(flag, value)
    for flag, given in (("meanstructure", meanstructure), ("fixed_x", fixed_x)):
        if given is not None:
            _flag(flag, given)
    if not isinstance(level, float) or not 0 < level < 1:
        raise OptionError("sem.error.level", received=repr(level))
    if missing == "fiml" and name not in ("ML", "MLR"):
        raise OptionError("sem.error.fiml_estimator", estimator=name)
    if missing == "pairwise" and name not in CATEGORICAL:
        raise OptionError("sem.error.pairwise_estimator", estimator=name)
    means = bool(meanstructure) or means_needed or bool({"intercepts", "means"} & set(equal)) or missing == "fiml"
    means = means or (cluster is not None and not chosen and meanstructure is None)  # what clusters share, means show
    observed = name == "MLR" or missing == "fiml"
    return FitOptions(
        estimator=name,  # type: ignore[arg-type]
        group=group,
        group_equal=equal,
        group_partial=tuple(item.replace(" ", "") for item in _names(group_partial)),
        std_lv=std_lv,
        orthogonal=orthogonal,
        meanstructure=means or bool(chosen),
        information=information or ("observed" if observed else "expected"),  # type: ignore[arg-type]
        fixed_x=name in LIKELIHOOD or bool(chosen) if fixed_x is None else fixed_x,
        level=level,
        missing=missing,  # type: ignore[arg-type]
        cluster=cluster,
        weights=weights,
        ordered=chosen,
        parameterization=parameterization,  # type: ignore[arg-type]
    )


def _estimator(given: str | None, *, categorical: bool, design: bool) -> str:
    """Return the estimator, by default the usual one: WLSMV for ordered answers, MLR for designs, else ML."""
    if given is None:
        return "WLSMV" if categorical else "MLR" if design else "ML"
    name = _one_of("estimator", given, ESTIMATORS)
    if categorical != (name in CATEGORICAL):
        key = "sem.error.estimator_ordered" if categorical else "sem.error.estimator_continuous"
        allowed = CATEGORICAL if categorical else CONTINUOUS
        raise OptionError(key, estimator=name, allowed=", ".join(allowed))
    if design and name not in FOR_DESIGNS:
        raise OptionError("sem.error.estimator_design", estimator=name, allowed=", ".join(FOR_DESIGNS))
    return name


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
