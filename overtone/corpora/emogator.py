"""EmoGator: vocal bursts (a scream, a sigh, a laugh) of 357 crowd workers on their own microphones, 30 classes.

`000123-15-2.mp3` is speaker 000123, fear (15), take 2. Seven classes correspond to an emotion of Overtone; clips of the
others are left out. Vocal bursts are not speech: the corpus is for training, to learn voices, rooms and microphones.

Source: Buhl 2023; README of https://github.com/fredbuhl/EmoGator (class numbers).
"""

from overtone.corpora.file_names import FileNameScheme, number_codes
from overtone.corpora.metadata import CorpusInfo

INFO = CorpusInfo(
    name="emogator",
    title="EmoGator, vocal bursts of 357 speakers",
    language="none (vocal bursts)",
    speakers=357,
    emotions=("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised"),
    licence="Apache-2.0",
    citation="Buhl FW (2023) EmoGator: A New Open Source Vocal Burst Dataset with Baseline Machine Learning "
    "Classification Methodologies. https://arxiv.org/abs/2301.00508",
    url="https://github.com/fredbuhl/EmoGator",
    tree="FOLDER/\n└── mp3/\n    ├── 000001-03-1.mp3   (or .wav, .flac, .ogg, .opus)\n    └── ...",
    label="EmoGator",
    clips=7497,  # of the seven classes: 357 speakers, three takes each
    speech=False,
)

EMOTIONS = {
    "03": "angry",
    "10": "disgust",
    "13": "happy",  # elation
    "15": "fearful",
    "18": "neutral",
    "24": "sad",
    "28": "surprised",  # positive surprise
}

SCHEME = FileNameScheme(
    info=INFO,
    pattern=r"(?P<speaker>[0-9]{6})-(?P<emotion>[0-9]{2})-(?P<repetition>[0-9])",
    emotions=EMOTIONS,
    unmapped_emotions=tuple(code for code in number_codes(1, 30) if code not in EMOTIONS),
    repetitions={str(take): take for take in range(1, 10)},
    clip=lambda fields: f"mp3/{fields['stem']}",
)

read = SCHEME.read
clips_expected = SCHEME.clips_expected
