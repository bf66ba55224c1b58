"""Features of utterances: computed once, and cached under a name that depends on the audio files and the code."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_training
import torch
from synthetic_audio import frame_count
from torch import nn

from overtone._internal import fingerprint
from overtone._internal.progress import Progress
from overtone.audio.decode import read
from overtone.datatypes import Utterance, Waveform
from overtone.errors import CorpusError, OvertoneError
from overtone.features.front_end import ExtraFeature, FrontEnd
from overtone.features.high_pass import HighPass
from overtone.training import feature_cache, feature_extraction
from overtone.training.feature_cache import Arrays, ClipFeatures, load_features

CLIPS = 5


@pytest.fixture
def utterances(tmp_path: Path) -> list[Utterance]:
    """Return utterances in audio files of different lengths."""
    clips = []
    for index in range(CLIPS):
        path = tmp_path / "audio" / f"{index}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, tiny_training.waveform(index).samples[: 6000 + 500 * index], 16_000)
        clips.append(Utterance(path, tiny_training.EMOTIONS[index % 2], clip=str(index)))
    return clips


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that receives every version whose features are computed rather than read from the cache."""
    versions: list[int] = []
    extract = feature_cache.extract

    def recording_extract(
        waveforms: list[Waveform],
        version: int,
        progress: Progress,
        extra: Mapping[str, ExtraFeature],
        speakers: list[str],
    ) -> Arrays:
        versions.append(version)
        return extract(waveforms, version, progress, extra, speakers)

    monkeypatch.setattr(feature_cache, "extract", recording_extract)
    return versions


def test_features_equal_those_of_the_front_end(utterances: list[Utterance], tmp_path: Path) -> None:
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


def test_intervals_of_a_file_are_clips(utterances: list[Utterance], tmp_path: Path) -> None:
    path = utterances[0].path
    intervals = [Utterance(path, "sad", start_s=0.1, end_s=0.3), Utterance(path, "sad", start_s=0.2)]
    store = load_features(intervals, 0, tmp_path)
    assert len(store.clip(0).tracks) == frame_count(3200)
    assert len(store.clip(1).tracks) == frame_count(6000 - 3200)


@pytest.fixture
def call(tmp_path: Path) -> list[Utterance]:
    """Return both sides of a call, and their mean."""
    sides = [tiny_training.waveform(index).samples[:8000] for index in range(2)]
    soundfile.write(tmp_path / "call.wav", np.stack(sides, 1), 16_000)
    return [Utterance(tmp_path / "call.wav", "sad", clip=f"call#{name}", channel=name) for name in ("left", "2", "")]


def test_channels_of_a_file_are_clips(call: list[Utterance], tmp_path: Path) -> None:
    store = load_features(call, 0, tmp_path)
    samples, _ = soundfile.read(call[0].path, dtype="float32")
    for index, mono in enumerate((samples[:, 0], samples[:, 1], samples.mean(axis=1))):
        soundfile.write(tmp_path / f"{index}.wav", mono, 16_000, "FLOAT")
        expected = load_features([Utterance(tmp_path / f"{index}.wav", "sad")], 0, tmp_path)
        np.testing.assert_array_equal(store.clip(index).log_mel, expected.clip(0).log_mel)


def test_a_channel_is_part_of_the_cache_key(call: list[Utterance], tmp_path: Path, computed: list[int]) -> None:
    for count, (first, second) in enumerate([("left", ""), ("right", ""), ("right", "left")], 1):
        pair = [replace(call[0], channel=first), replace(call[1], channel=second)]
        for _ in range(2):
            load_features(pair, 0, tmp_path)
            assert computed == [0] * count


def test_without_a_channel_the_cache_key_is_that_of_earlier_versions(
    call: list[Utterance], monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(feature_cache, "fingerprint", lambda *_, more: hashed.append(more) or "key")
    feature_cache._cache_key([replace(call[2], speaker="anna")], {})
    stat = call[2].path.stat()
    assert hashed == [repr(([("call#", stat.st_size, stat.st_mtime_ns, 0.0, None, "anna")], []))]


def test_a_channel_that_a_clip_lacks_is_an_error(utterances: list[Utterance], tmp_path: Path) -> None:
    utterances[1] = replace(utterances[1], channel="right")
    with pytest.raises(CorpusError, match=r"1\.wav: has 1 channel, so there is no right channel"):
        load_features(utterances, 0, tmp_path)


def test_cached_features_are_reused(utterances: list[Utterance], tmp_path: Path, computed: list[int]) -> None:
    first = load_features(utterances, 2, tmp_path)
    assert computed == [0, 1, 2]
    again = load_features(utterances, 2, tmp_path)
    assert computed == [0, 1, 2]
    for index in range(CLIPS):
        for version in range(3):
            np.testing.assert_array_equal(first.clip(index, version).log_mel, again.clip(index, version).log_mel)
    load_features(utterances, 3, tmp_path)
    assert computed == [0, 1, 2, 3]
    assert not list(tmp_path.rglob("*.part"))
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "features").iterdir()} == {0o644}


def _with_new_time(utterances: list[Utterance]) -> list[Utterance]:
    os.utime(utterances[2].path, ns=(1, 1))
    return utterances


def _with_new_size(utterances: list[Utterance]) -> list[Utterance]:
    path = utterances[2].path
    before = path.stat()
    soundfile.write(path, np.ones(7777) / 8, 16_000)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return utterances


def _shortened(utterances: list[Utterance]) -> list[Utterance]:
    return [Utterance(u.path, u.emotion, clip=u.clip, end_s=0.3) for u in utterances]


@pytest.mark.parametrize("change", [_with_new_time, _with_new_size, _shortened, lambda u: u[::-1], lambda u: u[:-1]])
def test_changed_audio_is_computed_again(
    utterances: list[Utterance],
    tmp_path: Path,
    computed: list[int],
    change: Callable[[list[Utterance]], list[Utterance]],
) -> None:
    load_features(utterances, 0, tmp_path)
    load_features(change(utterances), 0, tmp_path)
    assert computed == [0, 0]


def test_changed_code_is_computed_again(
    utterances: list[Utterance], tmp_path: Path, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_features(utterances, 0, tmp_path / "cache")
    package = Path(feature_cache.__file__).parents[1]
    for folder in ("audio", "features"):
        shutil.copytree(package / folder, tmp_path / "other" / folder)
    shutil.copy(package / "channels.py", tmp_path / "other")
    monkeypatch.setattr(fingerprint, "PACKAGE", tmp_path / "other")
    load_features(utterances, 0, tmp_path / "cache")
    assert computed == [0], "the location of the code does not matter"
    for count, file in enumerate(("features/mel.py", "audio/decode.py"), start=2):
        (tmp_path / "other" / file).write_bytes((package / file).read_bytes() + b"\n")
        load_features(utterances, 0, tmp_path / "cache")
        assert computed == [0] * count, f"{file} has changed"


def test_damaged_features_are_computed_again(utterances: list[Utterance], tmp_path: Path, computed: list[int]) -> None:
    expected = load_features(utterances, 0, tmp_path)
    (file,) = tmp_path.rglob("*.safetensors")
    file.write_bytes(file.read_bytes()[:1000])
    found = load_features(utterances, 0, tmp_path)
    assert computed == [0, 0]
    np.testing.assert_array_equal(found.clip(3).tracks, expected.clip(3).tracks)


def test_augmented_versions_differ_from_the_clean_clip_and_from_each_other(
    utterances: list[Utterance], tmp_path: Path
) -> None:
    store = load_features(utterances, 2, tmp_path)
    lengths = np.array([[len(store.clip(i, v).tracks) for v in range(3)] for i in range(CLIPS)])
    assert (lengths[:, 1] != lengths[:, 0]).any() and (lengths[:, 2] != lengths[:, 1]).any()
    assert len(set((lengths[:, 1] / lengths[:, 0]).round(2))) > 1, "each clip has its own augmentation"
    assert store.clip(0, 1).log_mel.dtype == np.float16


def test_voices_in_the_background_are_of_the_same_speaker(
    utterances: list[Utterance], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speakers = [("one", "a"), ("one", "a"), ("one", ""), ("one", ""), ("two", "a")]
    clips = [replace(u, corpus=c, speaker=s) for u, (c, s) in zip(utterances, speakers, strict=True)]
    lengths = [len(read(clip.path).samples) for clip in clips]
    found = []

    def recording_augment(samples: np.ndarray, rng: np.random.Generator, others: list[np.ndarray]) -> np.ndarray:
        found.append([lengths.index(len(other)) for other in others])
        return samples

    monkeypatch.setattr(feature_extraction, "augment_waveform", recording_augment)
    load_features(clips, 1, tmp_path)
    assert found == [[1], [0], [], [], []], "test speakers must not be in training audio"


def test_files_that_cannot_be_read_are_named_and_counted(utterances: list[Utterance], tmp_path: Path) -> None:
    for index in (1, 3):
        utterances[index].path.write_text("not audio")
    with pytest.raises(CorpusError, match=r"(?s)^2 of 5 clips cannot be read.*1\.wav.*3\.wav"):
        load_features(utterances, 0, tmp_path)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_missing_file_is_named(utterances: list[Utterance], tmp_path: Path) -> None:
    utterances[4].path.unlink()
    with pytest.raises(CorpusError, match=r"4\.wav: cannot be read: No such file"):
        load_features(utterances, 0, tmp_path)


def test_a_cache_that_cannot_be_written_is_an_error(utterances: list[Utterance], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(OvertoneError, match="cannot write"):
        load_features(utterances, 0, tmp_path / "cache")


def test_progress_is_reported_for_every_clip(utterances: list[Utterance], tmp_path: Path) -> None:
    calls: list[tuple[int, int, str]] = []
    load_features(utterances, 1, tmp_path, lambda *call: calls.append(call))
    counts = [(done, CLIPS) for done in range(1, CLIPS + 1)]
    assert [call[:2] for call in calls] == 3 * counts
    texts = [text for _, _, text in calls[::CLIPS]]
    assert texts == ["reading", "computing features, version 0", "computing features, version 1"]


@pytest.mark.parametrize(("margin", "span"), [(0, (10, 15)), (3, (7, 18)), (50, (0, 40))])
def test_silence_around_the_speech_is_cropped_to_the_margin(margin: int, span: tuple[int, int]) -> None:
    tracks = np.full((40, 3), -60.0, np.float32)
    tracks[[10, 14], 2] = -20
    tracks[:, 0] = np.arange(40)
    clip = ClipFeatures(np.zeros((40, 64), np.float32), tracks, np.zeros(3, np.float32))
    found = clip.around_speech(margin)
    assert found.tracks[:, 0].tolist() == list(range(*span))
    assert len(found.log_mel) == len(found.tracks)


class SampleMean(nn.Module):
    """Mean of each block of 400 samples, `(batch, frames, 1)`."""

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        return nn.functional.avg_pool1d(waveform[:, None], 400).transpose(1, 2)


def test_extra_features_are_cached_with_the_shared_ones(
    utterances: list[Utterance], tmp_path: Path, computed: list[int]
) -> None:
    extra = {"mean": ExtraFeature(SampleMean, hop_samples=400)}
    shared = load_features(utterances, 0, tmp_path)
    first = load_features(utterances, 0, tmp_path, extra=extra)
    again = load_features(utterances, 0, tmp_path, extra=extra)
    assert computed == [0, 0], "features without the extra one are another file"
    assert not shared.extra and again.extra == extra
    for index, utterance in enumerate(utterances):
        samples = read(utterance.path).samples
        with torch.inference_mode():  # as the front end does for all features
            filtered = HighPass()(torch.from_numpy(samples - samples.mean())[None])[0].numpy()
        expected = filtered[: len(samples) // 400 * 400].reshape(-1, 400).mean(1)
        for store in (first, again):
            np.testing.assert_allclose(store.clip(index).extra["mean"][:, 0], expected, atol=1e-6)
            np.testing.assert_array_equal(store.clip(index).tracks, shared.clip(index).tracks)
        assert not shared.clip(index).extra
