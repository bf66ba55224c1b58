import numpy as np
import pytest

from overtone.formats.peaks import StepPeaks


@pytest.mark.parametrize("block_samples", [1, 7, 40, 1000])
def test_the_peak_of_each_step_does_not_depend_on_the_blocks(rng: np.random.Generator, block_samples: int) -> None:
    samples = rng.uniform(-0.5, 0.5, 175).astype(np.float32)
    peaks = StepPeaks(40)
    blocks = [samples[start : start + block_samples] for start in range(0, 175, block_samples)]
    np.testing.assert_array_equal(np.concatenate(list(peaks.measure(blocks))), samples)
    expected = [np.abs(samples[start : start + 40]).max() for start in range(0, 175, 40)]
    assert peaks.highest == pytest.approx(max(expected))
    assert peaks.relative(7) == pytest.approx(np.array([*expected, 0, 0]) / max(expected))


def test_silence_has_peaks_of_0() -> None:
    peaks = StepPeaks(40)
    assert len(list(peaks.measure([np.zeros(100, np.float32)]))) == 1
    assert peaks.relative(3).tolist() == [0, 0, 0]
