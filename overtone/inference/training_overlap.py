"""How many clips a model was trained on, by its run folder or its card.

A model in its run folder has a `run.json`, which lists the clips of corpora by their ids, and own recordings by their
content. The card of any other model has only the names of corpora, whose clips are recognised by their file names.
"""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from overtone.corpora import clip_of_file, manifest
from overtone.datatypes import Utterance
from overtone.evaluation import leakage
from overtone.evaluation.trained_audio import AudioPart, TrainedAudio
from overtone.inference.recogniser import Recogniser


class _Known(NamedTuple):
    """What is known about the training data of a model.

    Attributes:
        corpora: a row of the card per corpus, by its name.
        whole_corpora: corpora of which any clip counts as trained on: those of the model that it started from.
        clips: ids of the training and validation clips; None if they are unknown.
        audio: the own recordings that it was trained on; None if they are unknown.
    """

    corpora: dict[str, dict[str, Any]]
    whole_corpora: Collection[str]
    clips: set[str] | None
    audio: TrainedAudio | None

    def has_seen(self, utterance: Utterance) -> bool:
        """Return whether the model was trained on a clip, if its clips are known."""
        if utterance.corpus in self.whole_corpora:
            return True
        if utterance.corpus == manifest.INFO.name and self.audio is not None:
            part = AudioPart.of(utterance)
            return self.audio.contains(part) or self.find_name(part.named_path) is not None
        return utterance.corpus in self.corpora and self.clips is not None and utterance.clip in self.clips

    def find_name(self, path: Path) -> Utterance | None:
        """Return the clip of a corpus that a file is by its name, if the model was trained on it; else None."""
        clip = clip_of_file(path, {*self.corpora, *self.whole_corpora})
        if clip is None or self.clips is None or clip.corpus in self.whole_corpora or clip.clip in self.clips:
            return clip
        return None


def training_overlap(recogniser: Recogniser, utterances: Sequence[Utterance]) -> str:
    """Return how many of these clips and speakers the model was trained on, as far as it is known; "" for none.

    A model in its run folder has the leak audit of the clips in run.json. Otherwise, only the corpora in the card are
    known.

    Args:
        recogniser: the model.
        utterances: the labelled clips.
    """
    known = _read_known(recogniser)
    if known.clips is not None:
        trained_on = [index for index, utterance in enumerate(utterances) if known.has_seen(utterance)]
        audit = leakage.audit(utterances, range(len(utterances)), trained_on)
        return str(audit) if audit.seen_clips or audit.shared_speakers else ""
    shared = sorted(known.corpora.keys() & {utterance.corpus for utterance in utterances})
    if shared:
        number = sum(utterance.corpus in shared for utterance in utterances)
        sizes = (f"{name} ({known.corpora[name].get('clips', '?')} clips)" for name in shared)
        return f"trained on {', '.join(sizes)}, perhaps on some or all of {number} test clips and their speakers"
    return overlap_of_parts(recogniser, [AudioPart.of(u) for u in utterances if u.corpus == manifest.INFO.name])


def overlap_of_parts(recogniser: Recogniser, parts: Sequence[AudioPart]) -> str:
    """Return how many of these parts of files the model was trained on, as far as it can be detected; "" for none.

    Args:
        recogniser: the model.
        parts: of files, of which nothing but the audio and the names are known.
    """
    known = _read_known(recogniser)
    own = [known.audio is not None and known.audio.contains(part) for part in parts]
    named = [None if found else known.find_name(part.named_path) for part, found in zip(parts, own, strict=True)]
    corpora = sorted({clip.corpus for clip in named if clip is not None})
    seen = len(parts) - sum(clip is None and not found for clip, found in zip(named, own, strict=True))
    if not seen:
        return ""
    reason = f", as their names are those of clips of {', '.join(corpora)}" if corpora else ""
    return f"{seen} of {len(parts)} clips were used to train this model{reason}: the score is not that of unseen clips"


def _read_known(recogniser: Recogniser) -> _Known:
    card = recogniser.card
    corpora = {str(row.get("corpus")): row for row in card["training_data"] if isinstance(row, dict)}
    run = _run_of_model(recogniser)
    whole = card.get("init_corpora", [])
    try:
        clips = {
            clip for split in run["split"].values() for name in ("train", "validation") for clip in split[name]
        }  # fmt: skip
        audio = TrainedAudio(run["training_audio"]) if "training_audio" in run else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return _Known(corpora, whole, None, None)
    return _Known(corpora, whole, clips, audio)


def _run_of_model(recogniser: Recogniser) -> dict[str, Any]:
    """Return the content of run.json next to a model; empty if there is none of this model."""
    card: dict[str, Any] = recogniser.card
    try:
        run: dict[str, Any] = json.loads((recogniser.model.path.parent / "run.json").read_text(encoding="utf-8"))
        return {} if any(run[key] != card.get(key) for key in ("recipe", "seed", "protocol")) else run
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
