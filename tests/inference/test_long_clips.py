"""Clips beyond the limit of a model: equal parts, joined tracks, averaged probabilities and rates."""

import numpy as np
import pytest

from overtone._internal.tensor_names import Outputs
from overtone.datatypes import Waveform
from overtone.inference.long_clips import run_parts

HOP = 100


def run(waveform: Waveform) -> Outputs:
    """Return outputs that tell which samples they are of."""
    samples = waveform.samples
    frames = len(samples) // HOP + 1
    track = np.array([[samples[min(k * HOP, len(samples) - 1)] for k in range(frames)]], np.float32)
    first = samples[0] / 10_000
    rate = np.array([np.nan if first == 0 else 4.0], np.float32)
    return {
        "probabilities": np.array([[first, 1 - first]], np.float32),
        "pitch_hz": track,
        "loudness_db": -track,
        "speech_rate_hz": rate,
    }


@pytest.mark.parametrize("samples", [2001, 2050, 3999, 4000, 7777])
def test_parts_are_equal_and_tracks_are_continuous(samples: int) -> None:
    waveform = Waveform(np.arange(samples, dtype=np.float32), "long.wav")
    lengths = []

    def recording_run(part: Waveform) -> Outputs:
        assert part.source == "long.wav"
        lengths.append(len(part.samples))
        return run(part)

    outputs = run_parts(recording_run, waveform, 2000, HOP)
    assert max(lengths) <= 2000 and sum(lengths) == samples
    assert max(lengths) - min(lengths[:-1]) == 0 and lengths[-1] > max(lengths) / 2
    expected = run(waveform)["pitch_hz"]
    np.testing.assert_array_equal(outputs["pitch_hz"], expected)
    np.testing.assert_array_equal(outputs["loudness_db"], -expected)
    starts = np.cumsum([0, *lengths[:-1]]) / 10_000
    np.testing.assert_allclose(outputs["probabilities"], [[starts.mean(), 1 - starts.mean()]], rtol=1e-5)
    assert outputs["speech_rate_hz"] == 4.0, "of the parts where it could be measured"


def test_a_rate_that_no_part_has_stays_unknown() -> None:
    outputs = run_parts(run, Waveform(np.zeros(3000, np.float32)), 2000, HOP)
    assert np.isnan(outputs["speech_rate_hz"]).all()
