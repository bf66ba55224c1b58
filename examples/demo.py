"""The demo of `make demo`: predictions for the example speech, and for real clips with their labels if RAVDESS exists.

    python examples/demo.py

RAVDESS is read from $OVERTONE_DATA/ravdess, or from ../shared/data/ravdess next to the project.
"""

import os
import subprocess
import sys
from pathlib import Path

import overtone
from overtone import corpora
from overtone.datatypes import Prediction, Utterance
from overtone.emotions import EMOTIONS
from overtone.inference.selection import merged_classes

PROJECT = Path(__file__).resolve().parent.parent
COMMAND = ("overtone", "predict", "examples/speech")


def main() -> int:
    """Run the demo and return the exit code."""
    print(f"$ {' '.join(COMMAND)}", flush=True)
    program = Path(sys.executable).with_name(COMMAND[0])
    exit_code = subprocess.run([program, *COMMAND[1:]], cwd=PROJECT, check=False).returncode
    if exit_code:
        return exit_code
    print("\nThis speech was synthesised by tools/make_speech.py: the file names describe the manner of speaking.")
    folder = data_folder() / "ravdess"
    if folder.is_dir():
        show_real_clips(folder)
    else:
        print("No real clips: RAVDESS was not found. Set OVERTONE_DATA to the folder that contains ravdess/.")
    return 0


def data_folder() -> Path:
    """Return the folder of the corpora, which need not exist."""
    return Path(os.environ.get("OVERTONE_DATA") or PROJECT.parent / "shared" / "data")


def show_real_clips(folder: Path) -> None:
    """Recognise one clip per emotion and print each label next to the prediction."""
    recogniser = overtone.load()
    clips = one_per_emotion(corpora.read_corpus("ravdess", folder).utterances)
    print("\nReal clips from RAVDESS, one per emotion:\n")
    print(f"  {'clip':36}{'label':11}{'prediction':11}confidence")
    for utterance in clips:
        print(format_row(utterance, recogniser.recognise(utterance.path)))
    print(
        "\nThe bundled model was trained on this corpus: the table shows that the model runs, not how good it is."
        "\nThe scores for speakers that were not in the training data are in docs/results.md."
    )


def one_per_emotion(utterances: tuple[Utterance, ...]) -> list[Utterance]:
    """Return one utterance of each emotion, of different speakers if there are enough.

    Args:
        utterances: in the order of the corpus, speaker by speaker.
    """
    by_emotion = [[each for each in utterances if each.emotion == emotion] for emotion in EMOTIONS]
    groups = [group for group in by_emotion if group]
    return [group[index * len(group) // len(groups)] for index, group in enumerate(groups)]


def format_row(utterance: Utterance, prediction: Prediction) -> str:
    """Return a line of the table: clip, label, prediction, confidence, and a mark if label and prediction differ.

    A label that the model lacks is that of the class to which it counts: calm is neutral.
    """
    label = merged_classes(prediction.emotions).get(utterance.emotion)
    mark = "" if prediction.emotion == label else "  (differs)"
    return f"  {utterance.clip:36}{utterance.emotion:11}{prediction.emotion:11}{prediction.confidence:10.0%}{mark}"


if __name__ == "__main__":
    sys.exit(main())
