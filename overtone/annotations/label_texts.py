"""The texts of segments in annotation files: "happy", "uncertain (happy)" or "no speech"."""

UNCERTAIN = "uncertain ({})"
NO_SPEECH = "no speech"
_BEFORE, _AFTER = UNCERTAIN.split("{}")


def is_undecided(text: str) -> bool:
    """Return whether the text of a segment says that the model was uncertain, or found no speech."""
    words = " ".join(text.split()).lower()
    return words == NO_SPEECH or (words.startswith(_BEFORE) and words.endswith(_AFTER))
