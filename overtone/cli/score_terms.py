"""Plain explanations of the words in the table of scores of a model: protocols, parts and measures."""

from collections.abc import Iterable

from overtone.formats.branches import BRANCH_LABELS, branch_explanation, branch_label

PROTOCOLS = {
    "luna5": "tested on speakers of the same corpus that were not trained on, in five groups (Luna-Jimenez et al.)",
    "emobox6": "tested on speakers of the same corpus that were not trained on, in six groups (EmoBox)",
    "loso": "tested on each speaker in turn, trained on the others",
    "cross": "tested on each corpus in turn, trained on the others, which have the same emotions",
    "unseen-corpus": "tested on each corpus in turn, trained on the others: how the model does on other recordings",
    "sentence": "tested on speakers and sentences that were not trained on",
    "random": "tested on other clips of speakers that were trained on, which is easier than strangers",
    "paper": "the splits of the reference paper: test speakers, and some test clips, were trained on",
    "paper-duplicated": "as paper, with every clip twice",
    "all": "trained on all clips, so there are no scores",
}
PARTS = {
    "fusion": "the prediction of the whole model",
    "adapted": "the same, adapted to other clips of the speaker",
    "member": "one of several networks whose probabilities are averaged",
}
MEASURES = {
    "UAR": "unweighted average recall, the share of right predictions, averaged over the emotions",
    "WA": "weighted accuracy, the share of right predictions of all clips",
    "macro-F1": "the harmonic mean of precision and recall, averaged over the emotions",
    "seen in training": "test clips that the model was trained or selected on, too",
}


def explain_terms(protocols: Iterable[str], parts: Iterable[str]) -> list[str]:
    """Return `term: explanation` for the protocols and parts of a table that have one, and for its measures."""
    branches = {name: f"{branch_explanation(name)} (in tables: {branch_label(name)})" for name in BRANCH_LABELS}
    texts = PARTS | branches
    return [
        *(f"{name}: {PROTOCOLS[name]}" for name in dict.fromkeys(protocols) if name in PROTOCOLS),
        *(f"{name}: {texts[name]}" for name in dict.fromkeys(parts) if name in texts),
        *(f"{name}: {text}" for name, text in MEASURES.items()),
    ]
