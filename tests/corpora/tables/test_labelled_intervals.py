"""TextGrid and ELAN files that `overtone timeline` wrote and a person corrected in Praat or ELAN are manifests."""

import shutil
from pathlib import Path

import parselmouth
import pytest
from parselmouth.praat import call
from pympi import Eaf
from timelines import make_prediction, make_timeline

from overtone.batch.inputs import collect_inputs
from overtone.corpora import manifest
from overtone.errors import CorpusError
from overtone.formats import save_timeline
from overtone.timeline import Segment, Timeline

SPEECH = Path(__file__).resolve().parents[3] / "examples" / "speech" / "level.flac"


def timeline(source: Path, speaker: str = "Anna") -> Timeline:
    """A timeline with five segments, one of them uncertain, one without speech and one of an unknown speaker."""
    segments = [
        Segment(0, 1, make_prediction("happy"), speaker),
        Segment(1, 1.5, None, speaker),
        Segment(1.5, 2, make_prediction("angry"), speaker),
        Segment(2, 2.5, make_prediction("angry", 0.4), speaker),
        Segment(2.5, 3, make_prediction("happy")),
    ]
    return make_timeline(*segments, source=str(source), duration_s=3, turns=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a recording."""
    (tmp_path / "corrected").mkdir()
    shutil.copy(SPEECH, tmp_path / "corrected" / "talk.flac")
    return tmp_path / "corrected"


def correct_in_praat(file: Path, interval: int, label: str, save: str = "Save as short text file") -> None:
    grid = parselmouth.read(str(file))
    call(grid, "Set interval text", 1, interval, label)
    call(grid, save, str(file))


def correct_in_elan(file: Path, old: str, new: str) -> Eaf:
    eaf = Eaf(str(file))
    for tier, _, _, _ in eaf.tiers.values():
        for key, (start, end, label, link) in tier.items():
            tier[key] = (start, end, new if label == old else label, link)
    eaf.to_file(str(file))
    return eaf


def clips(location: Path | str) -> list[tuple[str, str, float, float | None, str]]:
    """File, emotion, times and speaker of each clip."""
    found = manifest.read(Path(location)).utterances
    return [(clip.path.name, clip.emotion, clip.start_s, clip.end_s, clip.speaker) for clip in found]


CORRECTED = [
    ("talk.flac", "happy", 0, 1, "Anna"),
    ("talk.flac", "Frustrated", 1.5, 2, "Anna"),
    ("talk.flac", "happy", 2.5, 3, ""),
]


@pytest.mark.parametrize("save", ["text", "short text", "binary"])
def test_a_textgrid_corrected_in_praat_is_a_manifest(folder: Path, save: str) -> None:
    file = folder / "talk.TextGrid"
    save_timeline(timeline(folder / "talk.flac"), file, "textgrid")
    correct_in_praat(file, 3, "Frustrated", f"Save as {save} file")
    assert clips(file) == clips(folder) == clips(f"{folder}#talk.TextGrid") == CORRECTED
    scan = manifest.read(file)
    assert scan.ignored == {"uncertain, wrong or without speech": 2}
    assert [str(file) in hint and " 3 labels" in hint for hint in scan.hints] == [True]


def test_a_file_corrected_in_elan_is_a_manifest_of_the_recording_that_it_links(folder: Path) -> None:
    recording = folder.parent / "recordings #1" / "100% talk.flac"
    recording.parent.mkdir()
    shutil.move(folder / "talk.flac", recording)
    save_timeline(timeline(recording), folder / "monday.eaf", "elan")
    correct_in_elan(folder / "monday.eaf", "angry", "Frustrated")
    expected = [(recording.name, *clip[1:]) for clip in CORRECTED]
    assert clips(folder / "monday.eaf") == expected
    shutil.move(recording, folder / recording.name)  # both were moved: the file next to the document counts
    assert clips(folder) == expected
    shutil.move(folder / recording.name, folder / "monday.flac")  # and renamed
    assert clips(folder) == [("monday.flac", *clip[1:]) for clip in CORRECTED]


def test_the_offset_and_encoding_of_a_linked_file_count(folder: Path) -> None:
    shutil.move(folder / "talk.flac", folder / "our talk.flac")
    eaf = Eaf()
    eaf.add_linked_file("file:///gone/video.mp4", "./video.mp4", "video/mp4")
    eaf.add_linked_file(f"file://{folder.as_posix()}/our%20talk.flac", mimetype="audio/flac", time_origin=250)
    eaf.add_tier("emotion@Ben")
    eaf.add_annotation("emotion@Ben", 500, 1250, "sad")
    eaf.to_file(str(folder / "a.eaf"))
    assert clips(folder / "a.eaf") == [("our talk.flac", "sad", 0.75, 1.5, "Ben")]


def test_emotions_may_depend_on_annotations_of_another_tier(folder: Path) -> None:
    eaf = Eaf()
    eaf.add_linguistic_type("label", "Symbolic_Association", timealignable=False)
    eaf.add_tier("utterance", part="Ben")
    eaf.add_tier("emotion", ling="label", parent="utterance", part="Ben")
    eaf.add_annotation("utterance", 500, 1250, "yes")
    eaf.add_ref_annotation("emotion", "utterance", 600, "sad")
    eaf.to_file(str(folder / "talk.eaf"))
    assert clips(folder) == [("talk.flac", "sad", 0.5, 1.25, "Ben")]


DECISIONS = [("emotion@Anna", ["sad", "happy", "wrong (happy)"]), ("decided by@Anna", ["person", "model", "person"])]


@pytest.mark.parametrize("suffix", [".TextGrid", ".eaf"])
def test_tiers_of_other_contents_are_tolerated_and_say_who_decided(folder: Path, suffix: str) -> None:
    tiers = [*DECISIONS, ("model emotion@Anna", ["happy", "happy", "happy"]), ("text@Anna", ["a", "b", "c"])]
    file = folder / f"talk{suffix}"
    if suffix == ".TextGrid":
        names = " ".join(name.replace(" ", "_") for name, _ in tiers)
        grid = call("Create TextGrid", 0.0, 3.0, names, "")
        for number, (name, texts) in enumerate(tiers, start=1):
            call(grid, "Set tier name", number, name)
            for time_s in (1, 2):
                call(grid, "Insert boundary", number, time_s)
            for interval, text in enumerate(texts, start=1):
                call(grid, "Set interval text", number, interval, text)
        call(grid, "Save as text file", str(file))
    else:
        eaf = Eaf()
        eaf.add_linguistic_type("note", "Symbolic_Association", timealignable=False)
        eaf.add_tier(tiers[0][0])
        for name, _ in tiers[1:]:
            eaf.add_tier(name, ling="note", parent=tiers[0][0])
        for second in range(3):
            eaf.add_annotation(tiers[0][0], 1000 * second, 1000 * second + 1000, tiers[0][1][second])
            for name, texts in tiers[1:]:
                eaf.add_ref_annotation(name, tiers[0][0], 1000 * second + 500, texts[second])
        eaf.to_file(str(file))
    scan = manifest.read(file)
    assert [(clip.emotion, clip.start_s, clip.speaker) for clip in scan.utterances] == [
        ("sad", 0, "Anna"),
        ("happy", 1, "Anna"),
    ]
    assert scan.hints == (f"{file}: 1 of 2 labels are those that a model predicted",)


def test_who_decided_may_be_in_the_label(folder: Path) -> None:
    file = folder / "talk.TextGrid"
    save_timeline(timeline(folder / "talk.flac"), file, "textgrid")
    text = file.read_text("utf-8").replace('"uncertain (angry)"', '"Sad  (Person)"')
    file.write_text(text.replace('"happy"', '"wrong (happy) (person)"'), "utf-8")
    scan = manifest.read(file)
    assert [clip.emotion for clip in scan.utterances] == ["angry", "sad"]
    assert scan.ignored == {"uncertain, wrong or without speech": 3}
    assert [": 1 labels, which all count as checked" in hint for hint in scan.hints] == [True]


def test_sides_of_a_recording_are_read_from_their_channel(folder: Path) -> None:
    save_timeline(timeline(folder / "talk.flac", "left"), folder / "talk.TextGrid", "textgrid")
    found = manifest.read(folder).utterances
    assert [(clip.speaker, clip.channel) for clip in found] == [("left", "left"), ("left", "left"), ("", "")]


def test_a_missing_recording_names_the_remedy_and_every_file(folder: Path) -> None:
    for name in ("a", "b"):
        save_timeline(timeline(folder / "talk.flac"), folder / f"{name}.TextGrid", "textgrid")
    with pytest.raises(CorpusError, match=r"2 invalid lines:(.|\n)*a\.TextGrid.*such as a\.wav(.|\n)*b\.TextGrid"):
        manifest.read(folder)


def test_two_recordings_of_one_name_are_not_chosen_between(folder: Path) -> None:
    save_timeline(timeline(folder / "talk.flac"), folder / "talk.TextGrid", "textgrid")
    shutil.copy(folder / "talk.flac", folder / "talk.ogg")
    with pytest.raises(CorpusError, match=r"talk\.flac and talk\.ogg have the name"):
        manifest.read(folder)


def test_two_tables_of_one_recording_are_refused(folder: Path) -> None:
    for format, suffix in (("textgrid", "TextGrid"), ("csv", "csv")):
        save_timeline(timeline(folder / "talk.flac"), folder / f"talk.{suffix}", format)
    with pytest.raises(CorpusError, match=r"talk\.TextGrid and .*talk\.csv both describe talk\.flac"):
        manifest.read(folder)


def test_annotations_of_words_are_no_labels(folder: Path) -> None:
    grid = call("Create TextGrid", 0.0, 3.0, "words phones", "")
    call(grid, "Save as text file", str(folder / "words.TextGrid"))
    with pytest.raises(CorpusError, match=r"words\.TextGrid: has no tier 'emotion'.*'words', 'phones'"):
        manifest.read(folder)
    (folder / "talk.csv").write_text("path,emotion\ntalk.flac,sad\n", "utf-8")
    scan = manifest.read(folder)  # they do no harm next to tables
    assert len(scan.utterances) == 1 and "words.TextGrid: has no tier 'emotion'" in scan.hints[0]


@pytest.mark.parametrize(
    ("name", "content"), [("a.TextGrid", "soon"), ("a.eaf", "<ANNOTATION_DOCUMENT>"), ("a.eaf", "<html/>")]
)
def test_a_damaged_file_is_an_error_that_names_it(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content, "utf-8")
    with pytest.raises(CorpusError, match=name.replace(".", r"\.")):
        manifest.read(folder)


def test_an_invalid_interval_is_named(folder: Path) -> None:
    save_timeline(timeline(folder / "talk.flac"), folder / "talk.eaf", "elan")
    text = (folder / "talk.eaf").read_text("utf-8")
    (folder / "talk.eaf").write_text(text.replace('TIME_VALUE="2500"', ""), "utf-8")
    with pytest.raises(CorpusError, match=r"talk\.eaf(.|\n)*annotation e\d: its start or end is unknown"):
        manifest.read(folder)


def test_a_batch_recognises_the_intervals_but_annotations_among_recordings_are_none(folder: Path) -> None:
    file = folder / "talk.TextGrid"
    save_timeline(timeline(folder / "talk.flac"), file, "textgrid")
    inputs = collect_inputs([str(file)])
    assert [row.start_s for row in inputs.rows] == [0, 1, 1.5, 2, 2.5] and "emotion" in inputs.columns
    assert [row.path for row in collect_inputs([f"{folder}/*"]).rows] == [str(file), str(folder / "talk.flac")]
