from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from search.indexing.automatic import LEAST_COSINE, sample_texts
from search.indexing.embedders.onnx import OnnxEmbedder
from search.indexing.embedders.openvino import OpenVinoEmbedder
from search.indexing.embedders.sentence_transformers import SentenceTransformerEmbedder
from search.indexing.embedding import Embedder
from tests.contracts.embedder import TEXTS, EmbedderContract

pytestmark = pytest.mark.timeout(400)  # the import of torch alone takes half a minute on a busy machine


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return SentenceTransformerEmbedder(threads=2)


class TestSentenceTransformerEmbedder(EmbedderContract):
    """The contract, on the embedder."""


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.mark.parametrize("make", [OnnxEmbedder, OpenVinoEmbedder])
def test_the_engines_give_the_vectors_of_the_reference(
    embedder: Embedder, make: Callable[..., Embedder], cache_dir: Path
) -> None:
    texts = [*TEXTS, *(" ".join(TEXTS[n % 5] for n in range(m)) for m in range(1, 40, 3)), *sample_texts()]
    engine = make(cache_dir=cache_dir)
    cosines = (engine.embed_passages(texts) * embedder.embed_passages(texts)).sum(axis=1)
    assert cosines.min() >= LEAST_COSINE
    assert engine.model_id == embedder.model_id
    assert engine.token_counts(texts) == embedder.token_counts(texts)
