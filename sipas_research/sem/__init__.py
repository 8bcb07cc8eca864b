"""Structural equation models: measures of fit; each names the paper it comes from."""
