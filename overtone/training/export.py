"""A finished run -> model.onnx with its card, and the card as model.md."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from overtone._internal.atomic_write import write_text
from overtone.audio.decode import read_utterance
from overtone.datatypes import Utterance, Waveform
from overtone.evaluation import error_rates, oof_files, robustness, subgroups
from overtone.recipe import FUSION
from overtone.training.card_builder import make_card, oof_score_rows, run_score_rows
from overtone.training.card_markdown import card_to_markdown
from overtone.training.onnx_export import export_onnx
from overtone.training.run_folder import load_network, run_settings, uncertain_below

CHECKED_CLIPS, CANDIDATE_CLIPS = 6, 24


def export_run(
    utterances: Sequence[Utterance],
    folder: Path,
    *,
    model_id: str,
    scores: Path | None = None,
    robustness_file: Path | None = None,
) -> Path:
    """Export the network of a run with its card: `model.onnx` and `model.md` in the run folder.

    Args:
        utterances: the clips of the training run; some of them check the export.
        folder: a finished run folder.
        model_id: name of the model.
        scores: folder of out-of-fold predictions to quote; None quotes the run's own test set.
        robustness_file: results of `python -m benchmarks.robustness` to quote; None for none.

    Returns:
        Path of the model.

    Raises:
        TrainingError: the run is not finished.
        InputError: no predictions of this recipe in `scores`, or damaged results.
        ModelError: onnxruntime and torch do not agree.
    """
    network, run = load_network(folder)
    rows = oof_score_rows(scores, run_settings(run)) if scores else run_score_rows(folder, run)
    subgroup_rows = subgroups.card_rows(scores, run["recipe"]["name"]) if scores else []
    threshold = uncertain_below(folder)
    rates = error_rates.card_section(scores, run["recipe"]["name"]) if scores else error_rates_of_run(folder, run)
    card = make_card(
        run, model_id, rows,
        of_file=scores is None, subgroup_rows=subgroup_rows, uncertain_below=threshold,
        robustness_rows=robustness.card_rows(robustness_file, run["recipe"]["name"]) if robustness_file else (),
        error_rates=rates,
    )  # fmt: skip
    path = folder / "model.onnx"
    difference = export_onnx(network, card, select_check_clips(utterances), path)
    note = f"\n\nonnxruntime and torch differ by at most {difference:.1e} on the clips tried.\n"
    write_text(folder / "model.md", card_to_markdown(card).rstrip() + note)
    return path


def error_rates_of_run(folder: Path, run: dict[str, Any]) -> dict[str, Any]:
    """The error rates on the held-out clips of a run, by corpus if there are several, else by speaker.

    They are empty without held-out clips, and where the speakers of these clips are also in the training set.

    Args:
        folder: of the run, with its predictions.
        run: content of run.json.
    """
    paths = {part: folder / f"predictions-{part}.csv" for part in error_rates.PARTS}
    predictions = {part: oof_files.read(path) for part, path in paths.items() if path.is_file()}
    if not predictions or run["audits"][FUSION]["shared_speakers"]:
        return {}
    corpora = set(next(iter(predictions.values())).corpus.tolist())
    group_by = "corpus" if len(corpora) >= error_rates.MIN_GROUPS else "speaker"
    return error_rates.section(predictions, run["protocol"], group_by)


def select_check_clips(utterances: Sequence[Utterance]) -> list[Waveform]:
    """A few clips from short to long, to compare an export with the network."""
    step = max(1, len(utterances) // CANDIDATE_CLIPS)
    waveforms = [read_utterance(utterance) for utterance in utterances[::step]]
    waveforms.sort(key=lambda waveform: len(waveform.samples))
    return [waveforms[k * (len(waveforms) - 1) // (CHECKED_CLIPS - 1)] for k in range(CHECKED_CLIPS)]


def crop(waveforms: Sequence[Waveform], max_samples: int | None) -> list[Waveform]:
    """The waveforms up to a length that a graph takes at once; None for no limit."""
    return [Waveform(waveform.samples[:max_samples], waveform.source) for waveform in waveforms]
