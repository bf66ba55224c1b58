"""The labelled intervals of a recording in an annotation file -> a table with a row per interval.

The intervals are those of the tiers that `overtone timeline` writes, `emotion@anna` or `emotion`, after a person has
corrected them in Praat or ELAN. Texts that name no emotion, such as `uncertain (happy)` and `no speech`, are rows
without a label. All other tiers are not used, except `decided by`, which says whose label it is.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from overtone._internal.audio_suffixes import AUDIO_SUFFIXES
from overtone.agreement import MODEL, PERSON
from overtone.annotations.elan_file import Media, spellings
from overtone.annotations.label_texts import names_no_emotion, split_person
from overtone.annotations.tier_names import EMOTION, split_tier_name
from overtone.channels import SIDES
from overtone.corpora.tables.intervals import parse_interval
from overtone.corpora.tables.rows import Row, Table
from overtone.emotions import label_key
from overtone.errors import CorpusError

COLUMNS = ("path", "emotion", "start_s", "end_s", "speaker")
CHANNEL = "channel"
UNLABELLED = "uncertain, wrong or without speech"
MAX_LISTED = 10


class NoEmotionTierError(CorpusError):
    """An annotation file has no tier of emotions."""


class Labelled(NamedTuple):
    """An interval of a tier of emotions.

    Attributes:
        position: where it is in the file.
        start, end: its times, as written or in seconds.
        text: its label.
        speaker: name of the speaker; "" if it is unknown.
        decided_by: who decided the label, "model" or "person"; "" where nothing says so.
        model_emotion: the emotion that the model predicted; "" if it is unknown.
    """

    position: str
    start: str | float | None
    end: str | float | None
    text: str
    speaker: str
    decided_by: str = ""
    model_emotion: str = ""


def read_content(name: str, content: bytes | None) -> bytes:
    """Return the content of an annotation file.

    Raises:
        CorpusError: it cannot be read.
    """
    try:
        return Path(name).read_bytes() if content is None else content
    except OSError as error:
        raise CorpusError(f"{name}: cannot be read: {error.strerror}") from error


def check_tiers(name: str, tiers: Sequence[str]) -> None:
    """Check that a file has a tier of emotions among the tiers of these names.

    Raises:
        NoEmotionTierError: it has none.
    """
    if not any(split_tier_name(tier).content == EMOTION for tier in tiers):
        listed = ", ".join(f"'{tier}'" for tier in tiers[:MAX_LISTED]) or "none"
        more = f" and {len(tiers) - MAX_LISTED} more" if len(tiers) > MAX_LISTED else ""
        raise NoEmotionTierError(
            f"{name}: has no tier '{EMOTION}' or '{EMOTION}@SPEAKER'; rename the tier of the labels (tiers: {listed}"
            f"{more})"
        )


def make_table(name: str, folder: str, intervals: Iterable[Labelled], media: Sequence[Media] = ()) -> Table:
    """Return the table of the labelled intervals of a recording.

    Args:
        name: path of the annotation file.
        folder: folder of the file.
        intervals: those that are not empty.
        media: the recordings that the file links.
    """
    found = list(map(_split_decider, intervals))
    try:
        recording, origin_s = find_recording(Path(name), Path(folder), media)
    except CorpusError as error:
        row = Row("its recording", (None,) * len(COLUMNS), str(error))
        return Table(name, COLUMNS, [row], (folder,), made_by_program=True, is_annotation=True)
    # A recording whose channels are speakers has these names by default.
    has_sides = any(interval.speaker in SIDES for interval in found)
    columns = (*COLUMNS, CHANNEL) if has_sides else COLUMNS
    return Table(
        name, columns, [_row(interval, recording, origin_s, has_sides) for interval in found], (folder,),
        types={"start_s": float, "end_s": float}, made_by_program=True, unlabelled=UNLABELLED, is_annotation=True,
        hints=_hints(name, found),
    )  # fmt: skip


def find_recording(file: Path, folder: Path, media: Sequence[Media]) -> tuple[str, float]:
    """Return the path of the annotated recording, relative to the folder or absolute, and where its annotations start.

    It is the first linked recording that exists, under its absolute or relative path or in the folder of the file; else
    the audio file with the name of the annotation file, next to it.

    Raises:
        CorpusError: there is none, or several files have the name.
    """
    for link in media:
        names = [Path(path.replace("\\", "/")).name for path in (link.path, link.relative_path) if path]
        for path in (link.path, link.relative_path, *names):
            for spelling in spellings(path):
                if _is_file(folder / spelling):
                    return spelling, link.origin_s
    found = sorted(path.name for path in _siblings(file, folder))
    if len(found) == 1:
        return found[0], 0.0
    if found:
        raise CorpusError(f"{' and '.join(found)} have the name of {file.name}; keep the one that it annotates")
    linked = f", nor {media[0].path or media[0].relative_path}, which it links" if media else ""
    raise CorpusError(
        f"no audio file has the name of {file.name}, such as {file.with_suffix('.wav').name}{linked}; put the "
        "recording next to it under this name"
    )


def _siblings(file: Path, folder: Path) -> list[Path]:
    try:
        paths = list(folder.iterdir())
    except OSError:
        return []
    return [path for path in paths if path.stem == file.stem and path.suffix.lower() in AUDIO_SUFFIXES]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or has a null character
        return False


def _split_decider(interval: Labelled) -> Labelled:
    """Return an interval with the label alone as its text, also if it reads "sad (person)"."""
    text, is_by_person = split_person(interval.text)
    return interval._replace(text=text, decided_by=PERSON if is_by_person else interval.decided_by.strip().lower())


def _row(interval: Labelled, recording: str, origin_s: float, has_sides: bool) -> Row:
    label = None if names_no_emotion(interval.text) else interval.text
    channel = (interval.speaker if interval.speaker in SIDES else None,) if has_sides else ()
    try:
        start_s, end_s = parse_interval(interval.start, interval.end)
        if start_s is None or end_s is None:
            raise CorpusError("its start or end is unknown; correct it")
    except CorpusError as error:
        return Row(interval.position, (recording, label, None, None, interval.speaker, *channel), str(error))
    times = (round(start_s + origin_s, 6), round(end_s + origin_s, 6))
    return Row(interval.position, (recording, label, *times, interval.speaker, *channel))


def _hints(name: str, intervals: Sequence[Labelled]) -> tuple[str, ...]:
    """Return a hint about labels that a model predicted, or of which it is unknown."""
    labels = [interval for interval in intervals if not names_no_emotion(interval.text)]
    predicted = [interval for interval in labels if interval.decided_by == MODEL and _is_unchanged(interval)]
    unknown = [interval for interval in labels if not interval.decided_by]
    if predicted:
        return (f"{name}: {len(predicted)} of {len(labels)} labels are those that a model predicted",)
    if unknown:
        return (f"{name}: {len(unknown)} labels, which all count as checked; delete those that were not checked",)
    return ()


def _is_unchanged(interval: Labelled) -> bool:
    return not interval.model_emotion or label_key(interval.model_emotion) == label_key(interval.text)
