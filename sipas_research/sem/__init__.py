"""Structural equation models: syntax, estimation, inference, fit.

The package is also the function that researchers type: ``sr.sem(model, data)`` is
:func:`sipas_research.sem.estimate.sem`. A package and a function cannot share a name otherwise.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sipas_research.sem.result import SemFit


class _CallableModule(ModuleType):
    """A module that fits a model when it is called."""

    def __call__(self, model: str, data: Any, **options: Any) -> SemFit:
        """Fit a structural equation model; see :func:`sipas_research.sem.estimate.sem`."""
        from sipas_research.sem.estimate import sem

        return sem(model, data, **options)


sys.modules[__name__].__class__ = _CallableModule
