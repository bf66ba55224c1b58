"""One small corpus, one training of it, one rebuilt paper and one store for all tests of whole runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import s3_server
import small_corpus
from small_corpus import Corpus, Run

from overtone.training.run_config import RunConfig


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """Sums in another order are other sums: with one thread each, processes give the same bits."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where features are kept."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """24 actors, 8 emotions."""
    folder = small_corpus.write(tmp_path_factory.mktemp("corpus") / "ravdess")
    return Corpus(folder, small_corpus.clips(folder))


@pytest.fixture(scope="session")
def smaller_corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """24 actors, 4 emotions."""
    folder = small_corpus.write(tmp_path_factory.mktemp("corpus") / "ravdess", small_corpus.FEW_EMOTIONS)
    return Corpus(folder, small_corpus.clips(folder))


@pytest.fixture(scope="session")
def trained(one_thread: None, corpus: Corpus, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One fold of unseen actors, all parts trained together. Copy the folder before writing to it."""
    from overtone.training.train import train

    plan = RunConfig(small_corpus.recipe(small_corpus.JOINT), "luna5", "1", 0)
    folder = tmp_path_factory.mktemp("runs") / "trained"
    return Run(corpus.clips, plan, train(corpus.clips, plan, folder, cache=cache))


@pytest.fixture(scope="session")
def rebuilt(one_thread: None, smaller_corpus: Corpus, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The paper rebuilt: seven trainings of three phases, with one epoch each."""
    from overtone.training.reproduce import reproduce

    out = tmp_path_factory.mktemp("rebuilt")
    reproduce(smaller_corpus.clips, small_corpus.recipe(small_corpus.PHASED), out, cache=cache)
    return out


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """The environment in which `s3://` is a store on this machine."""
    pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    if s3_server.program() is None:
        pytest.skip("no moto_server: it comes with the [dev] extra")
    with s3_server.serving() as environment:
        yield environment
