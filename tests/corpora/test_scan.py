"""What all corpora have in common whose files are known by their names."""

from pathlib import Path

import pytest
from corpus_trees import put

from overtone import corpora
from overtone.corpora.scan import display_name, name_mismatch
from overtone.errors import CorpusError

# corpus -> a file as it is published, the name of its clip
EXAMPLES = {
    "ravdess": ("Actor_12/03-01-06-01-02-01-12.wav", "Actor_12/03-01-06-01-02-01-12"),
    "crema_d": ("AudioWAV/1001_DFA_ANG_XX.wav", "AudioWAV/1001_DFA_ANG_XX"),
    "savee": ("ALL/DC_sa03.wav", "DC/sa03"),
    "tess": ("OAF_angry/OAF_back_angry.wav", "OAF_back_angry"),
    "emodb": ("wav/03a01Fa.wav", "wav/03a01Fa"),
    "emovo": ("EMOVO/f1/gio-f1-b1.wav", "f1/gio-f1-b1"),
    "nemo": ("samples/WR0_surprised_64.wav", "samples/WR0_surprised_64"),
    "ased": ("05Angry/a5-03-01-02-50.wav", "05Angry/a5-03-01-02-50"),
}
COMPRESSED = [name for name in EXAMPLES if name != "ravdess"]


def test_no_corpus_is_forgotten() -> None:
    assert set(EXAMPLES) == set(corpora.CORPORA) - {"manifest"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_file_is_the_same_clip_wherever_it_lies(name: str, tmp_path: Path) -> None:
    published, clip = EXAMPLES[name]
    upper = Path(published).with_suffix(".WAV").name
    for place in (published, f"a/b c/d/{upper}"):
        (utterance,) = corpora.read_corpus(name, put(tmp_path / place.replace("/", "_"), place)).utterances
        assert (utterance.clip, utterance.corpus, utterance.path.name) == (clip, name, Path(place).name)
        assert utterance.emotion in corpora.CORPORA[name].ABOUT.emotions
        assert utterance.speaker and utterance.sentence and utterance.gender


@pytest.mark.parametrize("name", EXAMPLES)
def test_foreign_files_are_told_and_hidden_ones_are_not_looked_at(name: str, tmp_path: Path) -> None:
    published, _ = EXAMPLES[name]
    put(tmp_path, published, "README.md", "x/notes (1).wav", f"{published[:-4]}.txt", f"__MACOSX/._{published[-9:]}")
    reading = corpora.read_corpus(name, tmp_path)
    suffixes = ".wav or .flac" if name == "ravdess" else ".wav, .flac, .ogg, .opus or .mp3"
    assert len(reading.utterances) == 1
    assert reading.ignored == {name_mismatch(corpora.CORPORA[name].ABOUT): 2, f"not {suffixes}": 1}


@pytest.mark.parametrize("name", COMPRESSED)
def test_of_several_formats_a_lossless_one_is_kept(name: str, tmp_path: Path) -> None:
    stem = EXAMPLES[name][0][:-4]
    put(tmp_path, *(f"{place}/{stem}{suffix}" for place, suffix in (("a", ".mp3"), ("b", ".ogg"), ("c", ".wav"))))
    put(tmp_path, f"d/{stem}.flac", f"d/{stem}.opus")
    reading = corpora.read_corpus(name, tmp_path)
    assert [utterance.path.suffix for utterance in reading.utterances] == [".wav"]
    assert reading.ignored == {"same clip twice": 4}
    assert [path.suffix for path in reading.left_out["same clip twice"]] == [".mp3", ".ogg", ".flac", ".opus"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_error_names_the_folder_the_corpus_and_what_was_expected(name: str, tmp_path: Path) -> None:
    about = corpora.CORPORA[name].ABOUT
    put(tmp_path / "full", "notes.txt")
    for folder, told in (
        (tmp_path / "nowhere", "no such folder; name the folder that holds"),
        (tmp_path / "full" / "notes.txt", "is not a folder; name the folder that holds"),
        (tmp_path / "full", "speech clip in it (1 x not a"),
    ):
        with pytest.raises(CorpusError) as caught:
            corpora.read_corpus(name, folder)
        assert str(caught.value).startswith(f"{folder}: ")
        assert told in str(caught.value)
        assert display_name(about) in str(caught.value)
        assert str(caught.value).endswith(about.tree)


@pytest.mark.parametrize("name", EXAMPLES)
def test_clips_expected_are_all_of_the_corpus_or_none(name: str, tmp_path: Path) -> None:
    corpus = corpora.CORPORA[name]
    expected = corpus.clips_expected()
    assert len(expected) in (0, corpus.ABOUT.clips)
    if expected:
        reading = corpus.read(put(tmp_path, *(f"{clip}.wav" for clip in expected)))
        assert {utterance.clip for utterance in reading.utterances} == expected
        assert reading.ignored == {}
        assert {utterance.emotion for utterance in reading.utterances} == set(corpus.ABOUT.emotions)
        assert len({utterance.speaker for utterance in reading.utterances}) == corpus.ABOUT.speakers


@pytest.mark.parametrize("name", ["ravdess", "emodb", "emovo", "nemo", "ased"])
def test_the_real_corpus_is_as_published(name: str, data_folder: Path) -> None:
    if not (data_folder / name).is_dir():
        pytest.skip(f"no {name} at {data_folder}")
    about = corpora.CORPORA[name].ABOUT
    reading = corpora.read_corpus(name, data_folder / name)
    assert len(reading.utterances) == about.clips
    assert set(reading.ignored) <= {"table of the corpus"}
    assert len({utterance.speaker for utterance in reading.utterances}) == about.speakers
    assert {utterance.emotion for utterance in reading.utterances} == set(about.emotions)
    assert len({(utterance.speaker, utterance.gender) for utterance in reading.utterances}) == about.speakers
