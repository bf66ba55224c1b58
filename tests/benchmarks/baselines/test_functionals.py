"""Functionals are extracted once per audio content and feature set; `opensmile` is replaced by a fake."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.baselines.functionals import extract_functionals
from overtone.datatypes import SAMPLE_RATE_HZ, Utterance
from overtone.errors import AudioError, CorpusError, MissingExtraError


class Smile:
    """Returns the peak, the number of samples and the rate; records the length of each clip."""

    processed: list[int]

    def __init__(self, feature_set: str) -> None:
        self.feature_set = feature_set

    def process_signal(self, samples: np.ndarray, rate_hz: int) -> np.ndarray:
        Smile.processed.append(len(samples))
        return np.array([[np.abs(samples).max() or np.nan, len(samples), rate_hz]])


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    fake = SimpleNamespace(__version__="2.6.0", FeatureSet={"small": "s", "large": "l"}, Smile=Smile)
    monkeypatch.setitem(sys.modules, "opensmile", fake)
    monkeypatch.setattr(Smile, "processed", [], raising=False)
    return fake


def clip(path: Path, peak: float, length_s: float, **fields: float) -> Utterance:
    samples = np.zeros(int(length_s * SAMPLE_RATE_HZ))
    samples[100] = peak
    soundfile.write(path, samples, SAMPLE_RATE_HZ)
    return Utterance(path, "sad", speaker="1", **fields)


@pytest.fixture
def clips(tmp_path: Path) -> list[Utterance]:
    return [clip(tmp_path / "a.wav", 0.5, 0.5), clip(tmp_path / "b.wav", 0.25, 0.25)]


def test_a_row_per_clip_at_16_khz(clips: list[Utterance], tmp_path: Path) -> None:
    progress = []
    features = extract_functionals(clips, "small", tmp_path / "cache", lambda *step: progress.append(step))
    np.testing.assert_array_equal(features, [[0.5, 8000, 16_000], [0.25, 4000, 16_000]])
    assert features.dtype == np.float32
    assert progress == [(1, 2, "small"), (2, 2, "small")]


def test_cached_rows_are_not_extracted_again(clips: list[Utterance], tmp_path: Path) -> None:
    first = extract_functionals(clips, "small", tmp_path / "cache")
    moved = [Utterance(clip.path.rename(tmp_path / f"moved-{clip.path.name}"), "angry") for clip in clips[::-1]]
    np.testing.assert_array_equal(extract_functionals(moved, "small", tmp_path / "cache"), first[::-1])
    assert len(Smile.processed) == 2


def test_any_change_that_affects_a_row_invalidates_the_cache(
    clips: list[Utterance], tmp_path: Path, package: SimpleNamespace
) -> None:
    def count_extracted(utterances: list[Utterance], feature_set: str = "small") -> int:
        Smile.processed.clear()
        extract_functionals(utterances, feature_set, tmp_path / "cache")
        return len(Smile.processed)

    assert count_extracted(clips) == 2
    assert count_extracted(clips, "large") == 2
    assert count_extracted([Utterance(clips[0].path, "sad", end_s=0.1)]) == 1
    assert count_extracted([clip(clips[0].path, 0.75, 0.5), clips[1]]) == 1
    package.__version__ = "2.7.0"
    assert count_extracted(clips) == 2


def test_a_damaged_cache_file_is_replaced(clips: list[Utterance], tmp_path: Path) -> None:
    first = extract_functionals(clips[:1], "small", tmp_path / "cache")
    (cached,) = (tmp_path / "cache").iterdir()
    content = cached.read_bytes()
    for damaged in (b"", content[:-30], content[:40]):
        cached.write_bytes(damaged)
        np.testing.assert_array_equal(extract_functionals(clips[:1], "small", tmp_path / "cache"), first)
    assert len(Smile.processed) == 4
    assert cached.read_bytes() == content


def test_bad_clips_are_named(clips: list[Utterance], tmp_path: Path) -> None:
    silent = clip(tmp_path / "silent.wav", 0.0, 0.5)
    with pytest.raises(CorpusError, match=r"silent.wav: openSMILE returns no finite functionals"):
        extract_functionals([*clips, silent], "small", tmp_path / "cache")
    with pytest.raises(CorpusError, match=r"absent.wav: cannot be read"):
        extract_functionals([Utterance(tmp_path / "absent.wav", "sad")], "small", tmp_path / "cache")
    (tmp_path / "text.wav").write_text("not audio")
    with pytest.raises(AudioError, match=r"text.wav"):
        extract_functionals([Utterance(tmp_path / "text.wav", "sad")], "small", tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_without_opensmile_the_error_names_the_extra(
    clips: list[Utterance], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(MissingExtraError, match=r"need opensmile: pip install 'overtone\[baselines\]'"):
        extract_functionals(clips, "small", tmp_path / "cache")
