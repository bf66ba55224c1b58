"""Behaviour of all corpora whose labels are in the file names."""

from pathlib import Path

import pytest
from corpus_trees import create_files

from overtone import corpora
from overtone.corpora.file_names import name_mismatch
from overtone.errors import CorpusError

# corpus -> a published file, the name of its clip
EXAMPLES = {
    "ravdess": ("Actor_12/03-01-06-01-02-01-12.wav", "Actor_12/03-01-06-01-02-01-12"),
    "crema_d": ("AudioWAV/1001_DFA_ANG_XX.wav", "AudioWAV/1001_DFA_ANG_XX"),
    "savee": ("ALL/DC_sa03.wav", "DC/sa03"),
    "tess": ("OAF_angry/OAF_back_angry.wav", "OAF_back_angry"),
    "emodb": ("wav/03a01Fa.wav", "wav/03a01Fa"),
    "emovo": ("EMOVO/f1/gio-f1-b1.wav", "f1/gio-f1-b1"),
    "nemo": ("samples/WR0_surprised_64.wav", "samples/WR0_surprised_64"),
    "ased": ("05Angry/a5-03-01-02-50.wav", "05Angry/a5-03-01-02-50"),
    "emogator": ("mp3/000123-15-2.wav", "mp3/000123-15-2"),
}
COMPRESSED = [name for name in EXAMPLES if name != "ravdess"]


def test_every_corpus_has_an_example() -> None:
    assert set(EXAMPLES) == set(corpora.CORPORA) - {"manifest"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_folder_of_a_file_does_not_change_its_clip(name: str, tmp_path: Path) -> None:
    published, clip = EXAMPLES[name]
    upper = Path(published).with_suffix(".WAV").name
    for place in (published, f"a/b c/d/{upper}"):
        (utterance,) = corpora.read_corpus(name, create_files(tmp_path / place.replace("/", "_"), place)).utterances
        assert (utterance.clip, utterance.corpus, utterance.path.name) == (clip, name, Path(place).name)
        assert utterance.emotion in corpora.CORPORA[name].INFO.emotions
        assert utterance.speaker and (name == "emogator" or (utterance.sentence and utterance.gender))


@pytest.mark.parametrize("name", EXAMPLES)
def test_other_files_are_left_out_and_hidden_ones_are_ignored(name: str, tmp_path: Path) -> None:
    published, _ = EXAMPLES[name]
    create_files(
        tmp_path, published, "README.md", "x/notes (1).wav", f"{published[:-4]}.txt", f"__MACOSX/._{published[-9:]}"
    )
    scan = corpora.read_corpus(name, tmp_path)
    suffixes = ".wav or .flac" if name == "ravdess" else ".wav, .flac, .ogg, .opus or .mp3"
    assert len(scan.utterances) == 1
    assert scan.ignored == {name_mismatch(corpora.CORPORA[name].INFO): 2, f"not {suffixes}": 1}


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_lossless_format_is_preferred(name: str, tmp_path: Path) -> None:
    stem = EXAMPLES[name][0][:-4]
    create_files(
        tmp_path, *(f"{place}/{stem}{suffix}" for place, suffix in (("a", ".mp3"), ("b", ".ogg"), ("c", ".wav")))
    )
    create_files(tmp_path, f"d/{stem}.flac", f"d/{stem}.opus")
    scan = corpora.read_corpus(name, tmp_path)
    assert [utterance.path.suffix for utterance in scan.utterances] == [".wav"]
    assert scan.ignored == {"same clip twice": 4}
    assert [path.suffix for path in scan.left_out["same clip twice"]] == [".mp3", ".ogg", ".flac", ".opus"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_errors_name_the_folder_the_corpus_and_the_expected_structure(name: str, tmp_path: Path) -> None:
    info = corpora.CORPORA[name].INFO
    create_files(tmp_path / "full", "notes.txt")
    for folder, expected in (
        (tmp_path / "nowhere", "no such folder; name the folder that holds"),
        (tmp_path / "full" / "notes.txt", "is not a folder; name the folder that holds"),
        (tmp_path / "full", "clip in it (1 x not a"),
    ):
        with pytest.raises(CorpusError) as caught:
            corpora.read_corpus(name, folder)
        assert str(caught.value).startswith(f"{folder}: ")
        assert expected in str(caught.value)
        assert info.display_name in str(caught.value)
        assert str(caught.value).endswith(info.tree)


@pytest.mark.parametrize("name", EXAMPLES)
def test_clips_expected_are_all_of_the_corpus_or_none(name: str, tmp_path: Path) -> None:
    corpus = corpora.CORPORA[name]
    expected = corpus.clips_expected()
    assert len(expected) in (0, corpus.INFO.clips)
    if expected:
        scan = corpus.read(create_files(tmp_path, *(f"{clip}.wav" for clip in expected)))
        assert {utterance.clip for utterance in scan.utterances} == expected
        assert scan.ignored == {}
        assert {utterance.emotion for utterance in scan.utterances} == set(corpus.INFO.emotions)
        assert len({utterance.speaker for utterance in scan.utterances}) == corpus.INFO.speakers


@pytest.mark.parametrize("name", ["ravdess", "emodb", "emovo", "nemo", "ased"])
def test_the_real_corpus_is_as_published(name: str, data_folder: Path) -> None:
    if not (data_folder / name).is_dir():
        pytest.skip(f"no {name} at {data_folder}")
    info = corpora.CORPORA[name].INFO
    scan = corpora.read_corpus(name, data_folder / name)
    assert len(scan.utterances) == info.clips
    assert set(scan.ignored) <= {"table of the corpus"}
    assert len({utterance.speaker for utterance in scan.utterances}) == info.speakers
    assert {utterance.emotion for utterance in scan.utterances} == set(info.emotions)
    assert len({(utterance.speaker, utterance.gender) for utterance in scan.utterances}) == info.speakers
