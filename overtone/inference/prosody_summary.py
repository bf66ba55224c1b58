"""Pitch and loudness tracks -> the voice in a few numbers."""

import numpy as np

LOUD_RANGE_DB = 30.0  # frames this far below the loudest are pauses: they say nothing of how loud someone speaks
PITCH_PERCENT = (10, 50, 90)
SEMITONES_PER_OCTAVE = 12


def summarise_prosody(pitch_hz: np.ndarray, loudness_db: np.ndarray) -> dict[str, float]:
    """The voice in a few numbers; what cannot be measured (the pitch of a whisper) is left out.

    Args:
        pitch_hz: `(frames,)`, 0 where unvoiced.
        loudness_db: `(frames,)`.

    Returns:
        pitch_median_hz, pitch_range_semitones (10th to 90th percentile), loudness_db, voiced_ratio in [0, 1].
    """
    voiced_hz = pitch_hz[np.isfinite(pitch_hz) & (pitch_hz > 0)]
    prosody = {"voiced_ratio": len(voiced_hz) / max(1, len(pitch_hz))}
    if len(voiced_hz):
        # The same as np.percentile, without its many ways to go.
        places = np.array(PITCH_PERCENT) / 100 * (len(voiced_hz) - 1)
        low_hz, median_hz, high_hz = np.interp(places, np.arange(len(voiced_hz)), np.sort(voiced_hz))
        prosody["pitch_median_hz"] = float(median_hz)
        prosody["pitch_range_semitones"] = float(SEMITONES_PER_OCTAVE * np.log2(high_hz / low_hz))
    finite_db = loudness_db[np.isfinite(loudness_db)]
    if len(finite_db):
        prosody["loudness_db"] = float(finite_db[finite_db >= finite_db.max() - LOUD_RANGE_DB].mean())
    return prosody
