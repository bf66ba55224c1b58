"""EmoGator: speaker, class and take of a file name; classes outside the vocabulary are left out."""

from collections import Counter
from pathlib import Path

import pytest
from corpus_trees import create_files

from overtone.corpora import emogator


def test_every_field_of_a_name_is_parsed(tmp_path: Path) -> None:
    (utterance,) = emogator.read(create_files(tmp_path, "mp3/000123-13-2.mp3")).utterances
    assert (utterance.emotion, utterance.speaker, utterance.repetition) == ("happy", "000123", 2)
    assert (utterance.gender, utterance.sentence, utterance.clip) == ("", "", "mp3/000123-13-2")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("000123-02-1.mp3", "emotion outside the vocabulary"),
        ("000123-27-1.mp3", "emotion outside the vocabulary"),
        ("000123-31-1.mp3", "emotion 31 does not exist"),
        ("000123-00-1.mp3", "emotion 00 does not exist"),
        ("000123-03-0.mp3", "repetition 0 does not exist"),
        ("123-03-1.mp3", "not an EmoGator name"),
    ],
)
def test_other_files_are_left_out_with_a_reason(tmp_path: Path, name: str, reason: str) -> None:
    assert emogator.read(create_files(tmp_path, "mp3/000001-03-1.mp3", f"mp3/{name}")).ignored == {reason: 1}


def test_the_real_part_has_equally_many_clips_of_every_emotion(data_folder: Path) -> None:
    folder = data_folder / "emogator"
    if not folder.is_dir():
        pytest.skip(f"no EmoGator at {data_folder}")
    scan = emogator.read(folder)
    assert not scan.ignored
    assert Counter(clip.emotion for clip in scan.utterances) == dict.fromkeys(emogator.INFO.emotions, 600)
    assert max(Counter((clip.speaker, clip.emotion) for clip in scan.utterances).values()) == 2
