"""The summary of the prosody of a clip."""

import numpy as np
import pytest

from overtone.inference.prosody_summary import summarise_prosody


def test_values_of_the_summary() -> None:
    pitch_hz = np.array([0, 100, 200, 400, 0, np.nan])
    prosody = summarise_prosody(pitch_hz, np.array([-20.0, -30, -60, -np.inf]))
    assert prosody["pitch_median_hz"] == 200
    assert prosody["voiced_ratio"] == pytest.approx(0.5)
    assert prosody["loudness_db"] == -25  # -60 is more than 30 dB below the loudest
    low_hz, high_hz = np.percentile([100, 200, 400], [10, 90])
    assert prosody["pitch_range_semitones"] == pytest.approx(12 * np.log2(high_hz / low_hz))


def test_values_that_cannot_be_measured_are_omitted() -> None:
    assert summarise_prosody(np.zeros(5), np.full(5, np.nan)) == {"voiced_ratio": 0}
    assert summarise_prosody(np.empty(0), np.empty(0)) == {"voiced_ratio": 0}
