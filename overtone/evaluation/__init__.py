"""Evaluation: out-of-fold predictions and true emotions in, scores, calibration and reports out."""
