"""ASED v1, the Amharic speech emotion dataset: 65 speakers, 27 sentences, five emotions, 2474 clips.

`a5-03-01-02-50.wav` is angry (a5), sentence 03, first repetition, a man (02), speaker 50. Sentences 01 and 02 are
spoken in every emotion. Each of 03 to 07 is a different text in every emotion: the words give the emotion away, and a
model can learn them. The sentence of such a clip is therefore "angry3" here, that of the others "1" or "2". Most
speakers have only the first or only the second kind.

Four pairs of repetitions contain identical audio, as published: `overtone corpora verify` lists them.

Five names contain another gender than all other names of the same speaker; the gender here is the speaker's, 25 women
and 40 men as published. Judges selected the 2474 clips, so the complete list follows no rule.

Source: Retta et al. 2022; README of https://github.com/wgwangang/ASED_V1. It does not say that 01 and 02 are the common
sentences; the clips show it: the number of some speakers' clips is that of a full set of one kind.
"""

from overtone.corpora.file_names import Fields, FileNameScheme, number_codes
from overtone.corpora.metadata import CorpusInfo

INFO = CorpusInfo(
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

EMOTION_CODES = {"n1": "neutral", "f2": "fearful", "h3": "happy", "s4": "sad", "a5": "angry"}
COMMON_SENTENCES = ("01", "02")
FEMALE = frozenset([*number_codes(1, 37)[::2], "43", "47", "48", "49", "58", "62"])  # up to 37 the odd numbers


def _sentence(fields: Fields) -> str:
    common = fields["sentence"] in COMMON_SENTENCES
    return f"{'' if common else EMOTION_CODES[fields['emotion']]}{int(fields['sentence'])}"


def _clip(fields: Fields) -> str:
    code = fields["emotion"]
    return f"0{code[1]}{EMOTION_CODES[code].title()}/{fields['stem']}"


SCHEME = FileNameScheme(
    info=INFO,
    pattern=(
        r"(?P<emotion>[a-z][0-9])-(?P<sentence>[0-9]{2})-(?P<repetition>[0-9]{2})-(?P<gender>[0-9]{2})"
        r"-(?P<speaker>[0-9]{2})"
    ),
    emotions=EMOTION_CODES,
    genders={speaker: "female" if speaker in FEMALE else "male" for speaker in number_codes(1, 65)},
    repetitions={"01": 1, "02": 2},
    codes={"sentence": number_codes(1, 7), "gender": ("01", "02")},
    sentence=_sentence,
    clip=_clip,
    lower_case=True,  # one of the published names has a capital: S4-04-02-01-29
)

read = SCHEME.read
clips_expected = SCHEME.clips_expected
