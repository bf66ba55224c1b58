"""The Ray engine runs every part, whatever dies meanwhile; a fake in this process replaces Ray."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
import tiny_model

from overtone.batch import ray_engine
from overtone.batch.inputs import Inputs, collect_inputs
from overtone.batch.ray_engine import MAX_PART_DEATHS
from overtone.batch.recogniser_config import RecogniserConfig
from overtone.batch.run import run
from overtone.errors import MissingExtraError, OptionError, OvertoneError

pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")

INPUTS = 3 * 64 + 5


class RayError(Exception):
    pass


class RayTaskError(RayError):
    cause = ValueError("odd")


class Reference:
    """A submitted task."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.function = function
        self.args = args


class FakeRay:
    """A fake of the package `ray` that runs a task when its result is requested; the last one submitted is ready first.

    Args:
        error_of: called with a part and whether it is isolated; returns an error to raise, or None.
        cpus: cores of the cluster.
    """

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(
        self, error_of: Callable[[int, bool], Exception | None] = lambda part, isolated: None, cpus: int = 2
    ) -> None:
        self._error_of = error_of
        self._cpus = cpus
        self.runs: list[tuple[int, bool]] = []
        self.max_running = 0

    def is_initialized(self) -> bool:
        return True

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": self._cpus}

    def put(self, value: Any) -> Any:
        return value

    def remote(self, **options: Any) -> Callable[..., Any]:
        assert options["max_retries"] == 0, "Ray itself would retry a part that kills its process"
        return lambda function: SimpleNamespace(remote=lambda *args: Reference(function, args))

    def wait(self, running: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        self.max_running = max(self.max_running, len(running))
        return running[-1:], running[:-1]

    def get(self, reference: Any) -> Any:
        task, part, rows, isolated = reference.args
        self.runs.append((part, isolated))
        if (error := self._error_of(part, isolated)) is not None:
            raise error
        return reference.function(task, part, rows, False)


@pytest.fixture
def run_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the batch of a manifest with a fake of Ray, and returns its report."""
    monkeypatch.chdir(tmp_path)
    model = tiny_model.write(tmp_path / "tiny.onnx")
    soundfile.write(tmp_path / "long.wav", np.random.default_rng(3).normal(0, 0.2, 30 * 16_000), 16_000)
    lines = [f"{'gone' if k == 70 else 'long'}.wav,{0.1 * k:.1f},{0.1 * k + 1:.1f}" for k in range(INPUTS)]
    (tmp_path / "m.csv").write_text("\n".join(["path,start_s,end_s", *lines]))

    def run_with(fake: FakeRay, **options: Any) -> Any:
        monkeypatch.setattr(ray_engine, "import_ray", lambda: fake)
        return run(collect_inputs(["m.csv"]), "out", RecogniserConfig(model.name), engine="ray", **options)

    return run_with


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_both_engines_give_the_same_rows(run_batch: Callable[..., Any], tmp_path: Path) -> None:
    import pyarrow.dataset

    progress: list[int] = []
    fake = FakeRay()
    report = run_batch(fake, progress=lambda done, total, text: progress.append(done))
    assert (report["predictions"], report["failures"]) == (INPUTS - 1, 1)
    assert sorted(progress) == progress and progress[-1] == INPUTS
    assert sorted(fake.runs) == [(part, False) for part in range(4)]
    run(collect_inputs(["m.csv"]), "local", RecogniserConfig("tiny.onnx"), format="parquet", processes=1)
    tables = [
        pyarrow.dataset.dataset(tmp_path / name).to_table() for name in ("out/predictions", "local/predictions.parquet")
    ]
    assert tables[0].equals(tables[1])
    failures = [(tmp_path / name / "failures.csv").read_text() for name in ("out", "local")]
    assert failures[0] == failures[1].replace(",gone.wav: no", f",{tmp_path}/gone.wav: no")


def test_a_part_that_dies_is_run_again_isolated_and_the_others_continue(
    run_batch: Callable[..., Any], tmp_path: Path
) -> None:
    run_batch(FakeRay())
    expected = contents(tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "before")
    fake = FakeRay(lambda part, isolated: RayError("died") if part == 1 and fake.runs.count((1, True)) < 3 else None)
    run_batch(fake)
    assert contents(tmp_path / "out") == expected
    assert fake.runs.count((1, False)) == 1 and fake.runs.count((1, True)) == 3
    assert [entry for entry in fake.runs if entry[0] != 1] == [(part, False) for part in (3, 2, 0)]


def test_a_part_that_always_dies_ends_the_batch(run_batch: Callable[..., Any]) -> None:
    fake = FakeRay(lambda part, isolated: RayError("killed") if part == 1 else None)
    with pytest.raises(OvertoneError, match=rf"ray: {MAX_PART_DEATHS} processes died while running part 1: killed"):
        run_batch(fake)


def test_completed_parts_are_not_run_again(run_batch: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(OvertoneError, match=r"ValueError\('odd'\); install the same version"):
        run_batch(FakeRay(lambda part, isolated: RayTaskError() if part == 0 else None))
    fake = FakeRay()
    report = run_batch(fake)
    assert fake.runs == [(0, False)]
    assert run_batch(FakeRay(lambda part, isolated: ValueError("not run"))) == report
    with pytest.raises(OvertoneError, match="the batch in this folder differs in uncertain_below"):
        run(collect_inputs(["m.csv"]), "out", RecogniserConfig("tiny.onnx", 0.9), engine="ray")


def test_no_more_parts_run_at_a_time_than_allowed(run_batch: Callable[..., Any]) -> None:
    for processes, expected in ((None, 2), (1, 1)):
        fake = FakeRay(cpus=1)
        run_batch(fake, processes=processes, shard=(1, 1) if processes else (1, 2))
        assert fake.max_running == expected
        shutil.rmtree("out")


def test_nodes_with_other_fingerprints_end_the_batch(
    run_batch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from overtone.batch import ray_task

    monkeypatch.setattr(ray_task, "fingerprints", lambda config: {"model": "x", "reference": "x", "code": "x"})
    with pytest.raises(OvertoneError, match="differs from the machine that runs the command in model, reference, code"):
        run_batch(FakeRay())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "rey"}, r"unknown engine 'rey'; did you mean 'ray'\?"),
        ({"engine": "ray", "format": "csv"}, "engine ray writes parquet, not csv"),
        (
            {"engine": "local"},
            "--output s3://bucket/x: .* --engine ray",
        ),
    ],
)
def test_invalid_options_are_refused(tmp_path: Path, options: dict, message: str) -> None:
    model = tiny_model.write(tmp_path / "tiny.onnx")
    with pytest.raises(OptionError, match=message):
        run(Inputs([]), "s3://bucket/x", RecogniserConfig(str(model)), **options)


def test_a_missing_ray_is_reported_with_the_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'overtone\[ray\]'"):
        ray_engine.import_ray()
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
