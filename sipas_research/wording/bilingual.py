"""A phrase that comes from data (a question, an agency's name) rather than from the catalogue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bilingual:
    """The same phrase in Vietnamese and English; English falls back to Vietnamese where it is empty."""

    vi: str
    en: str = ""

    def __call__(self, language: str) -> str:
        """Return the phrase in ``language`` ("vi" or "en")."""
        return self.en or self.vi if language == "en" else self.vi
