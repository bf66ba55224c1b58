"""Overtone itself, clip by clip or with a list of clips (variant "list"), or with the bundled model `lite`."""

from collections.abc import Sequence
from pathlib import Path

import overtone
from benchmarks.systems import ProcessClips
from overtone.datatypes import Prediction
from overtone.errors import OvertoneError


def load(variant: str, folder: Path) -> ProcessClips:
    """Return a bundled model on one thread: the default one, or `lite` for the variant of this name."""
    recogniser = overtone.load("lite" if variant == "lite" else None, threads=1)

    def clip_by_clip(clips: Sequence[Path]) -> list[Prediction]:
        return [recogniser.recognise(clip) for clip in clips]

    def all_clips(clips: Sequence[Path]) -> list[Prediction]:
        predictions = []
        for result in list(recogniser.recognise_many(clips)):
            if isinstance(result, OvertoneError):
                raise result
            predictions.append(result)
        return predictions

    return all_clips if variant == "list" else clip_by_clip
