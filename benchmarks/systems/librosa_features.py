"""The paper's features, computed with librosa in the usual way: what a user would write without Overtone.

    python -m benchmarks.systems.librosa_features CLIP...      prints the time of each step

There is no classifier: only decoding, log-mel spectrogram, pitch, loudness and tempo. Settings are librosa's defaults
unless the paper differs; the sample rate is 16 kHz as in Overtone (librosa's default of 22 050 Hz is only slower).
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import librosa
import numpy as np

from benchmarks.systems import ProcessClips

SAMPLE_RATE_HZ = 16_000
MIN_PITCH_HZ, MAX_PITCH_HZ = 65, 600


def mel_db(samples: np.ndarray) -> np.ndarray:
    """Return the log-mel spectrogram in dB relative to its maximum, `(128, frames)`."""
    return librosa.power_to_db(librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE_HZ), ref=np.max)


def pitch_hz(samples: np.ndarray) -> np.ndarray:
    """Return the pitch track in Hz, `(frames,)`, 0 in unvoiced frames."""
    track_hz, _, _ = librosa.pyin(samples, fmin=MIN_PITCH_HZ, fmax=MAX_PITCH_HZ, sr=SAMPLE_RATE_HZ)
    return np.nan_to_num(track_hz)


def loudness(samples: np.ndarray) -> np.ndarray:
    """Return the root mean square of each frame, `(frames,)`."""
    return librosa.feature.rms(y=samples)[0]


def tempo_bpm(samples: np.ndarray) -> float:
    """Return the tempo in beats per minute."""
    return float(librosa.feature.tempo(y=samples, sr=SAMPLE_RATE_HZ)[0])


FEATURES: dict[str, Callable[[np.ndarray], Any]] = {
    "mel": mel_db,
    "pitch": pitch_hz,
    "loudness": loudness,
    "tempo": tempo_bpm,
}


def load(variant: str, folder: Path) -> ProcessClips:
    """Return a function that computes all features of each clip."""

    def process(clips: Sequence[Path]) -> list[dict[str, Any]]:
        return [extract(clip)[0] for clip in clips]

    return process


def extract(path: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the features of a clip by name, and the seconds of each step ("load" first).

    Args:
        path: any file that librosa can read.
    """
    begin_s = time.perf_counter()
    samples, _ = librosa.load(path, sr=SAMPLE_RATE_HZ)
    seconds, features = {"load": time.perf_counter() - begin_s}, {}
    for name, feature in FEATURES.items():
        begin_s = time.perf_counter()
        features[name] = feature(samples)
        seconds[name] = time.perf_counter() - begin_s
    return features, seconds


def main(paths: list[str]) -> None:
    """Print the time of each step for each file."""
    for path in paths:
        _, seconds = extract(Path(path))
        print(path, *(f"{name} {1000 * value:.1f} ms" for name, value in seconds.items()), sep="  ")


if __name__ == "__main__":
    main(sys.argv[1:])
