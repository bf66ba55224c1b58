"""The texts of segments in annotation files: "happy", "uncertain (happy)", "wrong (happy)" or "no speech"."""

UNCERTAIN = "uncertain ({})"
WRONG = "wrong ({})"  # a person says so, and names no other emotion
BY_PERSON = "{} (person)"  # a person has decided the emotion
NO_SPEECH = "no speech"


def has_form(text: str, form: str) -> bool:
    """Return whether a text has one of the forms above, such as "Uncertain (sad)" that of `UNCERTAIN`."""
    start, _, end = form.partition("{}")
    words = " ".join(text.split()).lower()
    return words.startswith(start) and words.endswith(end)


def split_person(text: str) -> tuple[str, bool]:
    """Return the label in a text on one line without "(person)" behind it, and whether that was there."""
    words, suffix = " ".join(text.split()), BY_PERSON.format("")
    is_by_person = words.lower().endswith(suffix)
    return (words[: -len(suffix)] if is_by_person else words), is_by_person


def names_no_emotion(text: str) -> bool:
    """Return whether the text of a segment says that its emotion is unknown, or that it has no speech."""
    return text.strip().lower() == NO_SPEECH or has_form(text, UNCERTAIN) or has_form(text, WRONG)
