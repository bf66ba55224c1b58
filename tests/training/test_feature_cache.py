"""Features of utterances: measured once, kept under a name that says what they were made from."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_training
import torch
from sounds import frame_count

from overtone._internal import fingerprint
from overtone.audio.decode import read
from overtone.datatypes import Utterance
from overtone.errors import CorpusError, OvertoneError
from overtone.features.front_end import FrontEnd
from overtone.training import feature_cache as prepare_module
from overtone.training.feature_cache import ClipFeatures, default_cache, load_features

CLIPS = 5


@pytest.fixture
def utterances(tmp_path: Path) -> list[Utterance]:
    """Sound files of different lengths."""
    found = []
    for index in range(CLIPS):
        path = tmp_path / "sound" / f"{index}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, tiny_training.waveform(index).samples[: 6000 + 500 * index], 16_000)
        found.append(Utterance(path, tiny_training.EMOTIONS[index % 2], clip=str(index)))
    return found


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Versions that were measured, in order, rather than read from the cache."""
    versions: list[int] = []
    measure = prepare_module.extract

    def counting(waveforms, version, progress):
        versions.append(version)
        return measure(waveforms, version, progress)

    monkeypatch.setattr(prepare_module, "measure", counting)
    return versions


def test_features_are_those_of_the_front_end(utterances: list[Utterance], tmp_path: Path) -> None:
    store = load_features(utterances, 0, tmp_path)
    assert len(store) == CLIPS
    for index, utterance in enumerate(utterances):
        samples = read(utterance.path).samples
        with torch.inference_mode():
            expected = FrontEnd()(torch.from_numpy(samples)[None])
        found = store.clip(index)
        assert found.tracks.shape == (frame_count(len(samples)), 3)
        np.testing.assert_array_equal(found.log_mel, expected.log_mel[0])
        for column, name in enumerate(("pitch_hz", "periodicity", "loudness_db")):
            np.testing.assert_array_equal(found.tracks[:, column], getattr(expected, name)[0])
        for column, name in enumerate(("tempo_bpm", "speech_rate_hz", "pause_ratio")):
            assert found.rates[column] == getattr(expected, name).item()


def test_stretches_of_a_file_are_clips(utterances: list[Utterance], tmp_path: Path) -> None:
    path = utterances[0].path
    stretches = [Utterance(path, "sad", start_s=0.1, end_s=0.3), Utterance(path, "sad", start_s=0.2)]
    store = load_features(stretches, 0, tmp_path)
    assert len(store.clip(0).tracks) == frame_count(3200)
    assert len(store.clip(1).tracks) == frame_count(6000 - 3200)


def test_what_is_kept_is_used_again(utterances: list[Utterance], tmp_path: Path, measured: list[int]) -> None:
    first = load_features(utterances, 2, tmp_path)
    assert measured == [0, 1, 2]
    again = load_features(utterances, 2, tmp_path)
    assert measured == [0, 1, 2]
    for index in range(CLIPS):
        for version in range(3):
            np.testing.assert_array_equal(first.clip(index, version).log_mel, again.clip(index, version).log_mel)
    load_features(utterances, 3, tmp_path)
    assert measured == [0, 1, 2, 3]
    assert not list(tmp_path.rglob("*.part"))
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "features").iterdir()} == {0o644}


def _touched(utterances: list[Utterance]) -> list[Utterance]:
    os.utime(utterances[2].path, ns=(1, 1))
    return utterances


def _lengthened(utterances: list[Utterance]) -> list[Utterance]:
    path = utterances[2].path
    before = path.stat()
    soundfile.write(path, np.ones(7777) / 8, 16_000)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return utterances


def _cut(utterances: list[Utterance]) -> list[Utterance]:
    return [Utterance(u.path, u.emotion, clip=u.clip, end_s=0.3) for u in utterances]


@pytest.mark.parametrize("change", [_touched, _lengthened, _cut, lambda u: u[::-1], lambda u: u[:-1]])
def test_another_sound_makes_new_features(
    utterances: list[Utterance],
    tmp_path: Path,
    measured: list[int],
    change: Callable[[list[Utterance]], list[Utterance]],
) -> None:
    load_features(utterances, 0, tmp_path)
    load_features(change(utterances), 0, tmp_path)
    assert measured == [0, 0]


def test_another_front_end_makes_new_features(
    utterances: list[Utterance], tmp_path: Path, measured: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_features(utterances, 0, tmp_path / "cache")
    package = Path(prepare_module.__file__).parents[1]
    for room in ("audio", "features"):
        shutil.copytree(package / room, tmp_path / "other" / room)
    monkeypatch.setattr(fingerprint, "PACKAGE", tmp_path / "other")
    load_features(utterances, 0, tmp_path / "cache")
    assert measured == [0], "the same code elsewhere is the same code"
    for count, file in enumerate(("features/mel.py", "audio/read.py"), start=2):
        (tmp_path / "other" / file).write_bytes((package / file).read_bytes() + b"\n")
        load_features(utterances, 0, tmp_path / "cache")
        assert measured == [0] * count, f"{file} is another one"


def test_damaged_features_are_measured_again(utterances: list[Utterance], tmp_path: Path, measured: list[int]) -> None:
    expected = load_features(utterances, 0, tmp_path)
    (kept,) = tmp_path.rglob("*.safetensors")
    kept.write_bytes(kept.read_bytes()[:1000])
    found = load_features(utterances, 0, tmp_path)
    assert measured == [0, 0]
    np.testing.assert_array_equal(found.clip(3).tracks, expected.clip(3).tracks)


def test_variations_differ_from_the_clean_clip_and_from_each_other(utterances: list[Utterance], tmp_path: Path) -> None:
    store = load_features(utterances, 2, tmp_path)
    lengths = np.array([[len(store.clip(i, v).tracks) for v in range(3)] for i in range(CLIPS)])
    assert (lengths[:, 1] != lengths[:, 0]).any() and (lengths[:, 2] != lengths[:, 1]).any()
    assert len(set((lengths[:, 1] / lengths[:, 0]).round(2))) > 1, "each clip is varied in its own way"
    assert store.clip(0, 1).log_mel.dtype == np.float16


def test_files_that_cannot_be_read_are_named_and_counted(utterances: list[Utterance], tmp_path: Path) -> None:
    for index in (1, 3):
        utterances[index].path.write_text("no sound")
    with pytest.raises(CorpusError, match=r"(?s)^2 of 5 clips cannot be read.*1\.wav.*3\.wav"):
        load_features(utterances, 0, tmp_path)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_missing_file_is_named(utterances: list[Utterance], tmp_path: Path) -> None:
    utterances[4].path.unlink()
    with pytest.raises(CorpusError, match=r"4\.wav: cannot be read: No such file"):
        load_features(utterances, 0, tmp_path)


def test_a_cache_that_cannot_be_written(utterances: list[Utterance], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(OvertoneError, match="cannot write"):
        load_features(utterances, 0, tmp_path / "cache")


def test_progress_is_told_of_every_clip(utterances: list[Utterance], tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    load_features(utterances, 1, tmp_path, lambda *step: told.append(step))
    steps = [(done, CLIPS) for done in range(1, CLIPS + 1)]
    assert [step[:2] for step in told] == 3 * steps
    assert [text for _, _, text in told[::CLIPS]] == ["reading", "measuring version 0", "measuring version 1"]


def test_cache_lies_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "overtone"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == Path.home() / ".cache" / "overtone"


@pytest.mark.parametrize(("margin", "kept"), [(0, (10, 15)), (3, (7, 18)), (50, (0, 40))])
def test_silence_around_the_speech_is_cut_to_the_margin(margin: int, kept: tuple[int, int]) -> None:
    tracks = np.full((40, 3), -60.0, np.float32)
    tracks[[10, 14], 2] = -20
    tracks[:, 0] = np.arange(40)
    clip = ClipFeatures(np.zeros((40, 64), np.float32), tracks, np.zeros(3, np.float32))
    found = clip.around_speech(margin)
    assert found.tracks[:, 0].tolist() == list(range(*kept))
    assert len(found.log_mel) == len(found.tracks)
