"""EMOVO: 6 Italian actors, 14 sentences, seven emotions, 588 clips: every actor speaks every sentence in every emotion.

`gio-f1-b1.wav` is joy (gioia), the first woman, sentence b1. Sentences are short (b), long (l), nonsense (n) or
questions (d).

Source: Costantini et al. 2014.
"""

from overtone.corpora.file_names import FileNameScheme, speaker_genders
from overtone.corpora.metadata import CorpusInfo

INFO = CorpusInfo(
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

SCHEME = FileNameScheme(
    info=INFO,
    pattern=r"(?P<emotion>[a-z]{3})-(?P<speaker>[a-z][0-9])-(?P<sentence>[a-z][0-9])",
    emotions={  # first letters of the Italian words
        "neu": "neutral",
        "gio": "happy",  # gioia
        "tri": "sad",  # tristezza
        "rab": "angry",  # rabbia
        "pau": "fearful",  # paura
        "dis": "disgust",
        "sor": "surprised",  # sorpresa
    },
    genders=speaker_genders(female=("f1", "f2", "f3"), male=("m1", "m2", "m3")),
    codes={"sentence": ("b1", "b2", "b3", "d1", "d2", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5")},
    clip=lambda fields: f"{fields['speaker']}/{fields['stem']}",
    all_stems="{emotion}-{speaker}-{sentence}",
)

read = SCHEME.read
clips_expected = SCHEME.clips_expected
