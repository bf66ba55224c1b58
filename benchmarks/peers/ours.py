"""Overtone: file -> answer with fused probabilities, clip by clip, or as a list ("many")."""

from collections.abc import Sequence
from pathlib import Path

import overtone
from benchmarks.peers import Way
from overtone.errors import OvertoneError
from overtone.values import Answer


def load(variant: str, folder: Path) -> Way:
    """The bundled model on one thread."""
    recogniser = overtone.load(threads=1)

    def one_by_one(clips: Sequence[Path]) -> list[Answer]:
        return [recogniser.recognise(clip) for clip in clips]

    def many(clips: Sequence[Path]) -> list[Answer]:
        answers = list(recogniser.recognise_many(clips))
        for answer in answers:
            if isinstance(answer, OvertoneError):
                raise answer
        return answers  # type: ignore[return-value]

    return many if variant == "many" else one_by_one
