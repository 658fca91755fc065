"""A deterministic embedder without a model, for tests: words in common make texts similar."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from search.indexing.embedding import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TOKEN = re.compile(
    r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]|[^\W_\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]+|[^\w\s]|_"
)
_ENDINGS = ("ations", "ation", "ingly", "ings", "ing", "edly", "ies", "ed", "es", "ly", "s", "e", "y")
_STOPWORDS = frozenset(
    ["a", "an", "and", "are", "as", "at", "by", "for", "how", "in", "is", "of", "on", "or", "the", "to"]
)


class HashingEmbedder(Embedder):
    """A hashed bag of word stems: each stem adds or takes one at a place that its checksum gives."""

    def __init__(self, *, dimensions: int = 384, max_tokens: int = 254) -> None:
        self.dimensions = dimensions
        self.max_tokens = max_tokens
        self.model_id = f"hashing-{dimensions}"

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return the number of words and signs of each text."""
        return [sum(1 for _ in _TOKEN.finditer(text)) for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row per text, shape (len(texts), dimensions)."""
        import numpy as np

        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            for stem in self._stems(text) or [""]:
                checksum = zlib.crc32(stem.encode("utf-8", "surrogatepass"))
                vectors[row, (checksum >> 1) % self.dimensions] += 1 if checksum & 1 else -1
            if not vectors[row].any():  # stems that cancel each other out
                vectors[row, 0] = 1
            vectors[row] /= np.linalg.norm(vectors[row])
        return vectors

    def _stems(self, text: str) -> list[str]:
        words = [match.group().casefold() for match in islice(_TOKEN.finditer(text), self.max_tokens)]
        return [_stem(word) for word in words if word[0].isalnum() and word not in _STOPWORDS]


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
