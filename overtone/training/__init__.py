"""LABELLED CLIPS -> A TRAINED, TESTED AND EXPORTED MODEL. Needs the [train] extra, as `models` and `features` do."""
