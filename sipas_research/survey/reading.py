"""Reading a survey's data file as it is: .csv, .xlsx, .sav, .dta."""

from __future__ import annotations

from sipas_research.survey.raw_table import RawTable

__all__ = ["RawTable"]
