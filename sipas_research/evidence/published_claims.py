"""The claim check of figures that the ledger holds: both indices of Lạng Sơn, and one department of An Giang."""

from __future__ import annotations

from typing import Literal, get_args

from sipas_research.errors import OptionError
from sipas_research.evidence.claim import check_claim
from sipas_research.evidence.claim_result import ClaimCheck
from sipas_research.evidence.ledger import Ledger, facts

ClaimName = Literal["sipas", "par", "an_giang"]
CLAIMS: tuple[ClaimName, ...] = get_args(ClaimName)


def published_claim(name: ClaimName, *, ledger: Ledger | None = None) -> ClaimCheck:
    """Check printed figures against each other, each taken from the ledger as printed.

    Parameters
    ----------
    name : "sipas", "par" or "an_giang"
        SIPAS of Lạng Sơn 2021 with its components, forms and sites; PAR INDEX of Lạng Sơn 2021 with the national mean;
        the index of one department of An Giang, printed without anything to hold it against.

    Raises
    ------
    OptionError
        If there is no such claim, or the ledger given does not hold one of its figures.
    """
    rows = facts() if ledger is None else ledger
    if name == "sipas":
        return _sipas(rows)
    if name == "par":
        return _par(rows)
    if name == "an_giang":
        return check_claim(value=rows.get("ag_sipas_2021").printed)
    raise OptionError("series.error.index", value=str(name), allowed=", ".join(CLAIMS))


def _sipas(rows: Ledger) -> ClaimCheck:
    return check_claim(
        value=rows.get("ls_sipas_2021").printed,
        change=rows.get("ls_sipas_change_2021").printed.removesuffix("%"),
        rank=int(rows.value("ls_sipas_rank_2021")),
        rank_of=int(rows.get("ls_sipas_rank_2021").out_of),
        places=int(rows.value("ls_sipas_places_2021")),
        components=int(rows.value("ls_sipas_components")),
        falling=int(rows.value("ls_sipas_falling_2021")),
        rising=int(rows.value("ls_sipas_rising_2021")),
        n=int(rows.value("ls_forms_2021")),
        frame=int(rows.value("ls_frame_2021")),
        # the provincial centre and the One-Stop desks of the districts named
        clusters=1 + int(rows.value("ls_one_stop_districts")),
    )


def _par(rows: Ledger) -> ClaimCheck:
    return check_claim(
        value=rows.get("ls_par_2021").printed,
        change=rows.get("ls_par_change_2021").printed.removesuffix("%"),
        rank=int(rows.value("ls_par_rank_2021")),
        rank_of=int(rows.get("ls_par_rank_2021").out_of),
        places=int(rows.value("ls_par_places_2021")),
        national_mean=rows.get("national_par_2021").printed,
        national_change=rows.get("national_par_change_2021").printed,
    )
