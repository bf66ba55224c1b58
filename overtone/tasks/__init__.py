"""The stages in a row: the only room that puts reading, features, models and outputs together.

`recognise` and what fetches and checks corpora run on the light installation; what trains needs `overtone[train]`.
"""
