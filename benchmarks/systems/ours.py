"""Overtone: file -> answer with fused probabilities, clip by clip, or as a list ("many")."""

from collections.abc import Sequence
from pathlib import Path

import overtone
from benchmarks.systems import Way
from overtone.datatypes import Prediction
from overtone.errors import OvertoneError


def load(variant: str, folder: Path) -> Way:
    """The bundled model on one thread."""
    recogniser = overtone.load(threads=1)

    def one_by_one(clips: Sequence[Path]) -> list[Prediction]:
        return [recogniser.recognise(clip) for clip in clips]

    def many(clips: Sequence[Path]) -> list[Prediction]:
        answers = list(recogniser.recognise_many(clips))
        for answer in answers:
            if isinstance(answer, OvertoneError):
                raise answer
        return answers  # type: ignore[return-value]

    return many if variant == "many" else one_by_one
