"""Folders, lists and stores of recordings -> tables of answers, by all cores or a cluster."""
