from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.indexing.embedders.onnx import OnnxEmbedder
from search.indexing.embedders.openvino import OpenVinoEmbedder
from search.indexing.embedding import Embedder
from search.indexing.fast import FastEmbedder
from search.indexing.prepared_model import Form
from tests.contracts.embedder import TEXTS, EmbedderContract


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module", params=["what is installed", "onnx"])
def embedder(request: pytest.FixtureRequest, cache_dir: Path) -> Embedder:
    if request.param == "onnx":
        return OnnxEmbedder(cache_dir=cache_dir, threads=1, form=Form.INT8)
    return FastEmbedder(cache_dir=cache_dir)


class TestFastEmbedder(EmbedderContract):
    """The contract, by the engine that is installed and by the one that stands in for OpenVINO."""


def test_openvino_runs_it_where_it_is_installed_else_onnx_runtime(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(FastEmbedder(cache_dir=cache_dir).engine, OpenVinoEmbedder)
    found = importlib.util.find_spec

    def without_openvino(name: str, *more: Any) -> Any:
        return None if name == "openvino" else found(name, *more)

    monkeypatch.setattr("importlib.util.find_spec", without_openvino)
    assert isinstance(FastEmbedder(cache_dir=cache_dir).engine, OnnxEmbedder)


def test_it_is_a_model_of_its_own(cache_dir: Path, embedder: Embedder) -> None:
    assert embedder.model_id == "sentence-transformers/all-MiniLM-L6-v2-int8"
    assert OnnxEmbedder(cache_dir=cache_dir, form=Form.INT8).model_id == embedder.model_id
    assert OpenVinoEmbedder(cache_dir=cache_dir, form=Form.INT8).model_id == embedder.model_id
    assert OnnxEmbedder(cache_dir=cache_dir).model_id != embedder.model_id


def test_its_vectors_are_near_those_of_fp32(cache_dir: Path, embedder: Embedder) -> None:
    texts = [text for text in TEXTS if text.strip()]
    exact = OnnxEmbedder(cache_dir=cache_dir, threads=1).embed_passages(texts)
    assert (exact * embedder.embed_passages(texts)).sum(axis=1).min() > 0.98


def test_a_passage_has_the_same_vector_in_batches_of_any_width(embedder: Embedder) -> None:
    words = (TEXTS[0] + " " + TEXTS[10] + " ").split() * 9
    texts = [" ".join(words[n : n + 3 * n + 5]) for n in range(1, 30)]
    alone = np.stack([embedder.embed_query(text) for text in texts])
    assert (embedder.embed_passages(texts) * alone).sum(axis=1).min() > 0.99999


def test_its_file_holds_the_matrices_in_bytes(cache_dir: Path, embedder: Embedder) -> None:
    embedder.embed_query("a question")
    (small,) = cache_dir.glob("*-int8-v*.onnx")
    OnnxEmbedder(cache_dir=cache_dir).embed_query("a question")
    (large,) = (path for path in cache_dir.glob("*.onnx") if path != small)
    # The table of words stays in fp32 and is half of the model.
    assert small.stat().st_size < 0.75 * large.stat().st_size
