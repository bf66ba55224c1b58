"""What `make demo` shows: answers for the sample speech, then for real clips beside the truth where RAVDESS lies near.

    python examples/demo.py

RAVDESS is looked for in $OVERTONE_DATA/ravdess, else in ../shared/data/ravdess beside the project.
"""

import os
import subprocess
import sys
from pathlib import Path

import overtone
from overtone import corpora
from overtone.datatypes import Prediction, Utterance
from overtone.emotions import EMOTIONS

PROJECT = Path(__file__).resolve().parent.parent
COMMAND = ("overtone", "predict", "examples/speech")


def main() -> int:
    """Runs the demo; returns the exit status."""
    print(f"$ {' '.join(COMMAND)}", flush=True)
    program = Path(sys.executable).with_name(COMMAND[0])
    status = subprocess.run([program, *COMMAND[1:]], cwd=PROJECT, check=False).returncode
    if status:
        return status
    print("\nThis speech was made by tools/make_speech.py: the files are named after the manner of speaking.")
    folder = data_folder() / "ravdess"
    if folder.is_dir():
        real_clips(folder)
    else:
        print("No RAVDESS here for real clips: set OVERTONE_DATA to the folder that holds ravdess/.")
    return 0


def data_folder() -> Path:
    """Where the real corpora would be."""
    return Path(os.environ.get("OVERTONE_DATA") or PROJECT.parent / "shared" / "data")


def real_clips(folder: Path) -> None:
    """Recognises one clip per emotion and prints the truth beside the answer."""
    recogniser = overtone.load()
    chosen = one_per_emotion(corpora.read_corpus("ravdess", folder).utterances)
    print("\nReal clips from RAVDESS, one per emotion:\n")
    print(f"  {'clip':36}{'acted as':11}{'answer':11}confidence")
    for utterance in chosen:
        print(row(utterance, recogniser.recognise(utterance.path)))
    print(
        "\nThe bundled model was made from this very corpus: this shows that it runs, not how good it is."
        "\nHow good it is on speakers it has never heard is measured in docs/results.md."
    )


def one_per_emotion(utterances: tuple[Utterance, ...]) -> list[Utterance]:
    """One utterance of each emotion, of different speakers where there are enough.

    Args:
        utterances: in the order of the corpus, speaker by speaker.
    """
    by_emotion = [[each for each in utterances if each.emotion == emotion] for emotion in EMOTIONS]
    present = [group for group in by_emotion if group]
    return [group[place * len(group) // len(present)] for place, group in enumerate(present)]


def row(utterance: Utterance, answer: Prediction) -> str:
    """One line: clip, truth, answer and a mark where both agree."""
    mark = "" if answer.emotion == utterance.emotion else "  (differs)"
    return f"  {utterance.clip:36}{utterance.emotion:11}{answer.emotion:11}{answer.confidence:10.0%}{mark}"


if __name__ == "__main__":
    sys.exit(main())
