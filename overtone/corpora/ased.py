"""ASED v1, the Amharic speech emotion dataset: 65 speakers, 27 sentences, five emotions, 2474 clips.

A file is known by its name alone: `a5-03-01-02-50.wav` is angry (a5), sentence 03, first repetition, a man (02),
speaker 50. Sentences 01 and 02 are said in every emotion. Each of 03 to 07 is another text in every emotion: the words
give the emotion away, and a model can learn them. The sentence of such a clip is therefore "angry3" here, that of the
others "1" or "2". Most speakers have only the first or only the second kind.

Four pairs of repetitions hold the very same sound, as published: `overtone corpora verify` names them.

Five names tell another gender than all the rest of the same speaker's; the gender here is the speaker's, 25 women and
40 men as published.

Source: Retta et al. 2022; README of https://github.com/wgwangang/ASED_V1. That 01 and 02 are the common sentences is
not written there; the clips show it: the number of some speakers' clips is that of a full set of one kind.
"""

import re
from pathlib import Path

from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.corpora.scan import AUDIO_SUFFIXES, invalid_field, name_mismatch, numbers, scan_folder
from overtone.datatypes import Utterance

ABOUT = CorpusInfo(
    name="ased",
    title="Amharic Speech Emotion Dataset (ASED) v1",
    language="Amharic",
    speakers=65,
    emotions=("neutral", "happy", "sad", "angry", "fearful"),
    licence="free to download, no licence named; see the paper",
    citation=(
        "Retta EA, Almekhlafi E, Sutcliffe R, Mhamed M, Ali H, Feng J (2022) A New Amharic Speech Emotion Dataset and "
        "Classification Benchmark. ACM Trans. Asian Low-Resour. Lang. Inf. Process. https://doi.org/10.1145/3529759"
    ),
    url="https://github.com/wgwangang/ASED_V1",
    tree=(
        "FOLDER/\n├── 01Neutral/\n│   ├── n1-01-01-01-01.wav   (or .flac, .ogg, .opus, .mp3)\n│   └── ...\n"
        "├── 02Fearful/ 03Happy/ 04Sad/\n└── 05Angry/"
    ),
    label="ASED",
    clips=2474,
)

NAME = re.compile(r"([a-z][0-9])-([0-9]{2})-([0-9]{2})-([0-9]{2})-([0-9]{2})")
EMOTION_OF = {"n1": "neutral", "f2": "fearful", "h3": "happy", "s4": "sad", "a5": "angry"}
FIELDS = ("emotion", "sentence", "repetition", "gender", "speaker")
VALUES = (tuple(EMOTION_OF), numbers(1, 7), numbers(1, 2), numbers(1, 2), numbers(1, 65))
COMMON_SENTENCES = ("01", "02")
FEMALE = frozenset([*numbers(1, 37)[::2], "43", "47", "48", "49", "58", "62"])  # to 37, the odd ones


def read(folder: Path) -> CorpusScan:
    """The clips below a folder, at any depth, and what else lies there; see `files.scan_folder`.

    Returns:
        Utterances sorted by clip, `speaker` "01" to "65", `sentence` "1", "2" or such as "angry3", `clip` such as
        "05Angry/a5-03-01-02-50" wherever the file lies, and small letters in it even where the file has a capital.

    Raises:
        CorpusError: no such folder, one that cannot be looked into, or no clip in it.
    """
    return scan_folder(folder, ABOUT, _known, AUDIO_SUFFIXES)


def clips_expected() -> frozenset[str]:
    """Nothing: judges chose the 2474 clips, so their names follow no rule."""
    return frozenset()


def _known(path: Path) -> Utterance | str:
    """The clip that a file holds, or why it holds none."""
    stem = path.stem.lower()  # one of the published names has a capital: S4-04-02-01-29
    name = NAME.fullmatch(stem)
    if not name:
        return name_mismatch(ABOUT)
    foreign = invalid_field(zip(FIELDS, name.groups(), VALUES, strict=True))
    if foreign:
        return foreign
    code, sentence, repetition, _, speaker = name.groups()
    emotion = EMOTION_OF[code]
    return Utterance(
        path=path,
        emotion=emotion,
        speaker=speaker,
        sentence=f"{'' if sentence in COMMON_SENTENCES else emotion}{int(sentence)}",
        corpus=ABOUT.name,
        gender="female" if speaker in FEMALE else "male",
        repetition=int(repetition),
        clip=f"0{code[1]}{emotion.title()}/{stem}",
    )
