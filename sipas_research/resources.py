"""Where the packaged notebooks and data lie: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "_bundled"


def root() -> Path:
    """Return the folder that holds ``notebooks`` and ``data``."""
    return _BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent


def data(*parts: str) -> Path:
    """Return the path of a packaged data file."""
    return root().joinpath("data", *parts)


def notebooks() -> Path:
    """Return the folder of the packaged notebooks."""
    return root() / "notebooks"


def is_checkout() -> bool:
    """True when the package runs from its source tree, where results go to ``outputs``."""
    return not _BUNDLED.is_dir() and (_PACKAGE.parent / "pyproject.toml").is_file()
