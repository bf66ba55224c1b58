"""`results/` -> the tables and figures of `docs/results.md` and the README."""
