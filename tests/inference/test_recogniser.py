"""`Recogniser`: predictions for clips from every kind of source, and errors for invalid ones."""

import array
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from numpy.testing import assert_allclose

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import Prediction, Waveform
from overtone.errors import AudioError, ModelError, OptionError, OvertoneError
from overtone.inference.bundled_models import NAMES, model_path
from overtone.inference.recogniser import Recogniser, load

RATE_HZ = 16_000
SPEECH = Path(__file__).resolve().parents[2] / "examples" / "speech" / "level.flac"


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> Recogniser:
    return load(tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx"))


def voice(seconds: float = 1.0, level: float = 0.3) -> np.ndarray:
    """Return a tone, float32 `(samples,)`."""
    return (level * np.sin(np.arange(int(seconds * RATE_HZ)) / 12)).astype(np.float32)


def wav(samples: np.ndarray, rate_hz: int = RATE_HZ) -> bytes:
    """Return the content of a WAV file."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate_hz, format="WAV", subtype="FLOAT")
    return stream.getvalue()


def test_a_prediction_holds_the_outputs_of_the_graph(recogniser: Recogniser) -> None:
    prediction = recogniser.recognise(voice(), RATE_HZ)
    assert_allclose(prediction.probabilities, tiny_model.expected(voice()), atol=1e-6)
    assert_allclose(prediction.branches["mel"], tiny_model.expected(voice(), "mel_probabilities"), atol=1e-6)
    assert_allclose(prediction.branches["prosody"], tiny_model.expected(voice(), "prosody_probabilities"), atol=1e-6)
    assert list(prediction.branches) == ["mel", "prosody"]
    assert prediction.emotions == EMOTIONS == recogniser.emotions
    assert (prediction.duration_s, prediction.model, prediction.source) == (1.0, "tiny-1", "array")
    assert {name: prediction.prosody[name] for name in tiny_model.RATES} == tiny_model.RATES


def test_the_uncertainty_threshold_comes_from_the_card_or_the_caller(recogniser: Recogniser, tmp_path: Path) -> None:
    with_threshold = tiny_model.write(tmp_path / "threshold.onnx", uncertain_below=1.0)
    for loaded, uncertain in (
        (recogniser, False),  # its card has no threshold
        (load(with_threshold), True),
        (load(with_threshold, uncertain_below=0), False),
    ):
        prediction = loaded.recognise(SPEECH)
        assert (prediction.uncertain, prediction.uncertain_below) == (uncertain, loaded.uncertain_below)
        assert prediction.confidence < 1
    for threshold in (-0.1, 1.5, float("nan")):
        with pytest.raises(OptionError, match=r"uncertain_below: expected a confidence in \[0, 1\]"):
            load(with_threshold, uncertain_below=threshold)


def test_every_kind_of_source_gives_the_same_prediction(recogniser: Recogniser, tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(wav(voice()))
    expected = recogniser.recognise(voice(), RATE_HZ).probabilities
    sources = [path, str(path), wav(voice()), io.BytesIO(wav(voice())), Waveform(voice())]
    for source in sources:
        assert np.array_equal(recogniser.recognise(source).probabilities, expected)
    stereo = np.stack([voice(), voice()], axis=1)
    assert np.array_equal(recogniser.recognise(stereo, RATE_HZ).probabilities, expected)
    assert recogniser.recognise(path).source == str(path)


def test_short_clips_are_padded_at_the_end(recogniser: Recogniser) -> None:
    prediction = recogniser.recognise(voice(0.2), RATE_HZ)
    assert_allclose(prediction.probabilities, tiny_model.expected(voice(0.2)), atol=1e-6)
    assert prediction.duration_s == pytest.approx(0.2)
    assert prediction.prosody["voiced_ratio"] == 1  # the padding is not part of the clip


def test_an_invalid_source_does_not_stop_the_others(recogniser: Recogniser) -> None:
    results = list(recogniser.recognise_many([wav(voice()), b"", "missing.wav", wav(voice())]))
    assert [type(result) for result in results] == [Prediction, AudioError, AudioError, Prediction]
    assert "missing.wav" in str(results[2])


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(RATE_HZ, np.float32), "no speech: nothing but silence"),
        (np.full(RATE_HZ, 0.5, np.float32), "no speech: nothing but silence"),
        (np.random.default_rng(0).uniform(-4e-5, 4e-5, RATE_HZ).astype(np.float32), "nothing but silence"),
        (voice(0.03), "no speech in 30 ms"),
        (voice(601), "601 s .* more than 600 s"),
        (np.array([0, np.nan] * RATE_HZ, np.float32), "not finite"),
    ],
)
def test_clips_without_speech_are_refused(recogniser: Recogniser, samples: np.ndarray, message: str) -> None:
    with pytest.raises(AudioError, match=f"^clip: .*{message}"):
        recogniser.recognise(Waveform(samples, "clip"))


def test_quiet_clipped_and_offset_speech_is_recognised(recogniser: Recogniser) -> None:
    for samples in (voice(level=3e-4), np.clip(voice(level=9), -1, 1), voice() + 0.5):
        assert recogniser.recognise(samples, RATE_HZ).probabilities.sum() == pytest.approx(1)


def test_a_sample_rate_is_for_arrays_only(recogniser: Recogniser) -> None:
    with pytest.raises(OptionError, match="needs its sample rate"):
        recogniser.recognise(voice())
    with pytest.raises(OptionError, match="only for arrays; bytes"):
        recogniser.recognise(wav(voice()), RATE_HZ)
    with pytest.raises(OptionError, match="only for arrays; Waveform"):
        recogniser.recognise(Waveform(voice()), RATE_HZ)


@pytest.mark.parametrize("rate_hz", ["16000", "fast", [16_000], 16_000j])
def test_an_invalid_sample_rate_is_refused(recogniser: Recogniser, rate_hz: object) -> None:
    with pytest.raises(OptionError, match=r"^rate_hz: expected samples per second"):
        recogniser.recognise(voice(), rate_hz)


def test_array_likes_are_accepted(recogniser: Recogniser) -> None:
    expected = recogniser.recognise(voice(), RATE_HZ).probabilities
    stereo = [[value, value] for value in voice().tolist()]
    for samples in (voice().tolist(), tuple(voice().tolist()), array.array("f", voice()), list(voice()), stereo):
        for rate_hz in (RATE_HZ, float(RATE_HZ), np.float32(RATE_HZ), np.int32(RATE_HZ)):
            prediction = recogniser.recognise(samples, rate_hz)
            np.testing.assert_allclose(prediction.probabilities, expected, atol=1e-6)
    with pytest.raises(OptionError, match="an array needs its sample rate"):
        recogniser.recognise(voice().tolist())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([[0.1], [0.1, 0.2]], "^list: cannot be converted"),
        (["loud", "soft"], "samples of type .U4 are not audio"),
        ([], "no samples"),
        ([0, 1, 2], "samples of type int64 are not audio; use float32"),
        ([20_000.0, -20_000.0], "divide 16-bit integers by 32768"),
        (None, "^NoneType: expected a path, bytes, a file object, a Waveform or samples$"),
        (0.5, "^float: expected a path"),
        ({0.5: 1}, "^dict: expected a path"),
    ],
)
def test_objects_that_are_not_audio_are_refused(recogniser: Recogniser, source: object, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        recogniser.recognise(source, RATE_HZ)


def test_an_empty_path_is_refused(recogniser: Recogniser) -> None:
    with pytest.raises(AudioError, match=r"^'': an empty name"):
        recogniser.recognise("")


def test_a_long_file_is_refused_before_it_is_decoded(recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    soundfile.write(stream, np.zeros(8_000 * 601, np.int16), 8_000, format="FLAC")

    def fail(*arguments: object, **options: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(soundfile.SoundFile, "read", fail)
    with pytest.raises(AudioError, match=r"^audio in memory: 601 s .* more than 600 s.*timeline$"):
        recogniser.recognise(stream.getvalue())


@pytest.mark.parametrize("content", [b"", b"hello, not a model", b"\x08\x07" * 500, bytes(1_000)])
def test_other_files_are_refused_as_models(tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.onnx: not a model, or damaged") as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_truncated_model_is_refused(tmp_path: Path) -> None:
    content = tiny_model.write(tmp_path / "complete.onnx").read_bytes()
    for tenths in range(10):
        (tmp_path / "cut.onnx").write_bytes(content[: len(content) * tenths // 10])
        with pytest.raises(ModelError, match=r"cut\.onnx"):
            load(tmp_path / "cut.onnx")


def test_unreadable_model_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx: the model cannot be read: No such file"):
        load(tmp_path / "gone.onnx")
    with pytest.raises(ModelError, match="Is a directory"):
        load(tmp_path)
    with pytest.raises(ModelError, match="cannot be read"):
        load("nul\0.onnx")


def test_a_model_without_a_required_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the graph lacks prosody_probabilities"):
        load(tiny_model.write(tmp_path / "less.onnx", without="prosody_probabilities"))


def test_a_graph_without_a_branch_of_the_recipe_is_refused(tmp_path: Path) -> None:
    recipe = {"name": "three", "branches": {"mel": "tiny", "prosody": "tiny", "speech": "encoder"}}
    with pytest.raises(ModelError, match=r"three\.onnx: .*lacks speech_probabilities"):
        load(tiny_model.write(tmp_path / "three.onnx", recipe=recipe))


def test_a_card_with_fewer_classes_than_the_graph_is_an_error(tmp_path: Path) -> None:
    recogniser = load(tiny_model.write(tmp_path / "few.onnx", emotions=["happy", "sad"]))
    with pytest.raises(ModelError, match=r"few\.onnx: 'probabilities' has shape \(1, 8\)"):
        recogniser.recognise(voice(), RATE_HZ)


def test_a_clip_that_the_model_fails_on(recogniser: Recogniser, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match=r"^clip: the model .*tiny\.onnx returns no valid probabilities"):
        recogniser.recognise(Waveform(voice() * np.float32(1e30), "clip"))
    with pytest.raises(ModelError, match=r"^clip: the model .*tiny\.onnx fails on it: .*INVALID_ARGUMENT"):
        stereo = Waveform(voice(), "clip")
        object.__setattr__(stereo, "samples", np.zeros((2, 9_000), np.float32))
        recogniser.model.run(stereo)
    assert capfd.readouterr() == ("", "")  # onnxruntime would write to stderr by itself


def test_the_number_of_threads_must_be_positive() -> None:
    with pytest.raises(OptionError, match="at least 1, got 0"):
        load(threads=0)


def test_threads_do_not_change_the_prediction(recogniser: Recogniser, tmp_path: Path) -> None:
    other = load(tiny_model.write(tmp_path / "tiny.onnx"), threads=2)
    assert_allclose(
        other.recognise(voice(), RATE_HZ).probabilities, recogniser.recognise(voice(), RATE_HZ).probabilities, atol=1e-6
    )


def test_inference_imports_no_training_package(tmp_path: Path) -> None:
    tiny_model.write(tmp_path / "tiny.onnx")
    (tmp_path / "clip.wav").write_bytes(wav(voice()))
    program = (
        "import json, sys, overtone\n"
        f"overtone.load({str(tmp_path / 'tiny.onnx')!r}).recognise({str(tmp_path / 'clip.wav')!r})\n"
        "print(json.dumps([name.split('.')[0] for name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout))
    heavy = {"torch", "librosa", "scipy", "sklearn", "matplotlib", "onnx", "onnxscript", "safetensors", "pandas"}
    assert {"overtone", "onnxruntime", "soundfile"} <= modules
    assert not modules & heavy
    assert done.stderr == ""


@pytest.mark.parametrize("name", NAMES)
def test_bundled_models_recognise_real_speech(name: str, ravdess_folder: Path) -> None:
    recogniser = load(name)
    assert recogniser.can_adapt and 0 < recogniser.uncertain_below < 1
    assert recogniser.uncertain_below == recogniser.card["uncertain_below"]
    terms = (model_path().parent / "LICENSE").read_text("utf-8")
    assert all(row["corpus"].lower() in terms.lower() for row in recogniser.card["training_data"])
    paths = sorted((ravdess_folder / "Actor_08").glob("*.flac"))[::8]
    for result in recogniser.recognise_many(paths):
        assert not isinstance(result, OvertoneError), result
        assert 60 < result.prosody["pitch_median_hz"] < 600
        assert 0 <= result.prosody["pause_ratio"] <= 1
