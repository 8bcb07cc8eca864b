"""How often a planned survey would misgrade: years are simulated from stated true values, before any data exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import expit, logit, ndtri

from sipas_research.framework.bands import Bands
from sipas_research.framework.class_errors import ErrorRow, simulated_rows
from sipas_research.framework.class_result import Rule
from sipas_research.framework.group_estimates import group_estimates
from sipas_research.framework.sample_plan import Planning
from sipas_research.numerics.class_bounds import forms_to_settle

#: Middle (0-1) and spread (standard deviation on the logit scale) of the invented true values.
CENTRE, SPREAD = 0.84, 0.45
YEARS = 1000
_START = 20


def planned_truth(groups: int) -> np.ndarray:
    """Return invented true shares (groups,): the middles of equal parts of a normal law on the logit scale."""
    places = (np.arange(groups) + 0.5) / groups
    shares: np.ndarray = expit(logit(CENTRE) + SPREAD * ndtri(places))
    return shares


def planned_errors(
    bands: Bands,
    plans: Mapping[str, Sequence[float]],
    planning: Planning,
    *,
    rng: np.random.Generator,
    years: int = YEARS,
    rule: Rule | None = None,
) -> tuple[ErrorRow, ...]:
    """Return how often bands misgrade under several plans of forms, over simulated years.

    Parameters
    ----------
    bands : Bands
    plans : mapping of a plan's name to the valid forms of each agency
        Agencies with fewer than two forms are left out of a plan. Sizes are dealt to the true values in order.
    planning : Planning
        Its design effect widens the variance; no finite population factor is taken, so that errors are not made small.
    rng : numpy.random.Generator
    years : int
    rule : Rule, optional
        The rule of ``classify``; its defaults if not given.

    Returns
    -------
    tuple of ErrorRow
        Two rows a plan, by the estimate alone and by the rule; their ``bands`` are the plan's name.
    """
    rows: list[ErrorRow] = []
    for name, sizes in plans.items():
        forms = np.array([size for size in sizes if size >= 2], dtype=float)
        truth = planned_truth(len(forms))
        variance = planning.design_effect * np.array([planning.variance(share) for share in truth]) / forms
        labels = tuple(str(place) for place in range(len(forms)))
        seen = np.ones(len(forms), dtype=bool)
        found = group_estimates(
            labels, truth, np.diag(variance), forms - 1.0, forms, forms, families=labels, shown=seen
        )
        rows += simulated_rows(found, truth, {name: bands}, rng=rng, years=years, rule=rule or Rule())
    return tuple(rows)


def forms_for_class(cut: float, value: float, planning: Planning, rule: Rule | None = None) -> int | None:
    """Return the forms that grade an agency whose true share is ``value`` on its side of ``cut``; None above the cap.

    The agency is graded with the probability ``rule.power``, under the planned design and without limit of the frame.
    """
    judged = rule or Rule()
    error = float(np.sqrt(planning.design_effect * planning.variance(value) / _START))
    return forms_to_settle(
        cut,
        estimate=value,
        std_error=error,
        df=_START - 1.0,
        n=_START,
        most=judged.most_forms,
        level=judged.level,
        power=judged.power,
        exact_below=judged.exact_below,
    )
