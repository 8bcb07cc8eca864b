"""Least squares on thresholds, means, slopes, variances and correlations: DWLS, ULS and WLS of ordered answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from sipas_research.errors import SingularMatrixError
from sipas_research.numerics.correlation import Array
from sipas_research.sem.optimum import Point, Problem
from sipas_research.sem.ordinal_moments import OrdinalSample
from sipas_research.sem.ordinal_structure import OrdinalImplied, OrdinalLayout, local_to_free, ordinal_implied


@dataclass(frozen=True, eq=False, repr=False)
class OrdinalPoint(Point):
    """A place in the parameter space.

    Attributes
    ----------
    each : tuple of OrdinalImplied
        What every group implies.
    missed : tuple of (s,) arrays
        Sample less implied statistics.
    """

    each: tuple[OrdinalImplied, ...]
    missed: tuple[Array, ...]

    @cached_property
    def jacobians(self) -> tuple[Array, ...]:
        """Slopes of every group's statistics by all free parameters, (s, q)."""
        size = len(self.theta)
        return tuple(local_to_free(at.layout, at.slopes, size) for at in self.each)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OrdinalProblem(Problem):
    """What is minimised: sum over groups of pull (s - sigma)' W (s - sigma).

    Attributes
    ----------
    ordinal : tuple of OrdinalLayout
    samples : tuple of OrdinalSample
    weights : tuple of (s,) or (s, s) arrays
        W: its diagonal (DWLS, ULS), or all of it (WLS).
    """

    ordinal: tuple[OrdinalLayout, ...]
    samples: tuple[OrdinalSample, ...]
    weights: tuple[Array, ...]

    def point_at(self, theta: Array) -> OrdinalPoint | None:
        """Return the discrepancy at ``theta``, or None outside the parameter space."""
        each, missed, distances = [], [], []
        for layout, sample, weight in zip(self.ordinal, self.samples, self.weights, strict=True):
            at = ordinal_implied(layout, theta)
            if at is None:
                return None
            rest = sample.values - at.moments
            distance = float(rest @ weighted(weight, rest))
            if not np.isfinite(distance):
                return None
            each.append(at)
            missed.append(rest)
            distances.append(distance)
        total = sum(target.pull * distance for target, distance in zip(self.targets, distances, strict=True))
        groups = tuple(at.whole for at in each)
        return OrdinalPoint(theta, groups, (), tuple(distances), float(total), tuple(each), tuple(missed))

    def slope_of(self, point: Point) -> Array:
        """Return the gradient: -2 sum pull D' W (s - sigma)."""
        result = np.zeros(self.size)
        for target, slopes, rest, weight in self._parts(point):
            result -= 2.0 * target.pull * (slopes.T @ weighted(weight, rest))
        return result

    def hessian_of(self, point: Point, *, observed: bool, by_rows: bool = False) -> Array:
        """Return the Hessian of Gauss and Newton, 2 sum D' W D; ``observed`` gives the same."""
        result = np.zeros((self.size, self.size))
        for target, slopes, _, weight in self._parts(point):
            share = target.share if by_rows else target.pull
            result += 2.0 * share * (slopes.T @ weighted(weight, slopes))
        return result

    def _parts(self, point: Point):  # type: ignore[no-untyped-def]
        here = _ordinal(point)
        return zip(self.targets, here.jacobians, here.missed, self.weights, strict=True)


def _ordinal(point: Point) -> OrdinalPoint:
    if not isinstance(point, OrdinalPoint):
        raise TypeError("a point of an ordinal problem is needed")
    return point


def weighted(weight: Array, of: Array) -> Array:
    """Return W x of a vector or of columns, with W a diagonal or a matrix."""
    if weight.ndim == 2:
        return np.asarray(weight @ of)
    return np.asarray(weight * of if of.ndim == 1 else weight[:, None] * of)


def weights_of(samples: Sequence[OrdinalSample], estimator: str) -> tuple[Array, ...]:
    """Return the weight of each group: one (ULSMV), one over the variances (DWLS, WLSMV), the inverse (WLS).

    Raises
    ------
    SingularMatrixError
        If a statistic does not vary, or the asymptotic covariance matrix has no inverse (WLS).
    """
    found = []
    for sample in samples:
        spread = sample.alone
        if not (np.isfinite(spread).all() and (spread > 0).all()):
            raise SingularMatrixError("sem_ordinal.error.no_covariance", group=where(sample.label))
        if estimator == "ULSMV":
            found.append(np.ones(len(spread)))
        elif estimator == "WLS":
            found.append(_inverse(sample))
        else:
            found.append(1.0 / spread)
    return tuple(found)


def _inverse(sample: OrdinalSample) -> Array:
    scale = 1.0 / np.sqrt(np.diag(sample.gamma))
    factor, failed = dpotrf(sample.gamma * scale[:, None] * scale, lower=1, clean=1)
    if failed or float(factor.diagonal().min()) < 1e-6:
        raise SingularMatrixError(
            "sem_ordinal.error.wls_rows", n=sample.n, statistics=len(scale), group=where(sample.label)
        )
    inverse, _ = dpotri(factor, lower=1)
    whole = inverse + inverse.T
    whole.flat[:: len(whole) + 1] *= 0.5
    return np.asarray(whole * scale[:, None] * scale)


def where(label: str) -> str:
    """Return a group's label for a message."""
    return f" [{label}]" if label else ""
