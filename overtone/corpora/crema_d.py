"""CREMA-D: 91 actors, 12 sentences, six emotions, 7442 clips. Of the labels the emotion that was meant is taken.

A file is known by its name alone: `1001_IEO_ANG_HI.wav` is actor 1001, sentence "It's eleven o'clock", angry, high
intensity. Only this sentence has intensities (LO, MD, HI); the others have XX, unspecified.

Source: Cao et al. 2014; README and VideoDemographics.csv of https://github.com/CheyneyComputerScience/CREMA-D.
"""

import re
from pathlib import Path

from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.corpora.scan import AUDIO_SUFFIXES, invalid_field, name_mismatch, numbers, scan_folder
from overtone.datatypes import Utterance

ABOUT = CorpusInfo(
    name="crema_d",
    title="Crowd-sourced Emotional Multimodal Actors Dataset (CREMA-D)",
    language="English (United States)",
    speakers=91,
    emotions=("neutral", "happy", "sad", "angry", "fearful", "disgust"),
    licence="Open Database License 1.0; contents: Database Contents License 1.0",
    citation=(
        "Cao H, Cooper DG, Keutmann MK, Gur RC, Nenkova A, Verma R (2014) CREMA-D: Crowd-sourced Emotional Multimodal "
        "Actors Dataset. IEEE Transactions on Affective Computing 5(4): 377-390. "
        "https://doi.org/10.1109/TAFFC.2014.2336244"
    ),
    url="https://github.com/CheyneyComputerScience/CREMA-D",
    tree="FOLDER/\n└── AudioWAV/\n    ├── 1001_DFA_ANG_XX.wav   (or .flac, .ogg, .opus, .mp3)\n    └── ...",
    label="CREMA-D",
    clips=7442,
)

NAME = re.compile(r"([0-9]{4})_([A-Z]{3})_([A-Z]{3})_([A-Z]{2})")
CORRECTED = {"1040_ITH_SAD_X": "1040_ITH_SAD_XX"}  # as published
FIELDS = ("actor", "sentence", "emotion", "intensity")
ACTORS = numbers(1001, 1091)
SENTENCES = ("DFA", "IEO", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI")
EMOTION_OF = {
    "NEU": "neutral",
    "HAP": "happy",
    "SAD": "sad",
    "ANG": "angry",
    "FEA": "fearful",
    "DIS": "disgust",
}
INTENSITY_OF = {"LO": "weak", "MD": "normal", "HI": "strong", "XX": ""}
FEMALE_ACTORS = (
    "1002 1003 1004 1006 1007 1008 1009 1010 1012 1013 1018 1020 1021 1024 1025 1028 1029 1030 1037 1043 1046 1047 "
    "1049 1052 1053 1054 1055 1056 1058 1060 1061 1063 1072 1073 1074 1075 1076 1078 1079 1082 1084 1089 1091"
)
FEMALE = frozenset(FEMALE_ACTORS.split())


def read(folder: Path) -> CorpusScan:
    """The clips below a folder, at any depth, and what else lies there; see `files.scan_folder`.

    The repository holds each clip as WAV and as MP3 (and as video): the WAV is taken, the MP3 counts as there twice.

    Returns:
        Utterances sorted by clip, `speaker` "1001" to "1091", `sentence` such as "IEO", `intensity` where it was
        specified, `clip` such as "AudioWAV/1001_DFA_ANG_XX" wherever the file lies.

    Raises:
        CorpusError: no such folder, one that cannot be looked into, or no clip in it.
    """
    return scan_folder(folder, ABOUT, _known, AUDIO_SUFFIXES)


def clips_expected() -> frozenset[str]:
    """Nothing: 20 of the 91 x 82 clips were never made, and which follows no rule."""
    return frozenset()


def _known(path: Path) -> Utterance | str:
    """The clip that a file holds, or why it holds none."""
    stem = CORRECTED.get(path.stem, path.stem)
    name = NAME.fullmatch(stem)
    if not name:
        return name_mismatch(ABOUT)
    foreign = invalid_field(zip(FIELDS, name.groups(), (ACTORS, SENTENCES, EMOTION_OF, INTENSITY_OF), strict=True))
    if foreign:
        return foreign
    if path.suffix.lower() == ".flv":
        return "video"
    actor, sentence, emotion, intensity = name.groups()
    return Utterance(
        path=path,
        emotion=EMOTION_OF[emotion],
        speaker=actor,
        sentence=sentence,
        corpus=ABOUT.name,
        gender="female" if actor in FEMALE else "male",
        intensity=INTENSITY_OF[intensity],
        clip=f"AudioWAV/{stem}",
    )
