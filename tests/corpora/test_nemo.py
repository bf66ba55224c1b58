"""nEMO: all fields of a file name; they agree with the table of the corpus."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from corpus_trees import create_files

from overtone.corpora import nemo
from overtone.emotions import parse_emotion


def test_every_field_of_a_name_is_parsed(tmp_path: Path) -> None:
    (utterance,) = nemo.read(create_files(tmp_path, "samples/KD0_happiness_7.wav")).utterances
    assert (utterance.emotion, utterance.speaker, utterance.gender) == ("happy", "KD0", "female")
    assert (utterance.sentence, utterance.repetition, utterance.clip) == ("7", 0, "samples/KD0_happiness_7")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("data.tsv", "table of the corpus"),
        ("AB0_fear_1.wav", "speaker AB0 does not exist"),
        ("WR0_disgust_1.wav", "emotion disgust does not exist"),
        ("WR0_fear_0.wav", "sentence 0 does not exist"),
        ("WR0_fear_91.wav", "sentence 91 does not exist"),
        ("WR0_fear_01.wav", "sentence 01 does not exist"),
        ("WR0_fear.wav", "not a nEMO name"),
    ],
)
def test_other_files_are_left_out_with_a_reason(tmp_path: Path, name: str, reason: str) -> None:
    assert nemo.read(create_files(tmp_path, "samples/WR0_fear_1.wav", f"x/{name}")).ignored == {reason: 1}


def test_the_real_corpus_agrees_with_its_table(data_folder: Path) -> None:
    table = data_folder / "nemo" / "data.tsv"
    if not table.is_file():
        pytest.skip(f"no nEMO at {data_folder}")
    clips = {utterance.path.stem: utterance for utterance in nemo.read(table.parent).utterances}
    with table.open(encoding="utf-8", newline="") as file:
        rows = {Path(row["file_id"]).stem: row for row in csv.DictReader(file, delimiter="\t")}
    assert set(rows) == set(clips)
    texts: defaultdict[str, set[str]] = defaultdict(set)
    for name, row in rows.items():
        clip = clips[name]
        assert (clip.speaker, clip.gender) == (row["speaker_id"].strip(), row["gender"])
        assert clip.emotion == parse_emotion(row["emotion"])
        texts[clip.sentence].add(row["raw_text"])
    assert len(texts) == len(set().union(*texts.values())) == 90
    assert Counter(clip.emotion for clip in clips.values()) == {
        "neutral": 809,
        "sad": 769,
        "angry": 749,
        "happy": 749,
        "fearful": 736,
        "surprised": 669,
    }
