from __future__ import annotations

import pytest

from search.indexing.embedders.hashing import HashingEmbedder
from search.indexing.embedding import Embedder
from tests.contracts.embedder import EmbedderContract


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return HashingEmbedder()


class TestHashingEmbedder(EmbedderContract):
    """The contract, on the double."""


def test_stems_in_common_make_texts_similar() -> None:
    embedder = HashingEmbedder()
    document, other = embedder.embed_passages(["Indexing splits documents into passages.", "A cold wind blew."])
    query = embedder.embed_query("how are documents indexed?")
    assert query @ document > 0.5
    assert abs(query @ other) < 0.2


def test_the_same_text_gives_the_same_vector_in_every_run() -> None:
    vector = HashingEmbedder(dimensions=8).embed_query("one two three")
    assert [round(float(value), 3) for value in vector] == [0.577, 0.0, 0.0, -0.577, 0.0, 0.0, -0.577, 0.0]
