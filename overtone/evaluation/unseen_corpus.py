"""Protocol `unseen-corpus`: each corpus of speech is tested by models that were trained on the other corpora."""

from collections.abc import Sequence
from dataclasses import replace

from overtone.corpora import CORPORA
from overtone.datatypes import Split
from overtone.errors import CorpusError, OptionError
from overtone.evaluation.splitting import (
    VALIDATION_SHARE,
    Speaker,
    Utterances,
    speakers_of,
    split_speakers,
    validation_speakers,
)

NAME = "unseen-corpus"


def unseen_corpus(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Leave-one-corpus-out with all classes of every corpus: one fold per corpus of speech.

    The corpora may have different classes: test clips of a class that no other corpus has are left out. Corpora without
    speech are in every training set. About a tenth of the speakers of each training corpus are validation speakers.
    """
    speakers = speakers_of(NAME, utterances)
    corpora = sorted({corpus for corpus, _ in speakers})
    tested = [corpus for corpus in corpora if corpus not in CORPORA or CORPORA[corpus].INFO.speech]
    if len(tested) < 2:
        raise OptionError(
            f"protocol '{NAME}' needs clips of at least two corpora of speech; give several with --data CORPUS=PATH"
        )
    validation = {corpus: _tenth_of_speakers(utterances, speakers, corpus, seed) for corpus in corpora}
    return tuple(_leave_corpus_out(utterances, speakers, corpus, validation) for corpus in tested)


def _tenth_of_speakers(utterances: Utterances, speakers: Sequence[Speaker], corpus: str, rotation: int) -> set[Speaker]:
    """Return the validation speakers of a corpus, at least one; none if its only speaker is needed for training."""
    own = [speaker for speaker in speakers if speaker[0] == corpus]
    number = min(len(own) - 1, max(1, round(VALIDATION_SHARE * len(own))))
    return validation_speakers(utterances, own, number, rotation)


def _leave_corpus_out(
    utterances: Utterances, speakers: Sequence[Speaker], corpus: str, validation: dict[str, set[Speaker]]
) -> Split:
    """Return the fold that tests a corpus, without its clips of classes that no other corpus has."""
    test_speakers = {speaker for speaker in speakers if speaker[0] == corpus}
    others = set().union(*(chosen for name, chosen in validation.items() if name != corpus))
    if not others:
        raise CorpusError(f"protocol '{NAME}', fold {corpus}: no speakers left for training and validation")
    split = split_speakers(NAME, corpus, utterances, test_speakers, others)
    learned = {utterances[i].emotion for i in (*split.train, *split.validation)}
    split = replace(split, test=tuple(i for i in split.test if utterances[i].emotion in learned))
    shared = sorted({utterances[i].emotion for i in split.test})
    if len(shared) < 2:
        raise CorpusError(
            f"protocol '{NAME}', fold {corpus}: needs two or more classes that other corpora have too, and has "
            f"{shared[0] if shared else 'none'}; add a corpus with these classes"
        )
    return split
