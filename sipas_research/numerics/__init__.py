"""Arrays in, small frozen results out: NumPy and SciPy only."""
