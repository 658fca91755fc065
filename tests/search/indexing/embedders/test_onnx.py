from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from search.indexing.embedders.onnx import OnnxEmbedder
from search.indexing.embedding import Embedder, EmbeddingModelUnavailable
from search.indexing.packaged_model import ModelFiles, packaged_model
from search.indexing.prepared_model import prepared_graph
from tests.contracts.embedder import EmbedderContract


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def embedder(cache_dir: Path) -> Embedder:
    return OnnxEmbedder(cache_dir=cache_dir, threads=1)


class TestOnnxEmbedder(EmbedderContract):
    """The contract, on the engine."""


def test_the_graph_is_built_once_and_written_whole(cache_dir: Path) -> None:
    first = prepared_graph(packaged_model(), cache_dir)
    written = first.stat().st_mtime_ns
    assert prepared_graph(packaged_model(), cache_dir) == first
    assert first.stat().st_mtime_ns == written
    assert [path.name for path in cache_dir.iterdir()] == [first.name]


def test_processes_that_start_together_may_build_it_at_the_same_time(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=prepared_graph, args=(packaged_model(), tmp_path)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_spoilt_graph_is_named_in_the_hint(cache_dir: Path, tmp_path: Path) -> None:
    name = prepared_graph(packaged_model(), cache_dir).name
    (tmp_path / name).write_bytes(b"not a graph")
    with pytest.raises(EmbeddingModelUnavailable, match="cannot be loaded") as caught:
        OnnxEmbedder(cache_dir=tmp_path).embed_query("a question")
    assert name in caught.value.hint


def test_a_directory_that_cannot_be_written_is_named_in_the_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EmbeddingModelUnavailable) as caught:
        OnnxEmbedder(cache_dir=tmp_path / "file").embed_query("a question")
    assert str(tmp_path / "file") in caught.value.hint


def test_missing_weights_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingModelUnavailable):
        prepared_graph(ModelFiles(tmp_path / "none"), tmp_path)
