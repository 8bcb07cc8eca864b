"""Factor analysis: adequacy, extraction, rotation, reliability."""
