"""What is written for TensorBoard: every epoch of every network, and the confusion of the test set."""

import importlib.util
import json
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest
import small_corpus
from small_corpus import JOINT, Corpus

from overtone.cli.main import main
from overtone.errors import MissingExtraError
from overtone.training.run_config import RunConfig
from overtone.training.tensorboard_log import SCORES, TensorBoardLog
from overtone.training.train import train

MODULE = "torch.utils.tensorboard"
CELL = 'recipe = "base"\nprotocols = ["luna5"]\nseeds = [0]\n'
PARTS = ("mel", "prosody", "fusion")
ENSEMBLE = JOINT + "members = 2\nvalidation = 'rotating'\n"


class FakeWriter:
    """A SummaryWriter that keeps what is written, by folder."""

    scalars: ClassVar[dict[str, dict[str, dict[int, float]]]] = {}
    images: ClassVar[dict[str, dict[str, np.ndarray]]] = {}
    open_folders: ClassVar[set[str]] = set()

    def __init__(self, log_dir: str) -> None:
        self.name = Path(log_dir).name
        self.scalars.setdefault(self.name, defaultdict(dict))
        self.images.setdefault(self.name, {})
        self.open_folders.add(log_dir)
        self.folder = log_dir

    def add_scalar(self, tag: str, value: float, step: int = 0) -> None:
        self.scalars[self.name][tag][step] = float(value)

    def add_image(self, tag: str, picture: np.ndarray, dataformats: str) -> None:
        assert dataformats == "HWC"
        self.images[self.name][tag] = picture

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.open_folders.discard(self.folder)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeWriter]:
    """Replace the writer of torch; return the class that keeps what is written."""
    module: Any = ModuleType(MODULE)
    module.SummaryWriter = FakeWriter
    monkeypatch.setitem(sys.modules, MODULE, module)
    for name, empty in (("scalars", {}), ("images", {}), ("open_folders", set())):
        monkeypatch.setattr(FakeWriter, name, empty)
    return FakeWriter


def run_with_log(corpus: Corpus, folder: Path, cache: Path) -> list[dict[str, Any]]:
    """Train an ensemble with a log; return its history."""
    config = RunConfig(small_corpus.recipe(ENSEMBLE), "luna5", "1", 0)
    train(corpus.clips, config, folder, cache=cache, tensorboard=True)
    return json.loads((folder / "history.json").read_text())


def test_every_epoch_of_every_network_is_written(
    fake: type[FakeWriter], one_thread: None, smaller_corpus: Corpus, cache: Path, tmp_path: Path
) -> None:
    history = run_with_log(smaller_corpus, tmp_path / "run", cache)
    assert set(fake.scalars) == {"member-0", "member-1000", "test"}
    for row in history:
        written = fake.scalars[f"member-{row['seed']}"]
        for name in SCORES:
            assert written[f"{row['part']}/{name}"][row["epoch"] + 1] == row[name]
    rates = fake.scalars["member-0"]["learning_rate"]
    assert sorted(rates) == [1, 2, 3] and rates[1] > rates[2] > rates[3] > 0, "the rate falls after the warm-up"
    scores = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert fake.scalars["test"]["fusion/test_uar"] == {0: scores["fusion"]["uar"]["value"]}
    picture = fake.images["test"]["mel/confusion"]
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3 and picture.std() > 10
    assert not fake.open_folders, "all files are closed"


def test_without_tensorboard_nothing_is_read_or_trained(
    smaller_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)
    with pytest.raises(MissingExtraError):
        TensorBoardLog(tmp_path)
    data, output = f"--data={smaller_corpus.folder}", f"--output={tmp_path / 'run'}"
    matrix = tmp_path / "matrix.toml"
    matrix.write_text(f'data.ravdess = "{smaller_corpus.folder}"\n[[evaluate]]\n{CELL}')
    commands = (
        ["train", data, output],
        ["evaluate", data, f"--runs={tmp_path / 'run'}"],
        ["reproduce", data, output],
        ["experiment", str(matrix), f"--runs={tmp_path / 'run'}"],
    )
    for command in commands:
        assert main([*command, "--tensorboard"]) == 1
        error = capsys.readouterr().err.strip().splitlines()
        assert len(error) == 1
        assert error[0].endswith("--tensorboard needs tensorboard: pip install 'overtone[tensorboard]'")
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="tensorboard is not installed")
def test_tensorboard_reads_the_event_files(
    one_thread: None, smaller_corpus: Corpus, cache: Path, tmp_path: Path
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    history = run_with_log(smaller_corpus, tmp_path / "run", cache)
    of_network = EventAccumulator(str(tmp_path / "run" / "tensorboard" / "member-1000")).Reload()
    expected = {(row["part"], row["epoch"] + 1): row["val_uar"] for row in history if row["seed"] == 1000}
    for part in PARTS:
        found = {event.step: event.value for event in of_network.Scalars(f"{part}/val_uar")}
        assert found == pytest.approx({step: value for (of, step), value in expected.items() if of == part})
    test = EventAccumulator(str(tmp_path / "run" / "tensorboard" / "test")).Reload()
    assert test.Images("fusion/confusion")[0].encoded_image_string.startswith(b"\x89PNG")
