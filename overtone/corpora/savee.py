"""SAVEE, Surrey Audio-Visual Expressed Emotion, its sound: 4 British men, seven emotions, 480 clips.

A file is known by its name and, where that does not name the speaker, its folder: `DC/sa03.wav` is speaker DC, the
third sad sentence; `DC_sa03.wav` is the same. There are 15 sentences for each emotion and 30 for neutral.

Three sentences are common to all emotions and two of each emotion were said neutrally too, but which numbers those are
is not published with the names. So the sentence of a clip is "sad3" here: the same text may hide under several such
names, and a split by sentence is not clean on this corpus.

Source: Info.txt of the corpus; http://kahlan.eps.surrey.ac.uk/savee/.
"""

import itertools
import re
from pathlib import Path

from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.corpora.scan import AUDIO_SUFFIXES, invalid_field, name_mismatch, numbers, scan_folder
from overtone.datatypes import Utterance

ABOUT = CorpusInfo(
    name="savee",
    title="Surrey Audio-Visual Expressed Emotion (SAVEE), audio",
    language="English (Great Britain)",
    speakers=4,
    emotions=("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised"),
    licence="free for research, after registration; see the home page",
    citation="Jackson P, Haq S, Surrey Audio-Visual Expressed Emotion (SAVEE) database, University of Surrey",
    url="http://kahlan.eps.surrey.ac.uk/savee/",
    tree=(
        "FOLDER/\n├── DC/\n│   ├── a01.wav   (or DC_a01.wav in any folder; or .flac, .ogg, .opus, .mp3)\n│   └── ...\n"
        "├── JE/ JK/\n└── KL/"
    ),
    label="SAVEE",
    clips=480,
)

NAME = re.compile(r"(?:([A-Z]{2})_?)?([a-z]{1,2})([0-9]{2})")
SPEAKERS = ("DC", "JE", "JK", "KL")
EMOTION_OF = {
    "n": "neutral",
    "h": "happy",
    "sa": "sad",
    "a": "angry",
    "f": "fearful",
    "d": "disgust",
    "su": "surprised",
}


def read(folder: Path) -> CorpusScan:
    """The clips below a folder, at any depth, and what else lies there; see `files.scan_folder`.

    Returns:
        Utterances sorted by clip, `speaker` "DC", "JE", "JK" or "KL", `sentence` such as "sad3", `clip` such as
        "DC/sa03" wherever the file lies.

    Raises:
        CorpusError: no such folder, one that cannot be looked into, or no clip in it.
    """
    return scan_folder(folder, ABOUT, _known, AUDIO_SUFFIXES)


def clips_expected() -> frozenset[str]:
    """Names of the 480 clips of the whole corpus."""
    pairs = itertools.product(SPEAKERS, EMOTION_OF)
    return frozenset(f"{speaker}/{code}{number}" for speaker, code in pairs for number in _sentences(code))


def _known(path: Path) -> Utterance | str:
    """The clip that a file holds, or why it holds none."""
    name = NAME.fullmatch(path.stem)
    if not name:
        return name_mismatch(ABOUT)
    named, code, number = name.groups()
    speaker = named or path.parent.name
    if not named and speaker not in SPEAKERS:
        return "no speaker, neither in the name nor as the folder"
    foreign = invalid_field(
        (("speaker", speaker, SPEAKERS), ("emotion", code, EMOTION_OF), ("sentence", number, _sentences(code)))
    )
    if foreign:
        return foreign
    return Utterance(
        path=path,
        emotion=EMOTION_OF[code],
        speaker=speaker,
        sentence=f"{EMOTION_OF[code]}{int(number)}",
        corpus=ABOUT.name,
        gender="male",
        clip=f"{speaker}/{code}{number}",
    )


def _sentences(code: str) -> tuple[str, ...]:
    """The numbers of the sentences of an emotion."""
    return numbers(1, 30 if EMOTION_OF.get(code) == "neutral" else 15)
