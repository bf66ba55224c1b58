"""Pitch and loudness tracks -> a few numbers that describe the prosody."""

import numpy as np

from overtone._internal.tensor_names import LOUDNESS, RATES, Outputs
from overtone.datatypes import FloatArray
from overtone.inference.pitch_track import HOP_SAMPLES, track_pitch

SPEECH_RANGE_DB = 30.0  # frames further below the loudest one are pauses, and do not count towards the speaking level
PITCH_PERCENTILES = (10, 50, 90)
SEMITONES_PER_OCTAVE = 12


def summarise_clip(samples: FloatArray, outputs: Outputs) -> dict[str, float]:
    """The prosody of one clip: as `summarise_prosody`, and the rates, such as the tempo, that could be measured.

    Args:
        samples: of the clip, `(samples,)` at 16 kHz.
        outputs: of the model for it.
    """
    frames = max(1, len(samples) // HOP_SAMPLES)
    pitch_hz = track_pitch(samples, frames)
    loudness_db = outputs[LOUDNESS][0, :frames].astype(float)
    rates = {name: float(outputs[name].reshape(-1)[0]) for name in RATES}
    finite = {name: value for name, value in rates.items() if np.isfinite(value)}
    return {**summarise_prosody(pitch_hz, loudness_db), **finite}


def summarise_prosody(pitch_hz: FloatArray, loudness_db: FloatArray) -> dict[str, float]:
    """The prosody of a clip in a few numbers; values that cannot be measured (the pitch of a whisper) are omitted.

    Args:
        pitch_hz: `(frames,)`, 0 where unvoiced.
        loudness_db: `(frames,)`.

    Returns:
        pitch_median_hz, pitch_range_semitones (10th to 90th percentile), loudness_db, voiced_ratio in [0, 1].
    """
    voiced_hz = pitch_hz[np.isfinite(pitch_hz) & (pitch_hz > 0)]
    prosody = {"voiced_ratio": len(voiced_hz) / max(1, len(pitch_hz))}
    if len(voiced_hz):
        # Equals np.percentile, without its overhead.
        positions = np.array(PITCH_PERCENTILES) / 100 * (len(voiced_hz) - 1)
        low_hz, median_hz, high_hz = np.interp(positions, np.arange(len(voiced_hz)), np.sort(voiced_hz))
        prosody["pitch_median_hz"] = float(median_hz)
        prosody["pitch_range_semitones"] = float(SEMITONES_PER_OCTAVE * np.log2(high_hz / low_hz))
    finite_db = loudness_db[np.isfinite(loudness_db)]
    if len(finite_db):
        prosody["loudness_db"] = float(finite_db[finite_db >= finite_db.max() - SPEECH_RANGE_DB].mean())
    return prosody
