"""EmoDB, the Berlin database of emotional speech: 10 actors, ten German sentences, seven emotions, 535 clips.

A file is known by its name alone: `03a01Fa.wav` is speaker 03, sentence a01, happy (F for Freude), version a. Of some
800 recordings those were kept whose emotion at least 80 % of the listeners named, so classes and speakers are uneven.

Source: Burkhardt et al. 2005; http://emodb.bilderbar.info (code of names, speakers).
"""

import re
from pathlib import Path

from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.corpora.scan import AUDIO_SUFFIXES, invalid_field, name_mismatch, scan_folder
from overtone.datatypes import Utterance
from overtone.emotions import CORPUS_SYNONYMS

ABOUT = CorpusInfo(
    name="emodb",
    title="Berlin Database of Emotional Speech (EmoDB)",
    language="German",
    speakers=10,
    emotions=("neutral", "happy", "sad", "angry", "fearful", "disgust", "bored"),
    licence="free for research; see the home page",
    citation=(
        "Burkhardt F, Paeschke A, Rolfes M, Sendlmeier WF, Weiss B (2005) A database of German emotional speech. "
        "Proc. Interspeech 2005, 1517-1520. https://doi.org/10.21437/Interspeech.2005-446"
    ),
    url="http://emodb.bilderbar.info",
    tree="FOLDER/\n└── wav/\n    ├── 03a01Fa.wav   (or .flac, .ogg, .opus, .mp3)\n    └── ...",
    label="EmoDB",
    clips=535,
)

NAME = re.compile(r"([0-9]{2})([a-z][0-9]{2})([A-Z])([a-z])")
FEMALE = ("08", "09", "13", "14", "16")
MALE = ("03", "10", "11", "12", "15")
SENTENCES = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
EMOTION_OF = {  # first letters of the German words
    "N": "neutral",
    "F": "happy",  # Freude
    "T": "sad",  # Trauer
    "W": "angry",  # Wut
    "A": CORPUS_SYNONYMS["anxiety"],  # Angst
    "E": "disgust",  # Ekel
    "L": "bored",  # Langeweile
}


def read(folder: Path) -> CorpusScan:
    """The clips below a folder, at any depth, and what else lies there; see `files.scan_folder`.

    Returns:
        Utterances sorted by clip, `speaker` such as "03", `sentence` such as "a01", `repetition` 1 for version a, 2 for
        version b ..., `clip` such as "wav/03a01Fa" wherever the file lies.

    Raises:
        CorpusError: no such folder, one that cannot be looked into, or no clip in it.
    """
    return scan_folder(folder, ABOUT, _known, AUDIO_SUFFIXES)


def clips_expected() -> frozenset[str]:
    """Nothing: listeners chose the 535 clips, so their names follow no rule."""
    return frozenset()


def _known(path: Path) -> Utterance | str:
    """The clip that a file holds, or why it holds none."""
    name = NAME.fullmatch(path.stem)
    if not name:
        return name_mismatch(ABOUT)
    speaker, sentence, emotion, version = name.groups()
    foreign = invalid_field(
        (
            ("speaker", speaker, (*FEMALE, *MALE)),
            ("sentence", sentence, SENTENCES),
            ("emotion", emotion, EMOTION_OF),
        )
    )
    if foreign:
        return foreign
    return Utterance(
        path=path,
        emotion=EMOTION_OF[emotion],
        speaker=speaker,
        sentence=sentence,
        corpus=ABOUT.name,
        gender="female" if speaker in FEMALE else "male",
        repetition=ord(version) - ord("a") + 1,
        clip=f"wav/{path.stem}",
    )
