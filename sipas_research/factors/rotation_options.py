"""How a solution was rotated: the options, kept with the solution so that it can be repeated."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RotationOptions:
    """Options of a rotation; see :func:`sipas_research.factors.efa.efa` for the meaning of each."""

    rotation: str = "oblimin"
    kaiser: bool | None = None
    power: float = 4.0
    gamma: float = 0.0
    delta: float = 0.01
    random_starts: int | None = None
    seed: int = 1
    max_iterations: int = 2000
