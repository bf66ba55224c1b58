"""The protocols of the reference paper: three phases, each with its own split by clip, on single or duplicated clips.

The paper tests its first phase on 144 clips, a tenth of the 1440 clips of RAVDESS, and the other two on 288: a tenth of
2880, which a recursive read of the usual archive yields, as it holds every clip a second time in a nested folder.

Source: Govindu, "Multimodal Emotion Recognition from Audio".
"""

from dataclasses import replace

from overtone.datatypes import Split, Utterance
from overtone.evaluation.splitting import Utterances, by_clip

TEST_SHARES = {"mel": 0.1, "prosody": 0.2, "fusion": 0.2}
TEST_SHARES_DUPLICATED = {"mel": 0.1, "prosody": 0.1, "fusion": 0.1}
SINGLE_CLIPS = "mel"  # the phase whose 144 test clips are a tenth of the single clips, in the class proportions
COPY = "duplicate/"  # start of the id of the second copy of a clip


def paper(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """The three phases of the paper (mel, prosody, fusion), each with its own split by clip: leaks by design."""
    return tuple(
        by_clip("paper", part, utterances, share, seed=[seed, k], stratified=part == SINGLE_CLIPS)
        for k, (part, share) in enumerate(TEST_SHARES.items(), start=1)
    )


def paper_duplicated(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """As 'paper', with every clip twice in the last two phases: copies of test clips are in the training set."""
    once = [i for i, utterance in enumerate(utterances) if not utterance.clip.startswith(COPY)]
    candidates = {part: once if part == SINGLE_CLIPS else range(len(utterances)) for part in TEST_SHARES_DUPLICATED}
    return tuple(
        by_clip(
            "paper-duplicated", part, utterances, share,
            seed=[seed, k], stratified=part == SINGLE_CLIPS, indices=candidates[part],
        )
        for k, (part, share) in enumerate(TEST_SHARES_DUPLICATED.items(), start=1)
    )  # fmt: skip


def with_copies(utterances: Utterances) -> tuple[Utterance, ...]:
    """Return the clips and then a copy of each, with the same audio file and another id; once only."""
    if any(utterance.clip.startswith(COPY) for utterance in utterances):
        return tuple(utterances)
    return (*utterances, *(replace(utterance, clip=f"{COPY}{utterance.clip}") for utterance in utterances))
