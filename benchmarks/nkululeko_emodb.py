"""Score nkululeko on EmoDB, one speaker left out at a time, with the clips, folds and measures of our results.

    python -m benchmarks.nkululeko_emodb --python VENV/bin/python --emodb DIR

VENV has nkululeko; Overtone does not depend on it. The experiment is the usual one of its documentation: eGeMAPS
functionals, standardised, and a support vector machine. It runs once per speaker, as its own cross-validation (`logo`)
stores no predictions. Its scores, and those in results/oof/emodb, are written to
results/nkululeko.json and into the table of docs/nkululeko.md. Run it in the project folder.
"""

import csv
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import make_parser, write_results
from overtone._internal.atomic_write import write_text
from overtone.corpora import read_corpus
from overtone.datatypes import OofPredictions, Utterance
from overtone.emotions import order_classes
from overtone.errors import InputError, OvertoneError
from overtone.evaluation import oof_files
from overtone.evaluation.calibration import reliability
from overtone.evaluation.metrics import SEED, score

OOF, RESULT, PAGE = Path("results/oof/emodb"), Path("results/nkululeko.json"), Path("docs/nkululeko.md")
OURS = {
    "Overtone, recipe encoder-one-corpus": "loso-encoder-one-corpus-fusion.csv",
    "Overtone, recipe finetuned-ensemble": "loso-finetuned-ensemble-fusion.csv",
    "eGeMAPS + SVM, tuned per fold (benchmarks/README.md)": "loso-egemaps-svm-svm.csv",
}
TABLE = re.compile(r"(?<=<!-- scores:start -->\n).*?(?=<!-- scores:end -->)", re.DOTALL)
INI = """[EXP]
root = {root}
name = emodb
[DATA]
databases = ['emodb']
emodb = {root}/emodb.csv
emodb.type = csv
emodb.absolute_path = True
emodb.split_strategy = ['{speaker}']
no_reuse = True
target = emotion
labels = {labels}
[FEATS]
type = ['os']
scale = standard
[MODEL]
type = svm
"""


def write_experiment(clips: Sequence[Utterance], speaker: str, root: Path) -> Path:
    """Write the table of clips and the INI file that tests on a speaker; return the path of the INI file."""
    with (root / "emodb.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "speaker", "gender", "emotion"])
        writer.writerows((clip.path.resolve(), f"s{clip.speaker}", clip.gender, clip.emotion) for clip in clips)
    labels = list(order_classes(clip.emotion for clip in clips))
    (root / "emodb.ini").write_text(INI.format(root=root, labels=labels, speaker=f"s{speaker}"), "utf-8")
    return root / "emodb.ini"


def read_predictions(rows: Sequence[dict[str, str]], clips: Sequence[Utterance]) -> OofPredictions:
    """The predictions in the rows of the CSV files of nkululeko.

    Raises:
        InputError: they do not predict each clip once.
    """
    clip_of = {str(clip.path.resolve()): clip for clip in clips}
    if sorted(row["file"] for row in rows) != sorted(clip_of):
        raise InputError(f"nkululeko made {len(rows)} predictions, expected one for each of {len(clips)} clips")
    emotions = order_classes(clip.emotion for clip in clips)
    found = []
    for row in rows:
        clip, values = clip_of[row["file"]], np.array([float(row[emotion]) for emotion in emotions])
        key = (clip.clip, clip.corpus, clip.speaker, clip.sentence, clip.speaker, 0, clip.emotion)
        found.append((*key, *(values / values.sum())))
    return oof_files.from_rows(emotions, found)


def measures(predictions: OofPredictions) -> dict[str, Any]:
    """UAR with its interval, WA, calibration error, clips and speakers."""
    scores = score(predictions, np.random.default_rng(SEED))
    return {
        "uar": [scores.uar.value, scores.uar.low, scores.uar.high],
        "wa": scores.wa.value,
        "ece": reliability(predictions).ece,
        "clips": scores.clips,
        "speakers": scores.speakers,
    }


def table(result: dict[str, Any]) -> str:
    """The scores as Markdown."""
    lines = ["| System | UAR | WA | ECE |", "| --- | ---: | ---: | ---: |"]
    for name, row in result["systems"].items():
        uar, low, high = (100 * value for value in row["uar"])
        lines.append(f"| {name} | {uar:.1f} [{low:.1f}, {high:.1f}] | {100 * row['wa']:.1f} | {100 * row['ece']:.1f} |")
    first = next(iter(result["systems"].values()))
    note = (
        f"EmoDB, {first['clips']} clips of {first['speakers']} speakers, one speaker left out at a time; in per cent, "
        f"UAR with its 95 % interval over speakers. nkululeko {result['version']}, with its default settings."
    )
    return "\n".join([*lines, "", note, ""])


def _predict_speaker(python: Path, clips: Sequence[Utterance], speaker: str, root: Path) -> list[dict[str, str]]:
    """The rows of the predictions for one speaker, by a model that was trained on all others."""
    command = [str(python), "-m", "nkululeko.nkululeko", "--config", str(write_experiment(clips, speaker, root))]
    process = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    found = sorted(root.rglob("pred_*.csv"))
    if process.returncode or not found:
        raise InputError(f"{python}: nkululeko failed: {(process.stderr or process.stdout).strip()[-500:]}")
    with found[0].open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    found[0].unlink()  # so that the next speaker's are not mistaken for it
    return rows


def run(python: Path, clips: Sequence[Utterance]) -> dict[str, Any]:
    """Run the experiment; return the result.

    Raises:
        InputError: nkululeko is missing or fails; the message ends with what it printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        speakers = sorted({clip.speaker for clip in clips})
        rows = [row for speaker in speakers for row in _predict_speaker(python, clips, speaker, Path(folder))]
    own = measures(read_predictions(rows, clips))
    version = "from nkululeko.constants import VERSION; print(VERSION)"
    printed = subprocess.run([str(python), "-c", version], capture_output=True, text=True, check=True).stdout.strip()
    systems = {"nkululeko, eGeMAPS + SVM": own}
    systems |= {name: measures(oof_files.read(OOF / file)) for name, file in OURS.items()}
    return {"version": printed, "systems": systems}


def main(arguments: list[str] | None = None) -> int:
    """Run, write the result and the table; return the exit status."""
    parser = make_parser("nkululeko_emodb", __doc__)
    parser.add_argument("--python", type=Path, required=True, metavar="FILE", help="Python with nkululeko.")
    parser.add_argument("--emodb", type=Path, required=True, metavar="DIR", help="Folder of EmoDB.")
    args = parser.parse_args(arguments)
    try:
        result = run(args.python.absolute(), read_corpus("emodb", args.emodb).utterances)
        write_results(RESULT, result, rounded=False)
        write_text(PAGE, TABLE.sub(lambda _: table(result), PAGE.read_text("utf-8")))
    except (OvertoneError, OSError) as error:
        print(f"nkululeko_emodb: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
