"""What is wrong with a corpus folder is found, each thing by name; the real corpus is as it was published."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from overtone.corpora import emodb, ravdess
from overtone.corpora.download.verify import verify
from overtone.errors import CorpusError

RATE_HZ = 48_000
FIRST, SECOND, THIRD = (f"Actor_01/03-01-0{emotion}-01-01-01-01" for emotion in (1, 2, 3))


def put(folder: Path, clip: str, samples: np.ndarray, *, suffix: str = ".wav") -> Path:
    """A sound file of the corpus, 16 bit."""
    path = folder / (clip + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    # libsndfile rounds floats differently into WAV and FLAC: integers go in as they are
    soundfile.write(path, (samples * 2**15).astype(np.int16), RATE_HZ)
    return path


@pytest.fixture
def sound(rng: np.random.Generator):
    """A function that makes another noise at every call."""
    return lambda *shape: rng.uniform(-0.5, 0.5, shape or (4800,))


def test_what_is_there_and_what_is_missing(tmp_path: Path, sound) -> None:
    put(tmp_path, FIRST, sound())
    put(tmp_path, SECOND, sound(), suffix=".flac")
    found = verify("ravdess", tmp_path)
    assert found.clips == 2
    assert found.missing == tuple(sorted(ravdess.clips_expected() - {FIRST, SECOND}))
    assert not found.whole
    assert (found.surplus, found.unreadable, found.duplicates, found.stereo) == ((), (), (), ())


def test_surplus_files_are_named_with_the_reason(tmp_path: Path, sound) -> None:
    put(tmp_path, FIRST, sound())
    put(tmp_path / "again", FIRST, sound())
    put(tmp_path, "Actor_01/03-02-01-01-01-01-01", sound())
    assert verify("ravdess", tmp_path).surplus == (
        "Actor_01/03-02-01-01-01-01-01.wav (song)",
        f"again/{FIRST}.wav (same clip twice)",
    )


def test_duplicates_are_found_across_formats(tmp_path: Path, sound) -> None:
    same = sound()
    put(tmp_path, FIRST, same)
    put(tmp_path, SECOND, sound())
    put(tmp_path, THIRD, same, suffix=".flac")
    assert verify("ravdess", tmp_path).duplicates == ((FIRST, THIRD),)


def test_one_other_sample_is_no_duplicate(tmp_path: Path, sound) -> None:
    one = sound()
    other = one.copy()
    other[2000] += 2 / 2**15
    put(tmp_path, FIRST, one)
    put(tmp_path, SECOND, other)
    assert verify("ravdess", tmp_path).duplicates == ()


def test_stereo_is_found(tmp_path: Path, sound) -> None:
    put(tmp_path, FIRST, sound())
    put(tmp_path, SECOND, sound(4800, 2))
    assert verify("ravdess", tmp_path).stereo == (SECOND,)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_damaged_clips_are_found_and_the_others_still_looked_at(tmp_path: Path, sound, suffix: str) -> None:
    same = sound()
    put(tmp_path, FIRST, same)
    cut = put(tmp_path, SECOND, sound(), suffix=suffix)
    cut.write_bytes(cut.read_bytes()[:5000])
    put(tmp_path, THIRD, same)
    put(tmp_path, "Actor_02/03-01-01-01-01-01-02", sound()).write_text("no sound at all")
    found = verify("ravdess", tmp_path)
    assert [line.split(":")[0] for line in found.unreadable] == [SECOND, "Actor_02/03-01-01-01-01-01-02"]
    assert found.duplicates == ((FIRST, THIRD),)
    assert found.clips == 4


def test_whole_means_nothing_missing_and_nothing_unreadable(tmp_path: Path, sound, monkeypatch) -> None:
    path = put(tmp_path, FIRST, sound(4800, 2))
    monkeypatch.setattr(ravdess, "clips_expected", lambda: frozenset({FIRST}))
    assert verify("ravdess", tmp_path).whole
    path.write_bytes(b"")
    assert not verify("ravdess", tmp_path).whole


def test_where_clips_are_only_counted_too_few_are_not_whole(tmp_path: Path, sound, monkeypatch) -> None:
    put(tmp_path, "wav/03a01Fa", sound())
    found = verify("emodb", tmp_path)
    assert (found.clips, found.expected, found.missing, found.whole) == (1, 535, (), False)
    monkeypatch.setattr(emodb, "ABOUT", replace(emodb.ABOUT, clips=1))
    assert verify("emodb", tmp_path).whole


def test_a_table_of_stretches(tmp_path: Path, sound) -> None:
    put(tmp_path, "long", np.tile(sound(), 10))  # one second: ten times the same tenth
    rows = ("long.wav,sad,0,0.5", "long.wav,sad,0.5,1", "long.wav,calm,0.3,0.45", "long.wav,calm,0.5,3")
    (tmp_path / "table.csv").write_text("\n".join(("path,emotion,start_s,end_s", *rows)))
    found = verify("manifest", tmp_path / "table.csv")
    assert (found.clips, found.missing, found.surplus) == (4, (), ())
    assert found.duplicates == (("long#0.000-0.500", "long#0.500-1.000"),)
    assert len(found.unreadable) == 1
    assert found.unreadable[0].startswith("long#0.500-3.000: ")


def test_progress_counts_clips(tmp_path: Path, sound) -> None:
    put(tmp_path, FIRST, sound())
    put(tmp_path, SECOND, sound())
    told: list[tuple[int, int, str]] = []
    verify("ravdess", tmp_path, lambda *step: told.append(step))
    assert told == [(1, 2, FIRST), (2, 2, SECOND)]


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no RAVDESS speech clip"):
        verify("ravdess", tmp_path)


def test_importing_the_tasks_opens_no_sound_library() -> None:
    code = "import sys; from overtone.corpora.download import download, verify; print('soundfile' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


@pytest.mark.slow
def test_the_published_corpus_has_one_duplicate_pair_and_five_stereo_files(ravdess_folder: Path) -> None:
    found = verify("ravdess", ravdess_folder)
    assert found.whole
    assert (found.clips, found.missing, found.surplus, found.unreadable) == (1440, (), (), ())
    assert found.duplicates == (("Actor_07/03-01-03-01-02-01-07", "Actor_07/03-01-03-01-02-02-07"),)
    assert found.stereo == (
        "Actor_01/03-01-02-01-01-02-01",
        "Actor_01/03-01-08-01-02-02-01",
        "Actor_05/03-01-02-01-02-02-05",
        "Actor_20/03-01-03-01-02-01-20",
        "Actor_20/03-01-06-01-01-02-20",
    )
