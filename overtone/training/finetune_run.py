"""Writes the run folder of a fine-tuned model, as a whole: on a full disk, nothing is left behind."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from overtone._internal.atomic_write import describe_os_errors, write_text
from overtone.errors import TrainingError
from overtone.evaluation import figures, leakage, oof_files, report
from overtone.evaluation.document import Picture
from overtone.evaluation.expectation import Expectation
from overtone.evaluation.speaker_folds import PROTOCOL
from overtone.recipe import FUSION
from overtone.training import checkpoint
from overtone.training.card_builder import make_card, run_score_rows
from overtone.training.card_markdown import card_to_markdown
from overtone.training.export import crop, error_rates_of_run, select_check_clips
from overtone.training.finetune import Finetuned
from overtone.training.onnx_export import export_onnx
from overtone.training.run_config import RUN_FORMAT, SUBSETS, labels_digest, own_audio, training_data, versions
from overtone.training.run_folder import own_scores, summarise, write_json

LAW = "Inferring emotions of people at work or in education is forbidden in the EU (AI Act, Article 5(1)(f))."


def check_output(folder: Path) -> None:
    """Check that a run folder can be written.

    Raises:
        TrainingError: it is a file, or a folder that is not empty.
        OvertoneError: it cannot be created.
    """
    with describe_os_errors(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise TrainingError(f"{folder} exists already; choose another folder, or delete it")
    with _new_folder(folder):
        pass  # not only when everything has been computed


def write_run(finetuned: Finetuned, folder: Path, model_id: str) -> Path:
    """Write the run folder; returns the path of the model.

    Args:
        finetuned: the fine-tuned model.
        folder: the run folder, as `check_output` accepts it.
        model_id: name of the model.

    Raises:
        OvertoneError: a file cannot be written.
        ModelError: onnxruntime and torch do not agree.
    """
    with _new_folder(folder) as temporary:
        _write_files(finetuned, temporary, model_id)
        with describe_os_errors(folder):
            if folder.is_dir():
                folder.rmdir()  # empty, or this fails
            temporary.rename(folder)
    return folder / "model.onnx"


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """A folder next to this one, which is removed at the end unless it was renamed."""
    with describe_os_errors(folder):
        parent = folder.resolve().parent
        parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=parent, prefix=".finetune-", suffix=".part"))
        temporary.chmod(0o755)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_files(finetuned: Finetuned, folder: Path, model_id: str) -> None:
    run = run_metadata(finetuned)
    write_json(folder / "run.json", run)
    for part, predictions in finetuned.predictions.items():
        oof_files.write(predictions, folder / f"predictions-{part}.csv")
    write_json(folder / "calibration.json", {"uncertain_below": finetuned.uncertain_below})
    write_json(folder / "history.json", finetuned.history)
    checkpoint.save_weights(folder / "weights.safetensors", finetuned.model)
    _write_report(finetuned, folder, model_id)
    card = make_card(
        run, model_id, run_score_rows(folder, run),
        uncertain_below=finetuned.uncertain_below, error_rates=error_rates_of_run(folder, run),
    )  # fmt: skip
    clips = crop(select_check_clips(finetuned.clips.utterances), run["max_samples"])
    difference = export_onnx(finetuned.model, card, clips, folder / "model.onnx")
    note = f"\n\nonnxruntime and torch differ by at most {difference:.1e} on the clips tried.\n"
    write_text(folder / "model.md", card_to_markdown(card).rstrip() + note)


def run_metadata(finetuned: Finetuned) -> dict[str, Any]:
    """The content of run.json, with the keys that other runs have."""
    start, utterances = finetuned.start, finetuned.clips.utterances
    data = training_data(utterances)
    used = {FUSION: {name: [u.clip for u in utterances] if name == "train" else [] for name in SUBSETS}}
    runs = [(split.validation, split.train) for split in finetuned.folds.splits]
    run = {
        "format": RUN_FORMAT,
        "recipe": finetuned.recipe.as_dict(),
        "protocol": PROTOCOL,
        "fold": "all",
        "seed": finetuned.seed,
        "emotions": finetuned.clips.emotions,
        "labels": labels_digest(utterances),
        "init": {
            "model": start.card["id"],
            "weights": hashlib.sha256(start.content).hexdigest(),
            "training_data": start.card["training_data"],
        },
        "training_data": data + start.card["training_data"],
        "pretrained": start.card.get("pretrained", []),
        "teacher": None,
        "audits": {FUSION: asdict(leakage.audit_runs(utterances, runs))},
        "split": used,
        "training_audio": own_audio(utterances),
        "max_samples": start.architecture.max_samples,
        "chosen_epochs": finetuned.epochs,
        "limits": limits_of(finetuned),
        "versions": versions(),
    }
    return json.loads(json.dumps(run))


def limits_of(finetuned: Finetuned) -> str:
    """What the card says about the limits of a model: what it was trained on, and where it was tested."""
    utterances, expected = finetuned.clips.utterances, finetuned.expectation
    speakers = len({(u.corpus, u.speaker) for u in utterances if u.speaker})
    data = ", ".join(sorted({utterance.corpus for utterance in utterances}))
    spoken = f"{speakers} speaker{'' if speakers == 1 else 's'}" if speakers else "unknown speakers"
    before = ", ".join(row["corpus"] for row in finetuned.start.card["training_data"])
    lines = [
        f"Fine-tuned from model '{finetuned.start.card['id']}' (trained on {before}) on {len(utterances)} clips of "
        f"{spoken} ({data}), and tested on {expected.measured_on} of the same recordings alone: other microphones, "
        "rooms, telephones, languages and ways of speaking are not tested.",
        *(f"{line[0].upper()}{line[1:]}." for line in _warnings(expected)),
        *(f"{note[0].upper()}{note[1:]}." for note in finetuned.notes),
        LAW,
    ]
    return " ".join(lines)


def _warnings(expected: Expectation) -> list[str]:
    """The lines of an expectation that limit the use of a model."""
    return [line for line in expected.lines()[2:] if not line.startswith(("recall", "to improve"))]


def _write_report(finetuned: Finetuned, folder: Path, model_id: str) -> None:
    rows = own_scores(folder)
    pictures = [
        Picture(
            f"confusion-{part}.png", f"Confusion of {part} (rows are the truth)", figures.confusion(row.scores, part)
        )
        for part, row in rows.items()
    ]
    paragraphs = (limits_of(finetuned), *finetuned.expectation.lines())
    write_json(folder / "scores.json", {part: summarise(row) for part, row in rows.items()})
    report.write(report.Report(f"Fine-tuning {model_id}", paragraphs, tuple(rows.values()), tuple(pictures)), folder)
