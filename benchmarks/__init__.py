"""Measurements of Overtone next to alternatives: speed, memory, size, robustness, and scores of baselines."""
