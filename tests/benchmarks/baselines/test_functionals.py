"""Functionals: measured once per sound and feature set, whatever else; `opensmile` is played by a stand-in."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.baselines.functionals import functionals
from overtone.datatypes import SAMPLE_RATE_HZ, Utterance
from overtone.errors import AudioError, CorpusError, MissingExtraError


class Smile:
    """Finds the peak, the number of samples and the rate; tells what it was given."""

    heard: list[int]

    def __init__(self, feature_set: str) -> None:
        self.feature_set = feature_set

    def process_signal(self, samples: np.ndarray, rate_hz: int) -> np.ndarray:
        Smile.heard.append(len(samples))
        return np.array([[np.abs(samples).max() or np.nan, len(samples), rate_hz]])


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    stand_in = SimpleNamespace(__version__="2.6.0", FeatureSet={"small": "s", "large": "l"}, Smile=Smile)
    monkeypatch.setitem(sys.modules, "opensmile", stand_in)
    monkeypatch.setattr(Smile, "heard", [], raising=False)
    return stand_in


def clip(path: Path, peak: float, length_s: float, **more: float) -> Utterance:
    samples = np.zeros(int(length_s * SAMPLE_RATE_HZ))
    samples[100] = peak
    soundfile.write(path, samples, SAMPLE_RATE_HZ)
    return Utterance(path, "sad", speaker="1", **more)


@pytest.fixture
def clips(tmp_path: Path) -> list[Utterance]:
    return [clip(tmp_path / "a.wav", 0.5, 0.5), clip(tmp_path / "b.wav", 0.25, 0.25)]


def test_a_row_per_clip_at_16_khz(clips: list[Utterance], tmp_path: Path) -> None:
    told = []
    found = functionals(clips, "small", tmp_path / "kept", lambda *step: told.append(step))
    np.testing.assert_array_equal(found, [[0.5, 8000, 16_000], [0.25, 4000, 16_000]])
    assert found.dtype == np.float32
    assert told == [(1, 2, "small"), (2, 2, "small")]


def test_what_is_kept_is_not_measured_again(clips: list[Utterance], tmp_path: Path) -> None:
    first = functionals(clips, "small", tmp_path / "kept")
    moved = [Utterance(clip.path.rename(tmp_path / f"moved-{clip.path.name}"), "angry") for clip in clips[::-1]]
    np.testing.assert_array_equal(functionals(moved, "small", tmp_path / "kept"), first[::-1])
    assert len(Smile.heard) == 2


def test_whatever_changes_a_row_is_measured_anew(
    clips: list[Utterance], tmp_path: Path, package: SimpleNamespace
) -> None:
    def heard(utterances: list[Utterance], feature_set: str = "small") -> int:
        Smile.heard.clear()
        functionals(utterances, feature_set, tmp_path / "kept")
        return len(Smile.heard)

    assert heard(clips) == 2
    assert heard(clips, "large") == 2
    assert heard([Utterance(clips[0].path, "sad", end_s=0.1)]) == 1
    assert heard([clip(clips[0].path, 0.75, 0.5), clips[1]]) == 1
    package.__version__ = "2.7.0"
    assert heard(clips) == 2


def test_a_damaged_file_is_measured_again(clips: list[Utterance], tmp_path: Path) -> None:
    first = functionals(clips[:1], "small", tmp_path / "kept")
    (kept,) = (tmp_path / "kept").iterdir()
    whole = kept.read_bytes()
    for damaged in (b"", whole[:-30], whole[:40]):
        kept.write_bytes(damaged)
        np.testing.assert_array_equal(functionals(clips[:1], "small", tmp_path / "kept"), first)
    assert len(Smile.heard) == 4
    assert kept.read_bytes() == whole


def test_bad_clips_are_named(clips: list[Utterance], tmp_path: Path) -> None:
    silent = clip(tmp_path / "silent.wav", 0.0, 0.5)
    with pytest.raises(CorpusError, match=r"silent.wav: openSMILE finds no functionals"):
        functionals([*clips, silent], "small", tmp_path / "kept")
    with pytest.raises(CorpusError, match=r"absent.wav: cannot be read"):
        functionals([Utterance(tmp_path / "absent.wav", "sad")], "small", tmp_path / "kept")
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(AudioError, match=r"text.wav"):
        functionals([Utterance(tmp_path / "text.wav", "sad")], "small", tmp_path / "kept")
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_without_opensmile_it_says_what_to_install(
    clips: list[Utterance], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(MissingExtraError, match=r"need opensmile: pip install 'overtone\[baselines\]'"):
        functionals(clips, "small", tmp_path / "kept")
