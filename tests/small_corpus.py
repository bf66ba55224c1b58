"""A synthetic corpus with RAVDESS file names, small enough for tests that train: emotions differ in pitch and level."""

import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from synthetic_audio import RATE_HZ, silence, voice

from overtone.corpora.ravdess import EMOTIONS, read
from overtone.datatypes import Utterance
from overtone.recipe import Recipe, recipe_from_dict
from overtone.training.run_config import RunConfig

ACTORS = 24
FEW_EMOTIONS = EMOTIONS[:4]
PARTS = ("mel", "prosody", "fusion")  # of the recipes below
SPEECH_S, PADDING_S = 0.4, 0.1

COMMON = """
batch_clips = 16
learning_rate = 0.01
dropout = 0.0
mixup = 0.0
label_smoothing = 0.0
ema_decay = 0.0
mask_count = 0
shift_bands = 0
precision = "float32"
"""
JOINT = f"""
name = "joint"
epochs = 3
wave_variants = 1
{COMMON}
"""
PHASED = f"""
name = "phased"
phases = [["mel"], ["prosody"], ["fusion"]]
epochs = 1
wave_variants = 0
{COMMON}
"""


class Corpus(NamedTuple):
    """A corpus folder and the clips in it."""

    folder: Path
    clips: tuple[Utterance, ...]


class Run(NamedTuple):
    """A finished training: its clips, configuration and run folder."""

    clips: tuple[Utterance, ...]
    config: RunConfig
    folder: Path


def write(folder: Path, emotions: tuple[str, ...] = EMOTIONS, *, with_audio: bool = True) -> Path:
    """Write one clip of 0.6 s per actor and emotion, as FLAC at 16 kHz, in folders `Actor_01` to `Actor_24`.

    Args:
        folder: the corpus folder; created if it does not exist.
        emotions: a subset of the eight of RAVDESS.
        with_audio: False leaves the files empty, for tests that need only their names.
    """
    rng = np.random.default_rng(7)
    for actor in range(1, ACTORS + 1):
        (folder / f"Actor_{actor:02d}").mkdir(parents=True)
        for emotion in emotions:
            number = EMOTIONS.index(emotion)
            name = f"03-01-{number + 1:02d}-01-{(actor + number) % 2 + 1:02d}-01-{actor:02d}.flac"
            path = folder / f"Actor_{actor:02d}" / name
            path.touch()
            if with_audio:
                soundfile.write(path, clip(number, rng), RATE_HZ)
    return folder


def clips(folder: Path) -> tuple[Utterance, ...]:
    """Return the utterances of a corpus folder."""
    return read(folder).utterances


def recipe_file(folder: Path, text: str) -> Path:
    """Write a recipe of this module (`JOINT`, `PHASED`) as a TOML file in a folder."""
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def recipe(text: str) -> Recipe:
    """Return the recipe in this TOML text (`JOINT`, `PHASED`)."""
    return recipe_from_dict(tomllib.loads(text), "small_corpus")


def clip(number: int, rng: np.random.Generator) -> np.ndarray:
    """Return a speech-like clip: the pitch rises with the number of the emotion, and odd numbers are soft."""
    pitch_hz = 100 * 1.18**number * rng.uniform(0.97, 1.03)
    level = (0.15, 0.02)[number % 2] * rng.uniform(0.8, 1.2)
    speech = voice(pitch_hz, SPEECH_S, level)
    samples = np.concatenate([silence(PADDING_S), speech, silence(PADDING_S)])
    return samples + 1e-4 * rng.standard_normal(len(samples))
