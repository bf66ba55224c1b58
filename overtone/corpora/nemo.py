"""nEMO: 9 Polish actors, 90 sentences, six emotions, 4481 clips.

`WR0_surprised_64.wav` is speaker WR0, surprised, sentence 64. The table `data.tsv` next to the clips adds the texts and
the age of the speakers. It is not needed: a number stands for one sentence, and the gender of a speaker is always the
same. Not every speaker speaks every sentence in every emotion, and which clips are missing follows no rule.

Source: Christop 2024; README and data.tsv of https://github.com/amu-cai/nEMO.
"""

from overtone.corpora.file_names import FileNameScheme, number_codes, speaker_genders
from overtone.corpora.metadata import CorpusInfo

INFO = CorpusInfo(
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

SCHEME = FileNameScheme(
    info=INFO,
    pattern=r"(?P<speaker>[A-Z]{2}[0-9])_(?P<emotion>[a-z]+)_(?P<sentence>[0-9]{1,3})",
    emotions={
        "neutral": "neutral",
        "happiness": "happy",
        "sadness": "sad",
        "anger": "angry",
        "fear": "fearful",
        "surprised": "surprised",
    },
    genders=speaker_genders(female=("EB0", "IC0", "KD0", "MK0"), male=("KS0", "MP0", "SM0", "TP0", "WR0")),
    codes={"sentence": number_codes(1, 90, digits=1)},
    clip=lambda fields: f"samples/{fields['stem']}",
    other_files={"data.tsv": "table of the corpus"},
)

read = SCHEME.read
clips_expected = SCHEME.clips_expected
