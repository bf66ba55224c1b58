"""Makes the example of the page: the sample speech as a talk between two, and who speaks when.

python tools/make_talk.py [FOLDER]
"""

import sys
from pathlib import Path

import numpy as np
import soundfile

PROJECT = Path(__file__).resolve().parent.parent
SPEECH = PROJECT / "examples" / "speech"
FOLDER = PROJECT / "overtone" / "service" / "web" / "examples"
TALK = (
    ("Anna", "level"),
    ("Ben", "quick-bright-high"),
    ("Anna", "slow-soft-low"),
    ("Ben", "loud-hard-falling"),
    ("Anna", "high-trembling"),
)
PAUSE_S = 0.8  # long enough to end a segment


def main(folder: Path) -> None:
    """Writes `talk.flac` and `talk.rttm`."""
    pieces, turns, at_s = [], [], 0.0
    for speaker, manner in TALK:
        samples, rate_hz = soundfile.read(SPEECH / f"{manner}.flac", dtype="int16")
        turns.append(f"SPEAKER talk 1 {at_s:.3f} {len(samples) / rate_hz:.3f} <NA> <NA> {speaker} <NA> <NA>\n")
        pieces += [samples, np.zeros(round(PAUSE_S * rate_hz), np.int16)]
        at_s += len(samples) / rate_hz + PAUSE_S
    soundfile.write(folder / "talk.flac", np.concatenate(pieces), rate_hz)
    (folder / "talk.rttm").write_text("".join(turns), "utf-8")
    print(f"{at_s:.1f} s in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
