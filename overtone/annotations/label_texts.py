"""The texts of segments in annotation files: "happy", "uncertain (happy)", "wrong (happy)" or "no speech"."""

UNCERTAIN = "uncertain ({})"
WRONG = "wrong ({})"  # a person says so, and names no other emotion
BY_PERSON = "{} (person)"  # a person has decided the emotion
NO_SPEECH = "no speech"


def names_no_emotion(text: str) -> bool:
    """Return whether the text of a segment says that its emotion is unknown, or that it has no speech."""
    words = " ".join(text.split()).lower()
    starts = tuple(label.partition("{}")[0] for label in (UNCERTAIN, WRONG))
    return words == NO_SPEECH or (words.startswith(starts) and words.endswith(")"))
