"""nEMO: 9 Polish actors, 90 sentences, six emotions, 4481 clips.

A file is known by its name alone: `WR0_surprised_64.wav` is speaker WR0, surprised, sentence 64. The table `data.tsv`
that comes with the clips adds the texts and the age of the speakers; it is not needed, as a number stands for one
sentence and the gender of a speaker is always the same.

Source: Christop 2024; README and data.tsv of https://github.com/amu-cai/nEMO.
"""

import re
from pathlib import Path

from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.corpora.scan import AUDIO_SUFFIXES, invalid_field, name_mismatch, numbers, scan_folder
from overtone.datatypes import Utterance

ABOUT = CorpusInfo(
    name="nemo",
    title="nEMO, a dataset of emotional speech in Polish",
    language="Polish",
    speakers=9,
    emotions=("neutral", "happy", "sad", "angry", "fearful", "surprised"),
    licence="CC BY-NC-SA 4.0",
    citation="Christop I (2024) nEMO: Dataset of Emotional Speech in Polish. https://arxiv.org/abs/2404.06292",
    url="https://github.com/amu-cai/nEMO",
    tree=(
        "FOLDER/\n├── data.tsv   (not needed)\n└── samples/\n"
        "    ├── EB0_anger_1.wav   (or .flac, .ogg, .opus, .mp3)\n    └── ..."
    ),
    label="nEMO",
    clips=4481,
)

NAME = re.compile(r"([A-Z]{2}[0-9])_([a-z]+)_([0-9]{1,3})")
FEMALE = ("EB0", "IC0", "KD0", "MK0")
MALE = ("KS0", "MP0", "SM0", "TP0", "WR0")
SENTENCES = numbers(1, 90, digits=1)
EMOTION_OF = {
    "neutral": "neutral",
    "happiness": "happy",
    "sadness": "sad",
    "anger": "angry",
    "fear": "fearful",
    "surprised": "surprised",
}


def read(folder: Path) -> CorpusScan:
    """The clips below a folder, at any depth, and what else lies there; see `files.scan_folder`.

    Returns:
        Utterances sorted by clip, `speaker` such as "WR0", `sentence` "1" to "90", `clip` such as
        "samples/WR0_surprised_64" wherever the file lies.

    Raises:
        CorpusError: no such folder, one that cannot be looked into, or no clip in it.
    """
    return scan_folder(folder, ABOUT, _known, AUDIO_SUFFIXES)


def clips_expected() -> frozenset[str]:
    """Nothing: not every speaker says every sentence in every emotion, and which are missing follows no rule."""
    return frozenset()


def _known(path: Path) -> Utterance | str:
    """The clip that a file holds, or why it holds none."""
    if path.name == "data.tsv":
        return "table of the corpus"
    name = NAME.fullmatch(path.stem)
    if not name:
        return name_mismatch(ABOUT)
    speaker, emotion, sentence = name.groups()
    foreign = invalid_field(
        (("speaker", speaker, (*FEMALE, *MALE)), ("emotion", emotion, EMOTION_OF), ("sentence", sentence, SENTENCES))
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
        clip=f"samples/{path.stem}",
    )
