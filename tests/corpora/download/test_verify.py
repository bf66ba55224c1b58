"""Every fault of a corpus folder is listed by name; the real corpus is as published."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from overtone.audio.decode import read
from overtone.corpora import emodb, ravdess
from overtone.corpora.download.verify import verify
from overtone.errors import CorpusError

RATE_HZ = 48_000
FIRST, SECOND, THIRD = (f"Actor_01/03-01-0{emotion}-01-01-01-01" for emotion in (1, 2, 3))


def write_clip(folder: Path, clip: str, samples: np.ndarray, *, suffix: str = ".wav") -> Path:
    """Write an audio file of the corpus, 16 bit."""
    path = folder / (clip + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    # integers, as libsndfile rounds floats differently for WAV and FLAC
    soundfile.write(path, (samples * 2**15).astype(np.int16), RATE_HZ)
    return path


@pytest.fixture
def make_noise(rng: np.random.Generator):
    """A function that returns different noise at every call."""
    return lambda *shape: rng.uniform(-0.5, 0.5, shape or (4800,))


def test_present_and_missing_clips(tmp_path: Path, make_noise) -> None:
    write_clip(tmp_path, FIRST, make_noise())
    write_clip(tmp_path, SECOND, make_noise(), suffix=".flac")
    result = verify("ravdess", tmp_path, read)
    assert result.clips == 2
    assert result.missing == tuple(sorted(ravdess.clips_expected() - {FIRST, SECOND}))
    assert not result.complete
    assert (result.surplus, result.unreadable, result.duplicates, result.stereo) == ((), (), (), ())


def test_surplus_files_are_listed_with_the_reason(tmp_path: Path, make_noise) -> None:
    copied = make_noise()
    write_clip(tmp_path, FIRST, copied)
    write_clip(tmp_path / "again", FIRST, copied)
    write_clip(tmp_path, "Actor_01/03-02-01-01-01-01-01", make_noise())
    assert verify("ravdess", tmp_path, read).surplus == (
        "Actor_01/03-02-01-01-01-01-01.wav (song)",
        f"again/{FIRST}.wav (same clip twice)",
    )


def test_duplicates_are_detected_across_formats(tmp_path: Path, make_noise) -> None:
    same = make_noise()
    write_clip(tmp_path, FIRST, same)
    write_clip(tmp_path, SECOND, make_noise())
    write_clip(tmp_path, THIRD, same, suffix=".flac")
    assert verify("ravdess", tmp_path, read).duplicates == ((FIRST, THIRD),)


def test_one_different_sample_is_not_a_duplicate(tmp_path: Path, make_noise) -> None:
    noise = make_noise()
    changed = noise.copy()
    changed[2000] += 2 / 2**15
    write_clip(tmp_path, FIRST, noise)
    write_clip(tmp_path, SECOND, changed)
    assert verify("ravdess", tmp_path, read).duplicates == ()


def test_stereo_clips_are_listed(tmp_path: Path, make_noise) -> None:
    write_clip(tmp_path, FIRST, make_noise())
    write_clip(tmp_path, SECOND, make_noise(4800, 2))
    assert verify("ravdess", tmp_path, read).stereo == (SECOND,)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_damaged_clips_are_listed_and_the_others_still_checked(tmp_path: Path, make_noise, suffix: str) -> None:
    same = make_noise()
    write_clip(tmp_path, FIRST, same)
    truncated = write_clip(tmp_path, SECOND, make_noise(), suffix=suffix)
    truncated.write_bytes(truncated.read_bytes()[:5000])
    write_clip(tmp_path, THIRD, same)
    write_clip(tmp_path, "Actor_02/03-01-01-01-01-01-02", make_noise()).write_text("not audio")
    result = verify("ravdess", tmp_path, read)
    assert [line.split(":")[0] for line in result.unreadable] == [SECOND, "Actor_02/03-01-01-01-01-01-02"]
    assert result.duplicates == ((FIRST, THIRD),)
    assert result.clips == 4


def test_complete_means_nothing_missing_and_nothing_unreadable(tmp_path: Path, make_noise, monkeypatch) -> None:
    path = write_clip(tmp_path, FIRST, make_noise(4800, 2))
    monkeypatch.setattr(ravdess, "clips_expected", lambda: frozenset({FIRST}))
    assert verify("ravdess", tmp_path, read).complete
    path.write_bytes(b"")
    assert not verify("ravdess", tmp_path, read).complete


def test_too_few_clips_are_incomplete_where_only_their_number_is_known(tmp_path: Path, make_noise, monkeypatch) -> None:
    write_clip(tmp_path, "wav/03a01Fa", make_noise())
    result = verify("emodb", tmp_path, read)
    assert (result.clips, result.expected, result.missing, result.complete) == (1, 535, (), False)
    monkeypatch.setattr(emodb, "INFO", replace(emodb.INFO, clips=1))
    assert verify("emodb", tmp_path, read).complete


def test_a_table_of_intervals(tmp_path: Path, make_noise) -> None:
    write_clip(tmp_path, "long", np.tile(make_noise(), 10))  # one second: the same tenth ten times
    rows = ("long.wav,sad,0,0.5", "long.wav,sad,0.5,1", "long.wav,calm,0.3,0.45", "long.wav,calm,0.5,3")
    (tmp_path / "table.csv").write_text("\n".join(("path,emotion,start_s,end_s", *rows)))
    result = verify("manifest", tmp_path / "table.csv", read)
    assert (result.clips, result.missing, result.surplus) == (4, (), ())
    assert result.duplicates == (("long#0.000-0.500", "long#0.500-1.000"),)
    assert len(result.unreadable) == 1
    assert result.unreadable[0].startswith("long#0.500-3.000: ")


def test_progress_counts_clips(tmp_path: Path, make_noise) -> None:
    write_clip(tmp_path, FIRST, make_noise())
    write_clip(tmp_path, SECOND, make_noise())
    calls: list[tuple[int, int, str]] = []
    verify("ravdess", tmp_path, read, lambda *step: calls.append(step))
    assert calls == [(1, 2, FIRST), (2, 2, SECOND)]


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no RAVDESS clip"):
        verify("ravdess", tmp_path, read)


def test_importing_verify_does_not_import_soundfile() -> None:
    code = "import sys; from overtone.corpora.download import corpus, verify; print('soundfile' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


@pytest.mark.slow
def test_the_published_corpus_has_one_duplicate_pair_and_five_stereo_files(ravdess_folder: Path) -> None:
    result = verify("ravdess", ravdess_folder, read)
    assert result.complete
    assert (result.clips, result.missing, result.surplus, result.unreadable) == (1440, (), (), ())
    assert result.duplicates == (("Actor_07/03-01-03-01-02-01-07", "Actor_07/03-01-03-01-02-02-07"),)
    assert result.stereo == (
        "Actor_01/03-01-02-01-01-02-01",
        "Actor_01/03-01-08-01-02-02-01",
        "Actor_05/03-01-02-01-02-02-05",
        "Actor_20/03-01-03-01-02-01-20",
        "Actor_20/03-01-06-01-01-02-20",
    )
