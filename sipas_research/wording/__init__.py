"""Every sentence, label and number format that a person reads, in Vietnamese and English."""

from sipas_research.wording.bilingual import Bilingual
from sipas_research.wording.catalogue import LANGUAGES, Language, both, keys, text
from sipas_research.wording.numbers import (
    MISSING,
    date,
    integer,
    interval,
    number,
    p_value,
    percent,
)

__all__ = [
    "LANGUAGES",
    "MISSING",
    "Bilingual",
    "Language",
    "both",
    "date",
    "integer",
    "interval",
    "keys",
    "number",
    "p_value",
    "percent",
    "text",
]
