"""Clips that cannot be trained on are named before anything is computed."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from synthetic_audio import RATE_HZ, voice

from overtone.datatypes import Utterance
from overtone.errors import CorpusError
from overtone.training.own_clips import check_audio, check_labels


def write(path: Path, samples: np.ndarray, emotion: str = "sad", **fields: object) -> Utterance:
    """Write a clip; return it as an utterance."""
    soundfile.write(path, samples, RATE_HZ)
    return Utterance(path, emotion, clip=path.stem, **fields)  # type: ignore[arg-type]


def labelled(**counts: int) -> list[Utterance]:
    return [Utterance(Path(f"{name}-{k}.wav"), name) for name, count in counts.items() for k in range(count)]


def test_classes_need_two_clips_each_and_ten_in_all() -> None:
    assert check_labels(labelled(sad=5, happy=5)) == ("happy", "sad")
    with pytest.raises(CorpusError, match="at least two emotions, got sad"):
        check_labels(labelled(sad=12))
    with pytest.raises(CorpusError, match=r"only one clip of angry, bored, as angry-0\.wav: add clips of each"):
        check_labels(labelled(sad=9, happy=9, angry=1, bored=1))
    with pytest.raises(CorpusError, match="9 clips are too few to train on: provide at least 10"):
        check_labels(labelled(sad=5, happy=4))


def test_the_same_sound_with_different_labels_is_refused_whatever_the_file(tmp_path: Path) -> None:
    speech = (voice(150, 0.5, 0.1) * 2**15).astype(np.int16)
    first, second = write(tmp_path / "a.wav", speech), write(tmp_path / "b.flac", speech, "happy")
    with pytest.raises(CorpusError) as error:
        check_audio([first, second])
    assert "1 of 2 clips have the sound of another clip with another label, keep one of each" in str(error.value)
    assert f"{tmp_path / 'a.wav'} is 'sad', and {tmp_path / 'b.flac'} 'happy'" in str(error.value)


def test_the_same_sound_with_the_same_label_is_a_hint(tmp_path: Path) -> None:
    speech = voice(150, 0.5, 0.1)
    clips = [write(tmp_path / "a.wav", speech), write(tmp_path / "b.wav", speech), write(tmp_path / "c.wav", -speech)]
    assert check_audio(clips).copies == (f"{tmp_path / 'b.wav'} has the same sound as {tmp_path / 'a.wav'}",)


def test_a_clip_of_a_table_is_named_by_its_row(tmp_path: Path) -> None:
    good = [write(tmp_path / f"{k}.wav", voice(100 + k, 0.5, 0.1)) for k in range(20)]
    silent = write(tmp_path / "ab12.wav", np.zeros(RATE_HZ), origin="d.parquet, row 21 (a.wav)")
    (failure,) = check_audio([*good, silent]).failures
    assert failure.startswith("d.parquet, row 21 (a.wav): ")


def test_two_parts_of_a_file_are_different_sounds(tmp_path: Path, rng: np.random.Generator) -> None:
    first = write(tmp_path / "a.wav", 0.1 * rng.standard_normal(RATE_HZ), start_s=0.0, end_s=0.5)
    second = Utterance(first.path, "happy", start_s=0.5, end_s=1.0)
    assert check_audio([first, second]) == ((first, second), (), ())


def test_clips_that_cannot_be_recognised_are_counted_and_the_first_ones_named(tmp_path: Path) -> None:
    bad = [write(tmp_path / f"silent {k}.wav", np.zeros(RATE_HZ)) for k in range(6)]
    bad.append(write(tmp_path / "short.wav", voice(150, 0.05, 0.1)))
    (tmp_path / "text.wav").write_text("no audio")
    bad.append(Utterance(tmp_path / "text.wav", "sad"))
    good = write(tmp_path / "good.wav", voice(150, 0.5, 0.1))
    with pytest.raises(CorpusError) as error:
        check_audio([bad[-1], bad[-2], good, *bad[:-2]])
    text = str(error.value)
    assert text.startswith("8 of 9 clips cannot be trained on, correct or remove them:")
    assert "text.wav" in text and "short.wav" in text and "silent 0.wav" in text and "and 3 more" in text
    assert "silent 5.wav" not in text and "good.wav" not in text


def test_a_few_clips_that_cannot_be_recognised_are_left_out(tmp_path: Path) -> None:
    good = [write(tmp_path / f"{k}.wav", voice(100 + 5 * k, 0.2, 0.1)) for k in range(19)]
    bad = write(tmp_path / "silent.wav", np.zeros(RATE_HZ))
    checked = check_audio([*good, bad])
    assert checked.utterances == tuple(good) and [str(bad.path) in fault for fault in checked.failures] == [True]
    with pytest.raises(CorpusError, match="1 of 19 clips cannot be trained on"):
        check_audio([*good[1:], bad])


def test_a_clip_of_more_than_ten_minutes_is_refused(tmp_path: Path) -> None:
    clip = write(tmp_path / "long.wav", np.full(601 * 8000, 1000, np.int16))
    soundfile.write(clip.path, np.full(601 * 8000, 1000, np.int16), 8000)
    with pytest.raises(CorpusError, match=r"long\.wav: 601 s of audio are more than 600 s"):
        check_audio([clip])
