"""Labelled clips -> a trained, tested and exported model; the only room of tasks that may need `overtone[train]`."""
