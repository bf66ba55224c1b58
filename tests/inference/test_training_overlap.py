"""How many clips a model was trained on: by its run folder, by the content of files, by the names of corpora."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import soundfile
import tiny_model
from synthetic_audio import RATE_HZ

from overtone.datatypes import Utterance
from overtone.evaluation.trained_audio import AudioPart, describe_audio
from overtone.inference.recogniser import Recogniser, load
from overtone.inference.training_overlap import overlap_of_parts, training_overlap


def test_the_card_tells_the_corpora_of_the_training(clips: list[Utterance], recogniser: Recogniser) -> None:
    text = training_overlap(recogniser, [*clips, replace(clips[0], corpus="emodb")])
    assert text == "trained on ravdess (1440 clips), perhaps on some or all of 3 test clips and their speakers"
    assert training_overlap(recogniser, [replace(clip, corpus="emodb") for clip in clips]) == ""


def test_the_run_of_a_model_tells_its_clips(clips: list[Utterance], recogniser: Recogniser, tmp_path: Path) -> None:
    card = recogniser.card
    run = {key: card[key] for key in ("recipe", "seed", "protocol")}
    run["split"] = {"fusion": {"train": ["other"], "validation": ["talk#2"], "test": ["talk#0", "talk#1"]}}
    (tmp_path / "run.json").write_text(json.dumps(run))
    assert training_overlap(recogniser, clips) == (
        "trained or chosen on: 1 of 3 test clips, 1 of 2 test speakers, 1 of 1 test sentences"
    )
    assert training_overlap(recogniser, clips[:2]) == ""
    assert training_overlap(recogniser, [replace(clips[2], corpus="emodb")]) == ""
    (tmp_path / "run.json").write_text(json.dumps({**run, "seed": 5}))  # of another model
    assert training_overlap(recogniser, clips[:2]).startswith("trained on ravdess")


def test_corpora_of_the_run_that_gave_the_initial_weights_count_as_seen(clips: list[Utterance], tmp_path: Path) -> None:
    recogniser = load(tiny_model.write(tmp_path / "init.onnx", init_corpora=["emodb"]))
    card = recogniser.card
    run = {key: card[key] for key in ("recipe", "seed", "protocol")}
    (tmp_path / "run.json").write_text(json.dumps({**run, "split": {}}))
    assert training_overlap(recogniser, clips) == ""
    assert "3 of 3 test clips" in training_overlap(recogniser, [replace(clip, corpus="emodb") for clip in clips])


def write_run(recogniser: Recogniser, parts: list[AudioPart], **splits: list[str]) -> None:
    """Write the run.json of a model that was trained on these parts of own recordings."""
    run = {key: recogniser.card[key] for key in ("recipe", "seed", "protocol")}
    run |= {"split": {"fusion": {"train": [], "validation": [], **splits}}, "training_audio": describe_audio(parts)}
    (recogniser.model.path.parent / "run.json").write_text(json.dumps(run))


def test_own_recordings_are_known_by_their_content(
    clips: list[Utterance], recogniser: Recogniser, tmp_path: Path
) -> None:
    own = [replace(clip, corpus="manifest") for clip in clips]
    path = own[0].path
    write_run(recogniser, [AudioPart(path, 0.0, 1.0), AudioPart(path, 2.0, None, "left")])
    (tmp_path / "elsewhere").mkdir()
    copied = [replace(clip, path=Path(shutil.copy(path, tmp_path / "elsewhere" / "1.wav"))) for clip in own]
    for utterances in (own, copied):
        assert training_overlap(recogniser, utterances).startswith("trained or chosen on: 2 of 3 test clips")
    other = tmp_path / "elsewhere" / "talk.wav"  # of the same name and size, as numbered files may be
    soundfile.write(other, soundfile.read(path)[0][::-1], RATE_HZ, "FLOAT")
    assert other.stat().st_size == path.stat().st_size
    assert training_overlap(recogniser, [replace(clip, path=other) for clip in own]) == ""


def test_parts_of_a_file_are_seen_where_they_overlap_in_a_channel(
    clips: list[Utterance], recogniser: Recogniser
) -> None:
    path = clips[0].path
    write_run(recogniser, [AudioPart(path, 0.0, 1.0), AudioPart(path, 2.0, None, "left")])

    def seen(*part: object) -> bool:
        text = overlap_of_parts(recogniser, [AudioPart(path, *part), AudioPart(Path("missing.wav"))])
        assert text in ("", "1 of 2 clips were used to train this model: the score is not that of unseen clips")
        return bool(text)

    assert seen() and seen(0.5, 1.4) and seen(2.5, 3.0) and seen(2.5, 3.0, "1") and seen(2.5, 3.0, "mix")
    assert not seen(1.05, 1.9) and not seen(0.95, 1.9) and not seen(2.5, 3.0, "right")


def test_corpora_of_the_card_are_known_by_the_names_of_files(recogniser: Recogniser) -> None:
    names = ("Actor_01/03-01-03-02-01-01-01.flac", "a/03-01-03-02-01-01-02.wav", "emodb/03a01Fa.wav", "1.wav")
    parts = [AudioPart(Path(name)) for name in names]
    text = overlap_of_parts(recogniser, parts)
    assert text.startswith("2 of 4 clips were used to train this model, as their names are those of clips of ravdess")
    manifest = [Utterance(part.path, "happy", corpus="manifest", clip=str(part.path)) for part in parts]
    assert training_overlap(recogniser, manifest) == text
    copies = [AudioPart(Path("cache/ab12.wav"), name=name) for name in names]  # from a table
    assert overlap_of_parts(recogniser, copies) == text
    origin = "d.parquet, row 1"
    copied = [replace(clip, clip=str(Path(clip.clip).with_suffix("")), origin=origin) for clip in manifest]
    assert training_overlap(recogniser, [replace(clip, path=Path("cache/ab12.wav")) for clip in copied]) == text
    write_run(recogniser, [], train=["Actor_01/03-01-03-02-01-01-01"])  # a run says which of them
    assert overlap_of_parts(recogniser, parts).startswith("1 of 4 clips")
