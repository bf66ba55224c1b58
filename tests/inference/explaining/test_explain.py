"""Explanations of models: a known model gets the known reasons, and a deletion test confirms those of a real one."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from synthetic_audio import RATE_HZ, silence, speech_like, voice

import overtone
from overtone.errors import AudioError, OptionError
from overtone.explanation import Explanation
from overtone.inference.explaining import explainer, speech_properties
from overtone.inference.explaining.replacement import span_weights
from overtone.inference.explaining.time_spans import cell_edges

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "speech").glob("*.flac"))[::2]
SPEECH = speech_like(np.random.default_rng(5), 2.0)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> overtone.Recogniser:
    """A model that reacts to the level of the sound alone, in any of its frequencies."""
    return overtone.load(tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx", adapts=True))


@pytest.fixture(scope="module")
def lite() -> overtone.Recogniser:
    return overtone.load("lite")


def waveform(samples: np.ndarray) -> overtone.Waveform:
    return overtone.from_array(samples, RATE_HZ, source="clip")


def test_the_only_sound_is_the_reason(tiny: overtone.Recogniser) -> None:
    quiet = np.random.default_rng(0).normal(0, 1e-4, 3 * RATE_HZ).astype(np.float32)
    quiet[RATE_HZ : RATE_HZ + RATE_HZ // 2] += voice(700, 0.5, level=0.3)
    with_speech = replace(tiny.recognise(waveform(quiet)), speech_s=1.0)
    explanation = explainer.explain_clip(tiny.model, waveform(quiet), with_speech)
    strongest = max(explanation.spans, key=lambda span: abs(span.value))
    assert 0.9 <= strongest.start_s < strongest.end_s <= 1.6
    outside = [span.value for span in explanation.spans if span.end_s < 0.7 or span.start_s > 1.8]
    assert max(map(abs, outside)) < 0.05 * abs(strongest.value)
    band = max(explanation.bands, key=lambda band: abs(band.value))
    assert band.low_hz <= 700 <= band.high_hz
    assert [band.low_hz for band in explanation.bands[1:]] == [band.high_hz for band in explanation.bands[:-1]]


def test_contributions_are_changes_of_the_log_odds(tiny: overtone.Recogniser) -> None:
    explanation = tiny.explain(waveform(SPEECH), emotion="sad")
    prediction = tiny.recognise(waveform(SPEECH))
    assert explanation.emotion == "sad"
    assert explanation.probability == prediction.probabilities[tiny.emotions.index("sad")]
    for row in explanation.properties:
        odds = [p / (1 - p) for p in (explanation.probability, row.probability)]
        assert row.value == pytest.approx(np.log(odds[0] / odds[1]), abs=1e-6)
        assert row.low <= row.value <= row.high
    assert explanation.model_runs > len(explanation.spans) + len(explanation.bands)
    assert (explanation.spans[0].start_s, explanation.spans[-1].end_s) == (0, pytest.approx(2.0))


def test_the_same_seed_gives_the_same_explanation(tiny: overtone.Recogniser) -> None:
    first, second, other = (tiny.explain(waveform(SPEECH), seed=seed) for seed in (0, 0, 1))
    assert first == second
    assert first != other


def test_reference_clips_count(tiny: overtone.Recogniser) -> None:
    reference = [waveform(voice(120 + 40 * k, 1.0, level=0.1 + 0.2 * k)) for k in range(3)]
    adapted = tiny.adapt(reference)
    explanation = adapted.explain(waveform(SPEECH))
    assert explanation.prediction == adapted.recognise(waveform(SPEECH))
    assert explanation.prediction.reference_clips == 3
    assert explanation.spans != tiny.explain(waveform(SPEECH)).spans


def test_a_part_of_a_recording(tiny: overtone.Recogniser, tmp_path: Path) -> None:
    recording = np.concatenate([silence(40.0), SPEECH])
    path = tmp_path / "long.flac"
    soundfile.write(path, recording, RATE_HZ)
    expected = tiny.explain(path, start_s=40.0)
    assert (expected.start_s, expected.end_s) == (40.0, pytest.approx(42.0))
    assert expected.spans[0].start_s == 40.0
    assert tiny.explain(io.BytesIO(path.read_bytes()), start_s=40.0, end_s=42.0).spans == expected.spans
    part = tiny.explain(recording, RATE_HZ, start_s=40.0)
    assert [span.value for span in part.spans] == pytest.approx([span.value for span in expected.spans], abs=0.01)


def test_no_speech_is_not_explained(lite: overtone.Recogniser) -> None:
    explanation = lite.explain(waveform(np.random.default_rng(0).normal(0, 0.05, RATE_HZ).astype(np.float32)))
    assert explanation.prediction.uncertain
    assert (explanation.spans, explanation.bands, explanation.properties) == ((), (), ())


def test_what_cannot_be_explained(tiny: overtone.Recogniser, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.tile(SPEECH, 18), RATE_HZ)
    for source in (path, waveform(np.tile(SPEECH, 18))):
        with pytest.raises(AudioError, match="too long to be explained"):
            tiny.explain(source)
    with pytest.raises(AudioError, match="has only"):
        tiny.explain(path, start_s=50.0)
    with pytest.raises(OptionError, match="hapy"):
        tiny.explain(waveform(SPEECH), emotion="hapy")
    for start_s, end_s in ((-1.0, None), (2.0, 1.0), (float("nan"), None), (0.0, float("inf"))):
        with pytest.raises(OptionError, match=r"^start(_s:| and end:)|^end_s:"):
            tiny.explain(waveform(SPEECH), start_s=start_s, end_s=end_s)


def test_a_property_whose_changes_disagree_is_not_reliable(tiny: overtone.Recogniser) -> None:
    clip = speech_properties.MeasuredClip(SPEECH, np.zeros(126), 256, np.nan, None)  # type: ignore[arg-type]
    probe = explainer.ClipProbe(tiny.model, waveform(SPEECH), "happy")
    base = probe.log_odds(SPEECH)
    sharp, blunt = (
        speech_properties.Change(lambda clip, power=power: np.sign(clip.samples) * np.abs(clip.samples) ** power)
        for power in (2.0, 0.3)
    )
    disagreeing = speech_properties.Property("loudness", (sharp, blunt))
    found = explainer._explain_property(probe, disagreeing, clip, base)
    assert found.low < 0 < found.high
    assert not found.is_reliable
    lossy = speech_properties.Change(sharp.apply, lambda clip, changed: changed**3)
    artificial = explainer._explain_property(probe, speech_properties.Property("loudness", (lossy, lossy)), clip, base)
    assert artificial.low * artificial.high > 0
    assert artificial.artefact > 0
    assert artificial.is_reliable == (abs(artificial.value) > artificial.artefact)


def area(recogniser: overtone.Recogniser, explanation: Explanation, samples: np.ndarray, order: np.ndarray) -> float:
    """Return the mean probability of the explained class while spans are silenced in this order."""
    edges, index = cell_edges(len(samples)), recogniser.emotions.index(explanation.emotion)
    values = []
    for count in range(len(order) + 1):
        mask = np.isin(np.arange(len(order)), order[:count])
        silenced = overtone.Waveform((samples * (1 - span_weights(mask, edges))).astype(np.float32))
        values.append(recogniser.model.probabilities(recogniser.model.run(silenced))[0][index])
    return float(np.mean(values))


def test_deletion_in_the_order_of_the_explanation_is_fastest(lite: overtone.Recogniser) -> None:
    rng, areas = np.random.default_rng(0), []
    for path in EXAMPLES:
        samples = overtone.read(path).samples
        explanation = explainer.explain_clip(lite.model, waveform(samples), lite.recognise(path), properties=())
        values = np.array([span.value for span in explanation.spans])
        orders = [np.argsort(-values), np.argsort(values), *(rng.permutation(len(values)) for _ in range(3))]
        found = [area(lite, explanation, samples, order) for order in orders]
        areas.append([found[0], found[1], np.mean(found[2:])])
    best, worst, random = np.mean(areas, axis=0)
    assert best < random - 0.03
    assert worst > random
