"""Reads the tiers of emotions of a TextGrid, the annotation file of Praat, as a table.

The recording is the audio file with the same name next to it: `talk.wav` of `talk.TextGrid`.
"""

from collections.abc import Iterator, Sequence

from overtone.annotations.textgrid_file import IntervalTier, overlapping_texts, read_tiers
from overtone.annotations.tier_names import DECIDED_BY, EMOTION, MODEL_EMOTION, split_tier_name
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
    for tier in tiers:
        found = split_tier_name(tier.name)
        if found.content != EMOTION:
            continue
        intervals = [interval for interval in tier.intervals if interval.text.strip()]
        numbers = [number for number, interval in enumerate(tier.intervals, start=1) if interval.text.strip()]
        names = (found._replace(content=content) for content in (DECIDED_BY, MODEL_EMOTION))
        deciders, emotions = (overlapping_texts(tiers, name, intervals) for name in names)
        rows = zip(numbers, intervals, deciders, emotions, strict=True)
        for number, (start, end, text), decided_by, model_emotion in rows:
            position = f"tier '{tier.name}', interval {number}"
            yield Labelled(position, start, end, text, found.speaker, decided_by, model_emotion)
