"""CREMA-D: 91 actors, 12 sentences, six emotions, 7442 clips. The label is the intended emotion.

`1001_IEO_ANG_HI.wav` is actor 1001, sentence "It's eleven o'clock", angry, high intensity. Only this sentence has
intensities (LO, MD, HI); the others have XX, unspecified. The repository contains each clip as WAV, MP3 and video: the
WAV is used, and the MP3 counts as the same clip twice. 20 of the 91 x 82 clips were never recorded, and which ones
follows no rule.

Source: Cao et al. 2014; README and VideoDemographics.csv of https://github.com/CheyneyComputerScience/CREMA-D.
"""

from pathlib import Path

from overtone.corpora.file_names import Fields, FileNameScheme, number_codes
from overtone.corpora.metadata import CorpusInfo

INFO = CorpusInfo(
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

FEMALE_ACTORS = (
    "1002 1003 1004 1006 1007 1008 1009 1010 1012 1013 1018 1020 1021 1024 1025 1028 1029 1030 1037 1043 1046 1047 "
    "1049 1052 1053 1054 1055 1056 1058 1060 1061 1063 1072 1073 1074 1075 1076 1078 1079 1082 1084 1089 1091"
)
FEMALE = frozenset(FEMALE_ACTORS.split())


def _exclude_video(path: Path, fields: Fields) -> str | None:
    return "video" if path.suffix.lower() == ".flv" else None


SCHEME = FileNameScheme(
    info=INFO,
    pattern=r"(?P<speaker>[0-9]{4})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<intensity>[A-Z]{2})",
    emotions={
        "NEU": "neutral",
        "HAP": "happy",
        "SAD": "sad",
        "ANG": "angry",
        "FEA": "fearful",
        "DIS": "disgust",
    },
    genders={actor: "female" if actor in FEMALE else "male" for actor in number_codes(1001, 1091)},
    intensities={"LO": "weak", "MD": "normal", "HI": "strong", "XX": ""},
    codes={"sentence": ("DFA", "IEO", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI")},
    clip=lambda fields: f"AudioWAV/{fields['stem']}",
    exclude=_exclude_video,
    corrections={"1040_ITH_SAD_X": "1040_ITH_SAD_XX"},
)

read = SCHEME.read
clips_expected = SCHEME.clips_expected
