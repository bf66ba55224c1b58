"""TESS, the Toronto emotional speech set: two actresses, 200 words, seven emotions, 2800 clips.

A file is known by its name alone: `OAF_back_angry.wav` is the older actress (YAF: the younger), who says "Say the word
back", angry. Its "pleasant surprise" (ps) is taken as surprised. Two speakers cannot tell how well a model does on
others.

Source: Pichora-Fuller and Dupuis 2020.
"""

import re
from pathlib import Path

from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.corpora.scan import AUDIO_SUFFIXES, invalid_field, name_mismatch, scan_folder
from overtone.datatypes import Utterance
from overtone.emotions import CORPUS_SYNONYMS

ABOUT = CorpusInfo(
    name="tess",
    title="Toronto Emotional Speech Set (TESS)",
    language="English (Canada)",
    speakers=2,
    emotions=("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised"),
    licence="Creative Commons, non-commercial; see the home page for its exact terms",
    citation=(
        "Pichora-Fuller MK, Dupuis K (2020) Toronto emotional speech set (TESS). Scholars Portal Dataverse, V1. "
        "https://doi.org/10.5683/SP2/E8H2MF"
    ),
    url="https://doi.org/10.5683/SP2/E8H2MF",
    tree=(
        "FOLDER/\n├── OAF_back_angry.wav   (or .flac, .ogg, .opus, .mp3; in folders such as OAF_angry or in none)\n"
        "├── ...\n└── YAF_youth_sad.wav"
    ),
    label="TESS",
    clips=2800,
)

NAME = re.compile(r"([A-Z]{3})_([a-z]+)_([a-z]+)")
CORRECTED = {"OA_bite_neutral": "OAF_bite_neutral"}  # as published
SPEAKERS = ("OAF", "YAF")
EMOTION_OF = {
    "neutral": "neutral",
    "happy": "happy",
    "sad": "sad",
    "angry": "angry",
    "fear": "fearful",
    "disgust": "disgust",
    "ps": CORPUS_SYNONYMS["pleasant surprise"],
}


def read(folder: Path) -> CorpusScan:
    """The clips below a folder, at any depth, and what else lies there; see `files.scan_folder`.

    Returns:
        Utterances sorted by clip, `speaker` "OAF" or "YAF", `sentence` the word after "Say the word", `clip` such as
        "OAF_back_angry" wherever the file lies.

    Raises:
        CorpusError: no such folder, one that cannot be looked into, or no clip in it.
    """
    return scan_folder(folder, ABOUT, _known, AUDIO_SUFFIXES)


def clips_expected() -> frozenset[str]:
    """Nothing: the naming scheme does not say which 200 words there are."""
    return frozenset()


def _known(path: Path) -> Utterance | str:
    """The clip that a file holds, or why it holds none."""
    stem = CORRECTED.get(path.stem, path.stem)
    name = NAME.fullmatch(stem)
    if not name:
        return name_mismatch(ABOUT)
    speaker, word, emotion = name.groups()
    foreign = invalid_field((("speaker", speaker, SPEAKERS), ("emotion", emotion, EMOTION_OF)))
    if foreign:
        return foreign
    return Utterance(
        path=path,
        emotion=EMOTION_OF[emotion],
        speaker=speaker,
        sentence=word,
        corpus=ABOUT.name,
        gender="female",
        clip=stem,
    )
