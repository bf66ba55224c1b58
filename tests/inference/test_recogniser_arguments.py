"""Odd arguments of a recogniser are answered by an error that says what was expected; copies and pickles work."""

import copy
import io
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model

from overtone.audio.decode import from_array
from overtone.errors import AudioError, ModelError, OptionError
from overtone.inference.recogniser import Recogniser, load

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="module")
def recogniser(model: Path) -> Recogniser:
    return load(model)


def voice() -> np.ndarray:
    return (0.3 * np.sin(np.arange(RATE_HZ) / 12)).astype(np.float32)


def written() -> io.BytesIO:
    """Return a file object at the end of the recording that was written to it."""
    file = io.BytesIO()
    soundfile.write(file, voice(), RATE_HZ, format="WAV", subtype="FLOAT")
    file.seek(0, io.SEEK_END)
    return file


@pytest.mark.parametrize("sources", ["clip.wav", Path("clip.wav"), b"RIFF", io.BytesIO(b"RIFF"), voice(), None, 5])
@pytest.mark.parametrize("name", ["recognise_many", "adapt"])
def test_one_clip_instead_of_several(recogniser: Recogniser, name: str, sources: object, tmp_path: Path) -> None:
    adaptable = load(tiny_model.write(tmp_path / "adapts.onnx", adapts=True)) if name == "adapt" else recogniser
    with pytest.raises(OptionError, match=rf"^{name}: expected several clips, such as a list of paths, got one "):
        getattr(adaptable, name)(sources)


@pytest.mark.parametrize("threads", [None, "2", 1.5, 0])
def test_threads(recogniser: Recogniser, model: Path, threads: int) -> None:
    calls: list[Callable[[], object]] = [
        lambda: load(model, threads=threads),
        lambda: recogniser.timeline(voice(), RATE_HZ, threads=threads),
        lambda: recogniser.stream(RATE_HZ, threads=threads),
    ]
    for call in calls:
        with pytest.raises(OptionError, match=r"^threads: expected a whole number of at least 1, got "):
            call()


def test_other_options(model: Path) -> None:
    with pytest.raises(OptionError, match=r"^model: expected the path of a model file or one of overtone, lite, got 5"):
        load(5)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"^uncertain_below: expected a confidence in \[0, 1\], got '0.5'"):
        load(model, uncertain_below="0.5")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"^emotions: expected several names, such as a tuple of texts, got 5"):
        load(model, emotions=5)  # type: ignore[arg-type]


def test_a_file_object_at_its_end_is_read_from_its_start(recogniser: Recogniser) -> None:
    expected = recogniser.recognise(voice(), RATE_HZ).probabilities
    np.testing.assert_array_equal(recogniser.recognise(written()).probabilities, expected)
    assert recogniser.timeline(written()).duration_s == 1
    (left,) = recogniser.recognise_many([written()], channel="each")
    np.testing.assert_array_equal(left.probabilities, expected)
    with pytest.raises(AudioError, match="empty"):
        recogniser.recognise(io.BytesIO())


def test_a_file_object_is_read_from_its_position(recogniser: Recogniser) -> None:
    file = io.BytesIO(b"header" + written().getvalue())
    file.seek(6)
    assert recogniser.recognise(file).duration_s == 1


def test_16_bit_integers_in_an_array_of_32_bit(recogniser: Recogniser) -> None:
    samples = (voice() * 32_767).astype(np.int32)
    for call in (recogniser.recognise, recogniser.timeline):
        with pytest.raises(AudioError, match=r"array: samples reach 98\d\d where 2147483648 is full scale; .*'int16'"):
            call(samples, RATE_HZ)
    for scaled in (samples.astype(np.int16), samples * 65_536):
        assert recogniser.recognise(scaled, RATE_HZ).duration_s == 1
    with pytest.raises(AudioError, match="nothing but silence"):
        recogniser.recognise(np.zeros(RATE_HZ, np.int32), RATE_HZ)


def test_24_bit_integers_in_an_array_of_32_bit(recogniser: Recogniser) -> None:
    samples = (voice() * (2**23 - 1)).astype(np.int32)
    for call in (recogniser.recognise, recogniser.timeline):
        with pytest.raises(AudioError, match=r"array: samples reach \d+ where 2147483648 is full scale; .* \* 256"):
            call(samples, RATE_HZ)
    assert recogniser.recognise(samples * 256, RATE_HZ).duration_s == 1


def test_a_quiet_16_bit_recording_in_an_array_of_32_bit(recogniser: Recogniser) -> None:
    """As soundfile reads it: scaled to 32 bit."""
    file = io.BytesIO()
    soundfile.write(file, voice() / 100, RATE_HZ, format="WAV", subtype="PCM_16")
    file.seek(0)
    samples, _ = soundfile.read(file, dtype="int32")
    assert np.abs(samples).max() < 2**23
    assert recogniser.recognise(samples, RATE_HZ).duration_s == 1


@pytest.mark.parametrize("channels", [1, 2])
def test_masked_samples(recogniser: Recogniser, channels: int) -> None:
    """What a mask leaves out would be recognised as if it were valid."""
    samples = np.ma.masked_greater(voice() if channels == 1 else np.stack([voice()] * channels, axis=1), 0.29)
    for call in (recogniser.recognise, recogniser.timeline, recogniser.explain):
        with pytest.raises(AudioError, match=r"masked; .*filled\(0\)"):
            call(samples, RATE_HZ)
    with pytest.raises(AudioError, match="masked"):
        recogniser.timeline(samples, RATE_HZ, channel="each")
    assert recogniser.recognise(samples.filled(0), RATE_HZ).duration_s == 1
    assert recogniser.recognise(np.ma.array(voice()), RATE_HZ).duration_s == 1, "nothing is masked"


@pytest.mark.parametrize("name", ["start_s", "end_s", "offset_s"])
@pytest.mark.parametrize("value", ["0.5", -0.5, float("nan"), float("inf"), [0.5]])
def test_times_of_an_explanation(recogniser: Recogniser, name: str, value: object) -> None:
    with pytest.raises(OptionError, match=rf"^{name}: expected a number of seconds from 0 on"):
        recogniser.explain(voice(), RATE_HZ, **{name: value})  # type: ignore[arg-type]


def test_samples_as_a_buffer(recogniser: Recogniser) -> None:
    """A buffer is the content of a file; the type of samples in it could only be guessed."""
    for buffer in (memoryview(voice().astype(np.float32)), voice().tobytes()):
        with pytest.raises(OptionError, match=r"np\.frombuffer"):
            recogniser.recognise(buffer, RATE_HZ)


def test_a_tensor_that_requires_gradients(recogniser: Recogniser) -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(voice(), requires_grad=True)
    stream = recogniser.stream(RATE_HZ)
    for call in (recogniser.recognise, recogniser.timeline, from_array, lambda samples, _: stream.push(samples)):
        with pytest.raises(AudioError, match=r"cannot be converted to an array of samples: .*detach\(\)"):
            call(tensor, RATE_HZ)
    assert recogniser.recognise(tensor.detach(), RATE_HZ).duration_s == 1


def test_copies_and_pickles_predict_the_same(tmp_path: Path) -> None:
    model = tiny_model.write(tmp_path / "tiny.onnx", adapts=True)
    recogniser = load(model, uncertain_below=0.25, emotions=("happy", "sad"))
    expected = recogniser.recognise(voice(), RATE_HZ)
    for other in (copy.copy(recogniser), copy.deepcopy(recogniser), pickle.loads(pickle.dumps(recogniser))):
        assert other.recognise(voice(), RATE_HZ) == expected
        assert other.uncertain_below == 0.25
    assert len(pickle.dumps(recogniser)) < 100_000  # without the weights


def test_a_pickle_of_a_model_that_has_changed(tmp_path: Path) -> None:
    model = tiny_model.write(tmp_path / "tiny.onnx")
    pickled = pickle.dumps(load(model))
    shutil.copy(tiny_model.write(tmp_path / "other.onnx", uncertain_below=0.5), model)
    with pytest.raises(ModelError, match=r"tiny\.onnx: not the model that was pickled: the file has changed"):
        pickle.loads(pickled)
    model.unlink()
    with pytest.raises(ModelError, match=r"tiny\.onnx: the model cannot be read: No such file"):
        pickle.loads(pickled)
