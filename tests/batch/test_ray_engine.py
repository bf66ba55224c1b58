"""Parts go out to a cluster until each is done, whatever dies on the way; here the cluster is a list."""

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


class Asked:
    """What a task that was given out is known by."""

    def __init__(self, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.work = work
        self.args = args


class Cluster:
    """What `ray` is to `bulk.cluster`: does a task when it is asked for its result, last asked first done.

    Args:
        fate: of a part and whether its inputs are apart: an error to raise, or None.
    """

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, fate: Callable[[int, bool], Exception | None] = lambda part, alone: None, cpus: int = 2) -> None:
        self._fate = fate
        self._cpus = cpus
        self.asked: list[tuple[int, bool]] = []
        self.most_at_hand = 0

    def is_initialized(self) -> bool:
        return True

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": self._cpus}

    def put(self, value: Any) -> Any:
        return value

    def remote(self, **options: Any) -> Callable[..., Any]:
        assert options["max_retries"] == 0, "Ray itself would do a deadly part again"
        return lambda work: SimpleNamespace(remote=lambda *args: Asked(work, args))

    def wait(self, running: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        self.most_at_hand = max(self.most_at_hand, len(running))
        return running[-1:], running[:-1]

    def get(self, one: Any) -> Any:
        ray_task, part, rows, alone = one.args
        self.asked.append((part, alone))
        if (error := self._fate(part, alone)) is not None:
            raise error
        return one.work(ray_task, part, rows, False)


@pytest.fixture
def batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the batch of a manifest by a cluster, and returns its report."""
    monkeypatch.chdir(tmp_path)
    model = tiny_model.write(tmp_path / "tiny.onnx")
    soundfile.write(tmp_path / "long.wav", np.random.default_rng(3).normal(0, 0.2, 30 * 16_000), 16_000)
    lines = [f"{'gone' if k == 70 else 'long'}.wav,{0.1 * k:.1f},{0.1 * k + 1:.1f}" for k in range(INPUTS)]
    (tmp_path / "m.csv").write_text("\n".join(["path,start_s,end_s", *lines]))

    def one(fake: Cluster, **options: Any) -> Any:
        monkeypatch.setattr(ray_engine, "ray_package", lambda: fake)
        return run(collect_inputs(["m.csv"]), "out", RecogniserConfig(model.name), engine="ray", **options)

    return one


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_both_engines_give_the_same_rows(batch: Callable[..., Any], tmp_path: Path) -> None:
    import pyarrow.dataset

    told: list[int] = []
    fake = Cluster()
    report = batch(fake, progress=lambda done, total, text: told.append(done))
    assert (report["answers"], report["failures"]) == (INPUTS - 1, 1)
    assert sorted(told) == told and told[-1] == INPUTS
    assert sorted(fake.asked) == [(part, False) for part in range(4)]
    run(collect_inputs(["m.csv"]), "local", RecogniserConfig("tiny.onnx"), form="parquet", jobs=1)
    tables = [pyarrow.dataset.dataset(tmp_path / name).to_table() for name in ("out/answers", "local/answers.parquet")]
    assert tables[0].equals(tables[1])
    failures = [(tmp_path / name / "failures.csv").read_text() for name in ("out", "local")]
    assert failures[0] == failures[1].replace(",gone.wav: no", f",{tmp_path}/gone.wav: no")


def test_what_dies_is_done_again_apart_and_the_rest_goes_on(batch: Callable[..., Any], tmp_path: Path) -> None:
    batch(Cluster())
    expected = contents(tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "before")
    fake = Cluster(lambda part, alone: RayError("died") if part == 1 and fake.asked.count((1, True)) < 3 else None)
    batch(fake)
    assert contents(tmp_path / "out") == expected
    assert fake.asked.count((1, False)) == 1 and fake.asked.count((1, True)) == 3
    assert [one for one in fake.asked if one[0] != 1] == [(part, False) for part in (3, 2, 0)]


def test_what_dies_for_ever_ends_the_batch(batch: Callable[..., Any]) -> None:
    fake = Cluster(lambda part, alone: RayError("killed") if part == 1 else None)
    with pytest.raises(OvertoneError, match=rf"ray: {MAX_PART_DEATHS} processes died at part 1: killed"):
        batch(fake)


def test_what_was_done_is_not_done_again(batch: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(OvertoneError, match=r"a node cannot do its work: ValueError\('odd'\); is the same Overtone"):
        batch(Cluster(lambda part, alone: RayTaskError() if part == 0 else None))
    fake = Cluster()
    report = batch(fake)
    assert fake.asked == [(0, False)]
    assert batch(Cluster(lambda part, alone: ValueError("not asked"))) == report
    with pytest.raises(OvertoneError, match="the batch in this folder has other uncertain_below"):
        run(collect_inputs(["m.csv"]), "out", RecogniserConfig("tiny.onnx", 0.9), engine="ray")


def test_as_many_at_a_time_as_asked_for(batch: Callable[..., Any]) -> None:
    for jobs, most in ((None, 2), (1, 1)):
        fake = Cluster(cpus=1)
        batch(fake, jobs=jobs, shard=(1, 1) if jobs else (1, 2))
        assert fake.most_at_hand == most
        shutil.rmtree("out")


def test_nodes_without_the_model_are_told(batch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from overtone.batch import ray_task

    monkeypatch.setattr(ray_task, "marks", lambda setting: {"model": "x", "adaptation": "x", "code": "x"})
    with pytest.raises(OvertoneError, match="has other model, other adaptation, other code than the machine"):
        batch(Cluster())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"engine": "rey"}, r"no engine is called 'rey'; did you mean 'ray'\?"),
        ({"engine": "ray", "form": "csv"}, "engine ray writes parquet alone, and no csv"),
        (
            {"engine": "local"},
            "--output s3://bucket/x: a folder of this machine is expected; an address takes --engine ray",
        ),
    ],
)
def test_options_that_cannot_be_followed(tmp_path: Path, options: dict, told: str) -> None:
    model = tiny_model.write(tmp_path / "tiny.onnx")
    with pytest.raises(OptionError, match=told):
        run(Inputs([]), "s3://bucket/x", RecogniserConfig(str(model)), **options)


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'overtone\[ray\]'"):
        ray_engine.ray_package()
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
