"""Without speech, no prediction is certain: noise, tones, clicks, music and barking, as clips and over time."""

from pathlib import Path

import non_speech
import numpy as np
import pytest
import tiny_model

from overtone.audio.decode import read
from overtone.datatypes import MIN_SPEECH_S
from overtone.inference.recogniser import Recogniser, load
from overtone.timeline import Segment

RATE_HZ = 16_000
SPEECH = Path(__file__).resolve().parents[2] / "examples" / "speech" / "level.flac"


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> Recogniser:
    """Return a recogniser whose confidence is never below its threshold."""
    return load(tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx"), uncertain_below=0)


def bursts(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return clicks of a few milliseconds, or with more of them, a rattle."""
    samples = 1e-4 * rng.standard_normal(3 * RATE_HZ)
    for start in rng.integers(0, len(samples) - 400, count):
        samples[start : start + 400] += np.exp(-np.arange(400) / 80) * rng.standard_normal(400)
    return samples


def bark(rng: np.random.Generator) -> np.ndarray:
    """Return four short falling harmonic tones with noise, as a dog barks."""
    times_s = np.arange(round(0.2 * RATE_HZ)) / RATE_HZ
    samples = np.zeros(3 * RATE_HZ)
    for start in (4_000, 14_000, 25_000, 38_000):
        phase = 2 * np.pi * np.cumsum(rng.uniform(300, 900) * (1 - 2 * times_s)) / RATE_HZ
        sound = sum(np.sin(k * phase) / k for k in range(1, 9)) + 0.7 * rng.standard_normal(len(phase))
        samples[start : start + len(sound)] += np.exp(-(((times_s - 0.06) / 0.05) ** 2)) * sound
    return samples


@pytest.mark.parametrize("level_db", [-50, -30, -15])
def test_sounds_other_than_speech_give_no_certain_prediction(
    recogniser: Recogniser, level_db: float, rng: np.random.Generator
) -> None:
    times_s = np.arange(3 * RATE_HZ) / RATE_HZ
    sounds = {
        **{colour: non_speech.noise(colour, 3, rng) for colour in non_speech.COLOURS},
        **{style: non_speech.music(style, 3, rng) for style in non_speech.MUSIC},
        **{f"{hz} Hz": np.sin(2 * np.pi * hz * times_s) for hz in (100, 220, 440, 1_000, 3_000)},
        **{f"{count} clicks": bursts(count, rng) for count in (1, 6, 40)},
        "busy tone": np.sin(2 * np.pi * 425 * times_s) * (times_s % 1 < 0.5),
        "square": np.sign(np.sin(2 * np.pi * 200 * times_s)),
        "sweep": np.sin(2 * np.pi * (100 * times_s + 500 * times_s**2)),
        "hum": non_speech.hum(50, 3, rng),
        "barking": bark(rng),
    }
    for name, samples in sounds.items():
        prediction = recogniser.recognise(non_speech.at_level(samples, level_db), RATE_HZ)
        assert prediction.uncertain and prediction.speech_s < MIN_SPEECH_S, name
        assert prediction.uncertain_below == 0, "by its confidence alone, the prediction would be certain"


def test_less_than_half_a_second_of_speech_gives_no_certain_prediction(recogniser: Recogniser) -> None:
    speech = read(SPEECH).samples
    whole = recogniser.recognise(speech, RATE_HZ)
    assert not whole.uncertain and 1 < whole.speech_s < whole.duration_s
    start = np.abs(speech).argmax() - RATE_HZ // 8
    for duration_s in (0.1, 0.3, 0.49):
        prediction = recogniser.recognise(speech[start : start + round(duration_s * RATE_HZ)], RATE_HZ)
        assert prediction.uncertain and prediction.speech_s <= duration_s


def test_a_turn_with_hardly_any_speech_is_uncertain(recogniser: Recogniser) -> None:
    speech = np.pad(read(SPEECH).samples, RATE_HZ)
    loudest_s = float(np.abs(speech).argmax() / RATE_HZ)
    turns = [Segment(loudest_s - 0.15, loudest_s + 0.15), Segment(loudest_s - 1, loudest_s + 1)]
    timeline = recogniser.timeline(speech, RATE_HZ, turns=turns)
    predictions = {round(turn.duration_s, 1): turn.prediction for turn in timeline.segments}
    assert predictions[0.3].uncertain and 0 < predictions[0.3].speech_s <= 0.3
    assert not predictions[2.0].uncertain and MIN_SPEECH_S < predictions[2.0].speech_s <= 2


def test_the_segments_of_a_timeline_share_the_speech_of_the_clip(recogniser: Recogniser) -> None:
    speech = np.pad(read(SPEECH).samples, (2 * RATE_HZ, RATE_HZ))
    segments = [segment.prediction for segment in recogniser.timeline(speech, RATE_HZ).segments if segment.prediction]
    total_s = sum(prediction.speech_s for prediction in segments)
    assert total_s == pytest.approx(recogniser.recognise(speech, RATE_HZ).speech_s, abs=0.1)
    stream = recogniser.stream(RATE_HZ)
    live = [segment.prediction for segment in stream.push(speech) if segment.prediction]
    stream.close()
    assert live and all(0 < prediction.speech_s <= 3 for prediction in live)
    assert any(not prediction.uncertain for prediction in live)
