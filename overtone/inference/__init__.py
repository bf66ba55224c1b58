"""Inference: an exported model and audio -> predictions and timelines. Needs neither torch nor the [train] extra."""
