"""Session fixtures: small corpora, a training, a reproduction of the paper, and an S3 server."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import s3_server
import small_corpus
from small_corpus import Corpus, Run
from small_encoder import write_encoder

from overtone.training.run_config import RunConfig


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """Limit torch to one thread, so that sums have one order and all processes give bitwise equal results."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the cache folder for features, shared by all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def small_encoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Provide a small encoder under the name of the default one, and return this name."""
    from overtone.models.encoder_mlp import DEFAULT_ENCODER

    folder = tmp_path_factory.mktemp("encoders")
    write_encoder(folder / DEFAULT_ENCODER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OVERTONE_ENCODERS", str(folder))
        yield DEFAULT_ENCODER


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Return a corpus of 24 actors and 8 emotions."""
    folder = small_corpus.write(tmp_path_factory.mktemp("corpus") / "ravdess")
    return Corpus(folder, small_corpus.clips(folder))


@pytest.fixture(scope="session")
def smaller_corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Return a corpus of 24 actors and 4 emotions."""
    folder = small_corpus.write(tmp_path_factory.mktemp("corpus") / "ravdess", small_corpus.FEW_EMOTIONS)
    return Corpus(folder, small_corpus.clips(folder))


@pytest.fixture(scope="session")
def trained(one_thread: None, corpus: Corpus, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a training with unseen test actors, all parts trained together. Copy its folder before writing to it."""
    from overtone.training.train import train

    config = RunConfig(small_corpus.recipe(small_corpus.JOINT), "luna5", "1", 0)
    folder = tmp_path_factory.mktemp("runs") / "trained"
    return Run(corpus.clips, config, train(corpus.clips, config, folder, cache=cache))


@pytest.fixture(scope="session")
def encoder_model(
    one_thread: None, smaller_corpus: Corpus, small_encoder: str, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the file of a model of two networks on the small encoder, with a reference adapter, of four emotions."""
    from overtone.recipe import read_recipe
    from overtone.training.export import export_run
    from overtone.training.train import train

    small = {"epochs": 2, "batch_clips": 16, "wave_variants": 0, "members": 2}
    recipe = dataclasses.replace(read_recipe("encoder"), **small)
    folder = tmp_path_factory.mktemp("runs") / "encoder"
    train(smaller_corpus.clips, RunConfig(recipe, "all", "all", 0), folder, cache=cache)
    return export_run(smaller_corpus.clips, folder, model_id="start")


@pytest.fixture(scope="session")
def reproduced(one_thread: None, smaller_corpus: Corpus, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a reproduction of the paper: seven trainings of three phases, with one epoch each."""
    from overtone.training.reproduce import reproduce

    output = tmp_path_factory.mktemp("reproduced")
    reproduce(smaller_corpus.clips, small_corpus.recipe(small_corpus.PHASED), output, cache=cache)
    return output


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """Return the environment variables with which `s3://` addresses a local server."""
    pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    if s3_server.program() is None:
        pytest.skip("no moto_server: it comes with the [dev] extra")
    with s3_server.serving() as environment:
        yield environment
