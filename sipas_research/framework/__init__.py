"""The measurement framework: index, publication rules."""
