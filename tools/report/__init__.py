"""Builds `docs/results.md`, `docs/results-details.md`, their figures and the tables of the README from `results/`."""
