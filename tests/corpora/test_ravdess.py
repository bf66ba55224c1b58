"""RAVDESS: all fields of a file name, the reasons to leave files out, and the complete real corpus."""

import os
from collections import Counter
from pathlib import Path

import pytest
from corpus_trees import create_files

from overtone import corpora
from overtone.corpora import ravdess
from overtone.corpora.ravdess import EMOTIONS
from overtone.errors import CorpusError


def test_every_field_of_a_name_is_parsed(tmp_path: Path) -> None:
    (utterance,) = ravdess.read(create_files(tmp_path, "Actor_12/03-01-06-02-02-01-12.wav")).utterances
    assert utterance.path == tmp_path / "Actor_12" / "03-01-06-02-02-01-12.wav"
    assert utterance.clip == "Actor_12/03-01-06-02-02-01-12"
    assert (utterance.emotion, utterance.intensity) == ("fearful", "strong")
    assert (utterance.sentence, utterance.repetition) == ("2", 1)
    assert (utterance.speaker, utterance.gender) == ("12", "female")
    assert (utterance.corpus, utterance.start_s, utterance.end_s) == ("ravdess", 0.0, None)


@pytest.mark.parametrize(("number", "emotion"), list(enumerate(EMOTIONS, 1)))
def test_emotions_by_number(tmp_path: Path, number: int, emotion: str) -> None:
    (utterance,) = ravdess.read(create_files(tmp_path, f"03-01-{number:02d}-01-01-02-23.flac")).utterances
    assert (utterance.emotion, utterance.intensity, utterance.gender) == (emotion, "normal", "male")


def test_any_depth_any_folder_name_any_case_of_suffix(tmp_path: Path) -> None:
    create_files(
        tmp_path, "03-01-01-01-01-01-02.wav", "a/b c/d/03-01-01-01-01-01-01.FLAC", "Actor_05/03-01-02-01-01-01-03.WAV"
    )
    scan = ravdess.read(tmp_path)
    assert [utterance.clip for utterance in scan.utterances] == [
        "Actor_01/03-01-01-01-01-01-01",
        "Actor_02/03-01-01-01-01-01-02",
        "Actor_03/03-01-02-01-01-01-03",
    ]
    assert scan.ignored == {}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("03-02-01-01-01-01-01.wav", "song"),
        ("01-01-01-01-01-01-01.mp4", "video"),
        ("02-02-01-01-01-01-01.mp4", "video"),
        ("01-01-01-01-01-01-01.wav", "video"),
        ("README.md", "not a RAVDESS name"),
        ("03-01-01-01-01-01.wav", "not a RAVDESS name"),
        ("03-01-01-01-01-01-01-01.wav", "not a RAVDESS name"),
        ("03-01-01-01-01-01-01 (1).wav", "not a RAVDESS name"),
        ("03-01-٠١-01-01-01-01.wav", "not a RAVDESS name"),
        ("03-01-01-01-01-01-01.csv", "not .wav or .flac"),
        ("04-01-01-01-01-01-01.wav", "modality 04 does not exist"),
        ("03-03-01-01-01-01-01.wav", "vocal channel 03 does not exist"),
        ("03-01-09-01-01-01-01.wav", "emotion 09 does not exist"),
        ("03-01-00-01-01-01-01.wav", "emotion 00 does not exist"),
        ("03-01-02-03-01-01-01.wav", "intensity 03 does not exist"),
        ("03-01-02-01-03-01-01.wav", "sentence 03 does not exist"),
        ("03-01-02-01-01-03-01.wav", "repetition 03 does not exist"),
        ("03-01-02-01-01-01-25.wav", "speaker 25 does not exist"),
        ("03-01-02-01-01-01-00.wav", "speaker 00 does not exist"),
        ("03-01-01-02-01-01-01.wav", "neutral has no strong intensity"),
    ],
)
def test_other_files_are_left_out_and_counted(tmp_path: Path, name: str, reason: str) -> None:
    scan = ravdess.read(create_files(tmp_path, "03-01-08-01-01-01-01.wav", f"x/{name}", f"y/{name}"))
    assert len(scan.utterances) == 1
    assert scan.ignored == {reason: 2}
    assert scan.left_out[reason] == (tmp_path / "x" / name, tmp_path / "y" / name)


def test_the_first_of_duplicate_files_is_used(tmp_path: Path) -> None:
    name = "03-01-08-01-01-01-01"
    scan = ravdess.read(create_files(tmp_path, f"b/{name}.wav", f"b/{name}.flac", f"a/deep/{name}.wav"))
    assert [utterance.path for utterance in scan.utterances] == [tmp_path / "a" / "deep" / f"{name}.wav"]
    assert scan.ignored == {"same clip twice": 2}


def test_the_preferred_duplicate_does_not_depend_on_the_file_system(tmp_path: Path) -> None:
    names = [f"03-01-{emotion:02d}-01-01-01-01" for emotion in range(1, 9)]
    for k, name in enumerate(names):
        create_files(tmp_path, *[name + suffix for suffix in ((".wav", ".flac"), (".flac", ".wav"))[k % 2]])
    scan = ravdess.read(tmp_path)
    assert [utterance.path.name for utterance in scan.utterances] == [f"{name}.flac" for name in names]
    assert [path.name for path in scan.left_out["same clip twice"]] == [f"{name}.wav" for name in names]


def test_hidden_files_are_ignored(tmp_path: Path) -> None:
    name = "03-01-08-01-01-01-01.wav"
    scan = ravdess.read(create_files(tmp_path, name, f"__MACOSX/._{name}", ".DS_Store", f".unfinished/{name}"))
    assert (len(scan.utterances), scan.ignored) == (1, {})


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    create_files(tmp_path, "elsewhere/03-01-08-01-01-01-01.wav", "corpus/03-01-08-01-01-01-02.wav")
    (tmp_path / "corpus" / "Actor_01").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "elsewhere" / "up").symlink_to(tmp_path / "corpus", target_is_directory=True)
    scan = ravdess.read(tmp_path / "corpus")
    assert (len(scan.utterances), scan.ignored) == (2, {})


def test_a_folder_without_clips_is_an_error_that_shows_the_expected_structure(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no RAVDESS clip in it \(no file at all\)(.|\n)*Actor_01/"):
        ravdess.read(tmp_path)
    create_files(tmp_path, "03-02-01-01-01-01-01.wav", "notes.txt")
    with pytest.raises(CorpusError, match=r"1 x song, 1 x not a RAVDESS name") as caught:
        ravdess.read(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_missing_folder_or_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such folder"):
        ravdess.read(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match="is not a folder"):
        ravdess.read(create_files(tmp_path, "ravdess.zip") / "ravdess.zip")


def test_a_folder_that_cannot_be_opened_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_files(tmp_path, "03-01-08-01-01-01-01.wav", "Actor_02/03-01-08-01-01-01-02.wav")
    scandir = os.scandir

    def denied(path: str) -> object:
        if str(path).endswith("Actor_02"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", denied)
    with pytest.raises(CorpusError, match=r"Actor_02: cannot be opened: Permission denied"):
        ravdess.read(tmp_path)


def test_the_complete_corpus_has_1440_clips() -> None:
    assert len(ravdess.clips_expected()) == 1440
    assert "Actor_07/03-01-01-01-02-02-07" in ravdess.clips_expected()


def test_the_real_corpus_is_complete(ravdess_folder: Path) -> None:
    scan = corpora.read_corpus("ravdess", ravdess_folder)
    assert {utterance.clip for utterance in scan.utterances} == ravdess.clips_expected()
    assert [utterance.clip for utterance in scan.utterances] == sorted(ravdess.clips_expected())
    assert scan.ignored == {}
    emotions = Counter(utterance.emotion for utterance in scan.utterances)
    assert emotions == {emotion: 96 if emotion == "neutral" else 192 for emotion in EMOTIONS}
    assert set(Counter(utterance.speaker for utterance in scan.utterances).values()) == {60}
    assert Counter(utterance.gender for utterance in scan.utterances) == {"male": 720, "female": 720}
    assert all(utterance.path.stem == utterance.clip.split("/")[1] for utterance in scan.utterances)
