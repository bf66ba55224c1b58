"""The stages in a row: the only room that puts reading, features, models and outputs together.

Only what stands in `training` may need `overtone[train]`; all else runs on the light installation.
"""
