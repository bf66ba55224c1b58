"""EmoDB, the Berlin database of emotional speech: 10 actors, ten German sentences, seven emotions, 535 clips.

`03a01Fa.wav` is speaker 03, sentence a01, happy (F for Freude), version a, which is repetition 1. Of some 800
recordings those were selected whose emotion at least 80 % of the listeners recognised. So classes and speakers are
uneven, and the complete list of clips follows no rule.

A folder `laryngo` has signals of a laryngograph under the names of the clips: the vibration of the vocal folds, not
speech.

Source: Burkhardt et al. 2005; http://emodb.bilderbar.info (code of names, speakers).
"""

import string
from pathlib import Path

from overtone.corpora.file_names import Fields, FileNameScheme, speaker_genders
from overtone.corpora.metadata import CorpusInfo
from overtone.emotions import CORPUS_SYNONYMS

INFO = CorpusInfo(
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


def _exclude(path: Path, _: Fields) -> str | None:
    return "laryngograph" if path.parent.name.lower().startswith("laryngo") else None


SCHEME = FileNameScheme(
    info=INFO,
    pattern=r"(?P<speaker>[0-9]{2})(?P<sentence>[a-z][0-9]{2})(?P<emotion>[A-Z])(?P<repetition>[a-z])",
    emotions={  # first letters of the German words
        "N": "neutral",
        "F": "happy",  # Freude
        "T": "sad",  # Trauer
        "W": "angry",  # Wut
        "A": CORPUS_SYNONYMS["anxiety"],  # Angst
        "E": "disgust",  # Ekel
        "L": "bored",  # Langeweile
    },
    genders=speaker_genders(female=("08", "09", "13", "14", "16"), male=("03", "10", "11", "12", "15")),
    repetitions={letter: number for number, letter in enumerate(string.ascii_lowercase, 1)},
    codes={"sentence": ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")},
    clip=lambda fields: f"wav/{fields['stem']}",
    exclude=_exclude,
)

read = SCHEME.read
clips_expected = SCHEME.clips_expected
