"""``sipas claim``: published figures checked against each other, from the command line."""

from __future__ import annotations

import argparse
import re
from typing import Any

from sipas_research.evidence.claim import check_claim
from sipas_research.evidence.claim_input import CHANGE_UNITS
from sipas_research.wording import LANGUAGES, text

#: Options in the order of the help; each is an argument of :func:`check_claim`.
_FIGURES = (
    "change",
    "previous",
    "rank",
    "rank_of",
    "places",
    "components",
    "falling",
    "rising",
    "weights",
    "n",
    "previous_n",
    "clusters",
    "deff",
    "frame",
    "national_change",
    "national_mean",
    "target",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``sipas claim``; numbers stay texts, so that their printed decimals count."""
    parser.add_argument("--value", required=True, metavar="87,07", help=_help("value"))
    parser.add_argument("--change-unit", choices=CHANGE_UNITS, default="unknown", help=_help("change_unit"))
    for name in _FIGURES:
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="X", help=_help(name))


def run(options: argparse.Namespace) -> str:
    """Check the claim and return the answer: Vietnamese, then English; only one where ``--language`` names it.

    Raises
    ------
    OptionError
        If a figure is not a number or not possible.
    """
    figures: dict[str, Any] = {name: getattr(options, name, None) for name in _FIGURES}
    figures["weights"] = _weights(figures["weights"])
    check = check_claim(value=options.value, change_unit=options.change_unit, **figures)
    asked = getattr(options, "language", None)
    spoken = (asked,) if asked in LANGUAGES else LANGUAGES
    return "\n\n\n".join(check.summary(language) for language in spoken)


def _weights(written: str | None) -> str | list[str] | None:
    """Return "equal" as it is, "4;5;6;3;4" (or with blanks) as a list."""
    if written is None or not re.search(r"[;\s]", written.strip()):
        return written
    return [part for part in re.split(r"[;\s]+", written.strip()) if part]


def _help(name: str) -> str:
    return " / ".join(text(f"claim.help.{name}", language) for language in LANGUAGES).replace("%", "%%")
