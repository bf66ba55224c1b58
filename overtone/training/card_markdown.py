"""A model card -> Markdown."""

from collections.abc import Mapping
from typing import Any

from overtone.corpora import CORPORA
from overtone.datatypes import LeakAudit, Score
from overtone.emotions import AROUSAL, VALENCE, list_classes
from overtone.evaluation import error_rates, robustness, subgroups
from overtone.evaluation.document import Block, Heading, Paragraph, Table, to_markdown
from overtone.evaluation.speaker_folds import PROTOCOL

# Protocols whose validation speakers are also in the training set.
CLIP_PROTOCOLS = ("random", "paper", "paper-duplicated")


def card_to_markdown(card: dict[str, Any]) -> str:
    """The card as Markdown."""
    data = [
        (row["corpus"], str(row["clips"]), str(row["speakers"]), row["licence"], row["citation"])
        for row in card["training_data"]
    ]
    init = f", initialised from a run trained on {', '.join(card['init_corpora'])}" if card.get("init_corpora") else ""
    return to_markdown(
        [
            Heading(f"Model card: {card['id']}", level=1),
            Paragraph(
                f"Recognises {list_classes(card['emotions'], most=None)} in speech at {card['sample_rate_hz']} Hz. "
                f"Recipe {card['recipe']['name']}, protocol {card['protocol']}, seed {card['seed']}{init}; trained on "
                f"{card['training_clips']} clips, {_selection(card)}."
            ),
            Paragraph(f"A prediction with a confidence below {card['uncertain_below']:.0%} is marked as uncertain."),
            Paragraph(f"Licence of the weights: {card['licence']}. The code is Apache-2.0."),
            Heading("Training data"),
            Table(("Corpus", "Clips", "Speakers", "Licence", "Citation"), tuple(data)),
            *_pretrained_blocks(card),
            *_teacher_blocks(card),
            Heading("Scores"),
            *_score_blocks(card),
            Heading("Front end"),
            Paragraph(", ".join(f"{name} {value:g}" for name, value in card["front_end"].items())),
            Heading("Limits"),
            Paragraph(card["limits"]),
            Heading("Versions"),
            Paragraph(", ".join(f"{name} {version}" for name, version in card["versions"].items())),
        ]
    )


def _selection(card: dict[str, Any]) -> str:
    """What the validation clips served for."""
    count, validation = card["validation_clips"], card["recipe"].get("validation")
    if card["protocol"] == PROTOCOL:
        return "with the number of epochs chosen by cross-validation"
    source = "other clips" if card["protocol"] in CLIP_PROTOCOLS else "clips of other speakers"
    if validation == "left-out-corpora":
        return f"and on {count} {source}; each network leaves out another corpus, which calibrates it"
    if validation == "rotating":
        return f"and on {count} {source}, of which each network leaves out a part"
    return f"with the epoch selected on {count} {source}"


def _teacher_blocks(card: dict[str, Any]) -> list[Block]:
    """Which recipe has taught the networks; nothing if none has."""
    teacher = card.get("teacher")
    if not teacher:
        return []
    names = ", ".join(f"{row['name']} ({row['licence']})" for row in teacher["pretrained"])
    using = f", which uses the pretrained weights of {names}; the model does not contain them" if names else ""
    text = (
        f"{100 * teacher['weight']:.0f} per cent of the targets are predictions of recipe {teacher['recipe']}{using}."
    )
    return [Heading("Teacher"), Paragraph(text)]


def _arousal_valence_blocks(card: dict[str, Any]) -> list[Block]:
    """How well arousal and valence are recognised; nothing if it was not measured."""
    keys = ("arousal_auc", "valence_auc")
    lines = [
        (row["protocol"], row["part"], *(f"{row[key]:.3f}" if key in row else "-" for key in keys))
        for row in card["scores"]
        if any(key in row for key in keys)
    ]
    text = (
        f"Arousal and valence: area under the ROC curve of telling high from low arousal ({_ends(AROUSAL)}) and "
        f"positive from negative valence ({_ends(VALENCE)}); mean of the folds, 0.5 is chance."
    )
    return [Paragraph(text), Table(("Protocol", "Part", "Arousal", "Valence"), tuple(lines))] if lines else []


def _ends(values: Mapping[str, float]) -> str:
    """The emotions at the upper end of a scale; those at its lower end."""
    return "; ".join(", ".join(name for name, value in values.items() if value == end) for end in (1.0, 0.0))


def _language(corpus: str) -> str:
    return f"{corpus}, {CORPORA[corpus].INFO.language}" if corpus in CORPORA else corpus


def _pretrained_blocks(card: dict[str, Any]) -> list[Block]:
    """The pretrained networks that are part of the model; nothing if there are none."""
    rows = [(row["name"], row["licence"], row["citation"], row["sha256"]) for row in card.get("pretrained", [])]
    header = ("Pretrained network", "Licence", "Citation", "SHA-256 of its file")
    return [Heading("Pretrained weights"), Table(header, tuple(rows))] if rows else []


def _fold_blocks(card: dict[str, Any]) -> list[Block]:
    """The UAR of each fold, where a score is the mean of the folds; nothing if there is no such score."""
    rows = [row for row in card["scores"] if row.get("folds")]
    folds = sorted({fold for row in rows for fold in row["folds"]})
    lines = [
        (
            row["protocol"],
            row["part"],
            *(f"{100 * row['folds'][fold]:.1f}" if fold in row["folds"] else "-" for fold in folds),
        )
        for row in rows
    ]
    text = "Means of folds: the UAR above is the mean of these, each of models that were not trained on that corpus."
    return [Paragraph(text), Table(("Protocol", "Part", *map(_language, folds)), tuple(lines))] if lines else []


def _score_blocks(card: dict[str, Any]) -> list[Block]:
    """The scores of a card, and which models they are of."""
    if not card["scores"]:
        return [Paragraph("None: no clips were held out for a test.")]
    lines = [
        (
            row["protocol"],
            row["part"],
            str(Score(row["uar"], row["uar_low"], row["uar_high"])),
            f"{100 * row['wa']:.1f}",
            f"{100 * row['macro_f1']:.1f}",
            f"{row['clips']} clips, {row['speakers']} speakers, seeds: {row['seeds']}",
            str(LeakAudit(**row["audit"])),
        )
        for row in card["scores"]
    ]
    scope = (
        "Scores of this file itself, on its test set"
        if card["scores_of"] == "this file"
        else "Scores not of this file but of models trained with the same recipe, each tested on the clips that its "
        "fold left out; mean over seeds, leak audits of all folds and seeds"
    )
    header = ("Protocol", "Part", "UAR", "WA", "Macro-F1", "Tested on", "Leak audit")
    return [
        Paragraph(f"{scope}; in per cent, with the 95 % interval over speakers."),
        Table(header, tuple(lines)),
        *_fold_blocks(card),
        *_arousal_valence_blocks(card),
        *subgroups.card_blocks(card),
        *robustness.card_blocks(card),
        *error_rates.card_blocks(card),
    ]
