"""Small pieces of sentences about tests."""

from __future__ import annotations

from sipas_research.wording import p_value


def p_phrase(value: float, language: str) -> str:
    """Return a p-value as it stands in a sentence: "p = 0,249", "p < 0,001"."""
    shown = p_value(value, language)
    return f"p < {shown[1:]}" if shown.startswith("<") else f"p = {shown}"
