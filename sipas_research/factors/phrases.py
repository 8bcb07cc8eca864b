"""Small pieces of sentences that several results share."""

from sipas_research.wording import p_value


def p_phrase(value: float, language: str) -> str:
    """Return "p = 0,366" or "p < 0,001"; an en dash where there is no p-value."""
    shown = p_value(value, language)
    return f"p < {shown[1:]}" if shown.startswith("<") else f"p = {shown}"
