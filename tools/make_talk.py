"""Create the example of the web page: the sample speech as a conversation of two speakers, with their speaker turns.

python tools/make_talk.py [FOLDER]
"""

import sys
from pathlib import Path

import numpy as np
import soundfile

PROJECT = Path(__file__).resolve().parent.parent
SPEECH = PROJECT / "examples" / "speech"
FOLDER = PROJECT / "overtone" / "service" / "web" / "examples"
TALK = (  # speaker, name of the sample
    ("Anna", "level"),
    ("Ben", "quick-bright-high"),
    ("Anna", "slow-soft-low"),
    ("Ben", "loud-hard-falling"),
    ("Anna", "high-trembling"),
)
PAUSE_S = 0.8  # long enough to end a segment


def main(folder: Path) -> None:
    """Write `talk.flac` and `talk.rttm` to a folder."""
    blocks, turns, start_s = [], [], 0.0
    for speaker, name in TALK:
        samples, rate_hz = soundfile.read(SPEECH / f"{name}.flac", dtype="int16")
        turns.append(f"SPEAKER talk 1 {start_s:.3f} {len(samples) / rate_hz:.3f} <NA> <NA> {speaker} <NA> <NA>\n")
        blocks += [samples, np.zeros(round(PAUSE_S * rate_hz), np.int16)]
        start_s += len(samples) / rate_hz + PAUSE_S
    soundfile.write(folder / "talk.flac", np.concatenate(blocks), rate_hz)
    (folder / "talk.rttm").write_text("".join(turns), "utf-8")
    print(f"{start_s:.1f} s in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
