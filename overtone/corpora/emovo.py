"""EMOVO: 6 Italian actors, 14 sentences, seven emotions, 588 clips: every actor says every sentence in every emotion.

A file is known by its name alone: `gio-f1-b1.wav` is joy (gioia), the first woman, sentence b1. Sentences are short
(b), long (l), nonsense (n) or questions (d).

Source: Costantini et al. 2014.
"""

import itertools
import re
from pathlib import Path

from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.corpora.scan import AUDIO_SUFFIXES, invalid_field, name_mismatch, scan_folder
from overtone.datatypes import Utterance

ABOUT = CorpusInfo(
    name="emovo",
    title="EMOVO Corpus, an Italian emotional speech database",
    language="Italian",
    speakers=6,
    emotions=("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised"),
    licence="free for research; see the paper",
    citation=(
        "Costantini G, Iaderola I, Paoloni A, Todisco M (2014) EMOVO Corpus: an Italian Emotional Speech Database. "
        "Proc. LREC 2014, Reykjavik. https://aclanthology.org/L14-1478"
    ),
    url="http://voice.fub.it/activities/corpora/emovo/index.html",
    tree=(
        "FOLDER/\n├── f1/\n│   ├── dis-f1-b1.wav   (or .flac, .ogg, .opus, .mp3)\n│   └── ...\n"
        "├── f2/ f3/ m1/ m2/\n└── m3/"
    ),
    label="EMOVO",
    clips=588,
)

NAME = re.compile(r"([a-z]{3})-([a-z][0-9])-([a-z][0-9])")
SPEAKERS = ("f1", "f2", "f3", "m1", "m2", "m3")
SENTENCES = ("b1", "b2", "b3", "d1", "d2", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5")
EMOTION_OF = {  # first letters of the Italian words
    "neu": "neutral",
    "gio": "happy",  # gioia
    "tri": "sad",  # tristezza
    "rab": "angry",  # rabbia
    "pau": "fearful",  # paura
    "dis": "disgust",
    "sor": "surprised",  # sorpresa
}


def read(folder: Path) -> CorpusScan:
    """The clips below a folder, at any depth, and what else lies there; see `files.scan_folder`.

    Returns:
        Utterances sorted by clip, `speaker` "f1" to "m3", `sentence` such as "b1", `clip` such as "f1/gio-f1-b1"
        wherever the file lies.

    Raises:
        CorpusError: no such folder, one that cannot be looked into, or no clip in it.
    """
    return scan_folder(folder, ABOUT, _known, AUDIO_SUFFIXES)


def clips_expected() -> frozenset[str]:
    """Names of the 588 clips of the whole corpus."""
    names = itertools.product(EMOTION_OF, SPEAKERS, SENTENCES)
    return frozenset(f"{speaker}/{emotion}-{speaker}-{sentence}" for emotion, speaker, sentence in names)


def _known(path: Path) -> Utterance | str:
    """The clip that a file holds, or why it holds none."""
    name = NAME.fullmatch(path.stem)
    if not name:
        return name_mismatch(ABOUT)
    emotion, speaker, sentence = name.groups()
    foreign = invalid_field(
        (("emotion", emotion, EMOTION_OF), ("speaker", speaker, SPEAKERS), ("sentence", sentence, SENTENCES))
    )
    if foreign:
        return foreign
    return Utterance(
        path=path,
        emotion=EMOTION_OF[emotion],
        speaker=speaker,
        sentence=sentence,
        corpus=ABOUT.name,
        gender="female" if speaker.startswith("f") else "male",
        clip=f"{speaker}/{path.stem}",
    )
