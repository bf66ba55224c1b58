"""TESS, the Toronto emotional speech set: two actresses, 200 words, seven emotions, 2800 clips.

`OAF_back_angry.wav` is the older actress (YAF: the younger), who says "Say the word back", angry; the sentence is
"back". "Pleasant surprise" (ps) is mapped to surprised. Results on two speakers do not show how a model performs on
other speakers. The naming scheme does not list the 200 words.

Source: Pichora-Fuller and Dupuis 2020.
"""

from overtone.corpora.file_names import FileNameScheme, speaker_genders
from overtone.corpora.metadata import CorpusInfo
from overtone.emotions import CORPUS_SYNONYMS

INFO = CorpusInfo(
    name="tess",
    title="Toronto Emotional Speech Set (TESS)",
    language="English (Canada)",
    speakers=2,
    emotions=("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised"),
    licence="Creative Commons, non-commercial; see the home page for its exact terms",
    citation=(
        "Pichora-Fuller MK, Dupuis K (2020) Toronto emotional speech set (TESS). Scholars Portal Dataverse, V1. "
        "https://doi.org/10.5683/SP2/E8H2MF"
    ),
    url="https://doi.org/10.5683/SP2/E8H2MF",
    tree=(
        "FOLDER/\n├── OAF_back_angry.wav   (or .flac, .ogg, .opus, .mp3; in folders such as OAF_angry or in none)\n"
        "├── ...\n└── YAF_youth_sad.wav"
    ),
    label="TESS",
    clips=2800,
)

SCHEME = FileNameScheme(
    info=INFO,
    pattern=r"(?P<speaker>[A-Z]{3})_(?P<sentence>[a-z]+)_(?P<emotion>[a-z]+)",
    emotions={
        "neutral": "neutral",
        "happy": "happy",
        "sad": "sad",
        "angry": "angry",
        "fear": "fearful",
        "disgust": "disgust",
        "ps": CORPUS_SYNONYMS["pleasant surprise"],
    },
    genders=speaker_genders(female=("OAF", "YAF")),
    clip=lambda fields: fields["stem"],
    corrections={"OA_bite_neutral": "OAF_bite_neutral"},
)

read = SCHEME.read
clips_expected = SCHEME.clips_expected
