"""ANNOTATION FILE -> TIERS: the files of Praat and ELAN, and the names and labels that `overtone timeline` writes.

`overtone.speaker_turns` reads speaker turns from them, `overtone.corpora.tables` labels that a person corrected.
"""
