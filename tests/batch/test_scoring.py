"""The score of a batch equals that of scikit-learn on its output, in every format, and names what it leaves out."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from sklearn.metrics import confusion_matrix, recall_score

from overtone.audio.decode import read
from overtone.batch import local_engine
from overtone.batch.checkpoint import BatchCheckpoint
from overtone.batch.inputs import Input, Inputs, collect_inputs
from overtone.batch.recogniser_config import RecogniserConfig
from overtone.batch.run import run
from overtone.batch.scoring import BatchScore, labelled_parts, score_output, select_columns
from overtone.corpora.ravdess import EMOTIONS
from overtone.errors import CorpusError, InputError, OptionError

SPEECH = Path(__file__).resolve().parent.parent.parent / "examples" / "speech"
RATE_HZ = 16_000
ROWS, PIECE_S = 70, 1.5
SPELLINGS = {"happy": "Joy", "angry": " ANGER "}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, an audio file, and a manifest of labelled segments, of which some are not scored."""
    folder = tmp_path_factory.mktemp("work")
    tiny_model.write(folder / "tiny.onnx")
    rng = np.random.default_rng(3)
    speech = np.concatenate([read(path).samples for path in sorted(SPEECH.glob("*.flac"))])
    starts = rng.integers(len(speech) - PIECE_S * RATE_HZ, size=ROWS)
    pieces = [speech[start : start + round(PIECE_S * RATE_HZ)] for start in starts]
    # The classes that the tiny model predicts depend on the offset of the samples.
    levels = [0.3 * piece / np.abs(piece).max() + rng.uniform(-0.6, 0.6) for piece in pieces]
    soundfile.write(folder / "long.wav", np.concatenate(levels), RATE_HZ)
    rows = []
    for k in range(ROWS):
        emotion = ("disgust", "fearful", "happy", "angry")[rng.integers(4)]
        times = [f"{PIECE_S * number:.1f}" for number in (k, k + 1)]
        rows.append(["long.wav", SPELLINGS.get(emotion, emotion), *times, f"s{k % 5}", "fm"[k % 2]])
    rows[7][0] = "gone.wav"
    rows[8][1] = ""
    rows[9][1] = rows[10][1] = "puzzled"
    with (folder / "m.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "Emotion", "start_s", "end_s", "Speaker_ID", "Gender"], *rows])
    return folder


@pytest.fixture
def inputs(work: Path) -> Inputs:
    return collect_inputs([str(work / "m.csv")])


@pytest.fixture
def config(work: Path) -> RecogniserConfig:
    return RecogniserConfig(str(work / "tiny.onnx"), uncertain_below=0.3)


def scored(inputs: Inputs, config: RecogniserConfig, output: Path, **options: str) -> BatchScore:
    columns = select_columns(inputs, ["Gender", "Gender"])
    report = run(inputs, output, config, processes=1, **options)
    return score_output(str(output), report, columns)


def labelled_rows(folder: Path) -> list[dict[str, str]]:
    """The rows of the output whose label the model has, with the class as `truth`."""
    with (folder / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    back = {value.strip().lower(): key for key, value in SPELLINGS.items()}
    for row in rows:
        label = row["given_Emotion"].strip().lower()
        row["truth"] = back.get(label, label)
    return [row for row in rows if row["truth"] in EMOTIONS]


def test_the_score_is_that_of_scikit_learn(inputs: Inputs, config: RecogniserConfig, tmp_path: Path) -> None:
    score = scored(inputs, config, tmp_path / "out")
    rows = labelled_rows(tmp_path / "out")
    assert (len(rows), score.failures, score.unlabelled, score.unknown_labels) == (ROWS - 4, 1, 1, {"puzzled": 2})
    assert score.label == "given_Emotion"
    results = {"": (score.total, rows)}
    results |= {
        value: (score.groups["Gender"][value], [row for row in rows if row["Gender"] == value]) for value in "fm"
    }
    for result, kept in results.values():
        truth, predicted = [row["truth"] for row in kept], [row["emotion"] for row in kept]
        correct = np.array(truth) == np.array(predicted)
        sure = np.array([row["uncertain"] == "false" for row in kept])
        assert result.scores.n == len(kept) and result.scores.interval_over == "speakers"
        recalls = recall_score(truth, predicted, labels=sorted(set(truth)), average=None)
        assert result.scores.uar.value == pytest.approx(recalls.mean())
        assert result.scores.wa.value == pytest.approx(correct.mean())
        assert result.sure == sure.mean() and result.sure_and_wrong == (sure & ~correct).mean()
        matrix = confusion_matrix(truth, predicted, labels=EMOTIONS)
        assert np.array_equal(result.scores.confusion, matrix)
    assert 0 < score.total.sure_and_wrong < score.total.sure < 1 and 0 < score.total.scores.wa.value < 1
    assert set(score.groups) == {"Gender"}


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_every_format_has_the_same_score(inputs: Inputs, config: RecogniserConfig, tmp_path: Path, format: str) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    expected = scored(inputs, config, tmp_path / "csv")
    found = scored(inputs, config, tmp_path / format, format=format)
    assert found.total.scores.uar == expected.total.scores.uar
    assert found.total.ece == pytest.approx(expected.total.ece, abs=1e-5)
    assert found.groups.keys() == expected.groups.keys()
    assert (found.unlabelled, found.unknown_labels) == (expected.unlabelled, expected.unknown_labels)


def test_resumed_and_finished_batches_have_the_same_score(
    inputs: Inputs, config: RecogniserConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = scored(inputs, config, tmp_path / "expected").total.scores.uar

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(BatchCheckpoint, "finish", interrupt)
    with pytest.raises(KeyboardInterrupt):
        scored(inputs, config, tmp_path / "out")
    monkeypatch.undo()
    assert scored(inputs, config, tmp_path / "out").total.scores.uar == expected
    monkeypatch.setattr(local_engine, "run_tasks", None)  # no worker is used
    assert scored(inputs, config, tmp_path / "out").total.scores.uar == expected


def test_without_speakers_the_interval_is_over_clips(work: Path, config: RecogniserConfig, tmp_path: Path) -> None:
    (work / "few.jsonl").write_text(
        '{"file": "long.wav", "label": "sad", "end": 1}\n{"file": "long.wav", "label": "calm", "start": 2, "end": 3}\n'
    )
    score = scored_plainly(collect_inputs([str(work / "few.jsonl")]), config, tmp_path)
    assert (score.label, score.total.scores.interval_over, score.total.scores.n) == ("label", "clips", 2)


def scored_plainly(inputs: Inputs, config: RecogniserConfig, folder: Path) -> BatchScore:
    columns = select_columns(inputs, [])
    return score_output(str(folder / "out"), run(inputs, folder / "out", config, processes=1), columns)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["long.wav,puzzled,1", "long.wav,,1"], r"can be scored \(1 x 'puzzled', 1 without a label\); the classes"),
        (["gone.wav,sad,1"], r"can be scored \(there are none\); the classes of the model are neutral, calm, happy"),
    ],
)
@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_nothing_to_score_is_an_error(
    work: Path, config: RecogniserConfig, tmp_path: Path, rows: list[str], message: str, format: str
) -> None:
    (work / "none.csv").write_text("\n".join(["path,emotion,end_s", *rows]))
    inputs = collect_inputs([str(work / "none.csv")])
    report = run(inputs, tmp_path / "out", config, processes=1, format=format)
    with pytest.raises(InputError, match=message):
        score_output(str(tmp_path / "out"), report, select_columns(inputs, []))


def test_columns_are_checked_before_the_batch(work: Path, inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"m\.csv: no column 'gander' to score by; did you mean 'Gender'\?"):
        select_columns(inputs, ["gander"])
    with pytest.raises(OptionError, match="the inputs have no labels, which a score needs"):
        select_columns(collect_inputs([str(work / "long.wav")]), [])
    (tmp_path / "two.csv").write_text("path,emotion,label\na.wav,sad,sad\n")
    with pytest.raises(CorpusError, match="the columns 'emotion' and 'label' both mean 'emotion'"):
        select_columns(collect_inputs([str(tmp_path / "two.csv")]), [])


def test_the_output_folder_of_a_cluster_is_scored(
    work: Path, inputs: Inputs, config: RecogniserConfig, tmp_path: Path
) -> None:
    """Its predictions are a folder of Parquet files."""
    pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    expected = scored(inputs, config, tmp_path / "out", format="parquet")
    report = json.loads((tmp_path / "out" / "batch.json").read_text())
    (tmp_path / "out" / "predictions").mkdir()
    (tmp_path / "out" / "predictions.parquet").rename(tmp_path / "out" / "predictions" / "part-00000.parquet")
    found = score_output(str(tmp_path / "out"), report, select_columns(inputs, ["Gender"]))
    assert found.total.scores.uar == expected.total.scores.uar


def test_audio_of_a_table_keeps_its_name_as_that_may_tell_the_corpus() -> None:
    rows = [Input("03a01Fa.wav", "/cache/ab/ab12.wav", values=("sad",), origin="d.parquet, row 1")]
    rows.append(Input("b.wav", "/data/b.wav", values=("sad",)))
    inputs = Inputs(rows, "d.parquet", ("label",))
    parts = labelled_parts(inputs, select_columns(inputs, []))
    assert [str(part.named_path) for part in parts] == ["03a01Fa.wav", "/data/b.wav"]
