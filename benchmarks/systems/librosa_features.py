"""The paper's features written the usual way with librosa: what a user would type instead of installing Overtone.

    python -m benchmarks.systems.librosa_features CLIP...      what each step takes

No network runs here: only loading, mel picture, pitch, loudness and tempo. librosa's defaults are kept wherever the
paper does not say otherwise; the rate is 16 kHz as in Overtone (librosa's default of 22 050 Hz would only be slower).
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import librosa
import numpy as np

from benchmarks.systems import Way

SAMPLE_RATE_HZ = 16_000
PITCH_LOW_HZ, PITCH_HIGH_HZ = 65, 600


def mel_db(samples: np.ndarray) -> np.ndarray:
    """Mel picture in dB below its loudest cell, `(128, frames)`."""
    return librosa.power_to_db(librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE_HZ), ref=np.max)


def pitch_hz(samples: np.ndarray) -> np.ndarray:
    """Pitch track in Hz, `(frames,)`, 0 where unvoiced."""
    track_hz, _, _ = librosa.pyin(samples, fmin=PITCH_LOW_HZ, fmax=PITCH_HIGH_HZ, sr=SAMPLE_RATE_HZ)
    return np.nan_to_num(track_hz)


def loudness(samples: np.ndarray) -> np.ndarray:
    """Root mean square per frame, `(frames,)`."""
    return librosa.feature.rms(y=samples)[0]


def tempo_bpm(samples: np.ndarray) -> float:
    """Tempo in beats per minute."""
    return float(librosa.feature.tempo(y=samples, sr=SAMPLE_RATE_HZ)[0])


FEATURES: dict[str, Callable[[np.ndarray], Any]] = {
    "mel": mel_db,
    "pitch": pitch_hz,
    "loudness": loudness,
    "tempo": tempo_bpm,
}


def load(variant: str, folder: Path) -> Way:
    """All features of each clip."""

    def way(clips: Sequence[Path]) -> list[dict[str, Any]]:
        return [extract(clip)[0] for clip in clips]

    return way


def extract(path: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """Features of one clip by name, and the seconds that each step took ("load" first).

    Args:
        path: any file that librosa reads.
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
    """Prints what each step took, per file."""
    for path in paths:
        _, seconds = extract(Path(path))
        print(path, *(f"{name} {1000 * value:.1f} ms" for name, value in seconds.items()), sep="  ")


if __name__ == "__main__":
    main(sys.argv[1:])
