from __future__ import annotations

from pathlib import Path

import pytest

from search.indexing.embedders.onnx import OnnxEmbedder
from search.indexing.embedders.sentence_transformers import SentenceTransformerEmbedder
from search.indexing.embedding import Embedder
from tests.contracts.embedder import TEXTS, EmbedderContract


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return SentenceTransformerEmbedder(threads=2)


class TestSentenceTransformerEmbedder(EmbedderContract):
    """The contract, on the embedder."""


def test_onnx_gives_the_vectors_of_the_reference(embedder: Embedder, tmp_path: Path) -> None:
    texts = [*TEXTS, *(" ".join(TEXTS[n % 5] for n in range(m)) for m in range(1, 40, 3))]
    engine = OnnxEmbedder(cache_dir=tmp_path)
    cosines = (engine.embed_passages(texts) * embedder.embed_passages(texts)).sum(axis=1)
    assert cosines.min() >= 0.9999
    assert engine.model_id == embedder.model_id
    assert engine.token_counts(texts) == embedder.token_counts(texts)
