"""Levers: what goes with satisfaction, and how far the data carry such a statement."""
