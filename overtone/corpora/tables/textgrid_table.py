"""Reads the tiers of emotions of a TextGrid, the annotation file of Praat, as a table.

The recording is the audio file with the same name next to it: `talk.wav` of `talk.TextGrid`.
"""

from collections.abc import Iterator, Sequence

from overtone.annotations.overlapping_texts import overlapping_texts
from overtone.annotations.textgrid_file import IntervalTier, emotion_tiers, read_tiers
from overtone.annotations.tier_names import DECIDED_BY, MODEL_EMOTION
from overtone.corpora.tables.labelled_intervals import Labelled, check_tiers, make_table, read_content
from overtone.corpora.tables.rows import Table
from overtone.errors import CorpusError


def read(name: str, folder: str, content: bytes | None, expected: str) -> Table:
    """Return a TextGrid as a table; arguments as `overtone.corpora.tables.csv_table.read`.

    Raises:
        CorpusError: it cannot be read, or has no tier of emotions.
    """
    try:
        tiers = read_tiers(read_content(name, content))
    except ValueError as error:
        raise CorpusError(f"{name}: {error}") from error
    check_tiers(name, [tier.name for tier in tiers])
    return make_table(name, folder, _labelled(tiers))


def _labelled(tiers: Sequence[IntervalTier]) -> Iterator[Labelled]:
    """Yield the intervals of the tiers of emotions that have a text."""
    for name, positions, intervals in emotion_tiers(tiers):
        more = (name._replace(content=content) for content in (DECIDED_BY, MODEL_EMOTION))
        deciders, emotions = (overlapping_texts(tiers, each, intervals) for each in more)
        rows = zip(positions, intervals, deciders, emotions, strict=True)
        for position, (start, end, text), decided_by, model_emotion in rows:
            yield Labelled(position, start, end, text, name.speaker, decided_by, model_emotion)
