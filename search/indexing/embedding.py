"""Chunk texts to vectors: the embedder interface.

Between `chunking` and the vector stores, and on the query's side of `search`. The engines are in `embedders`; importing
this module or theirs loads no model and no heavy library.
"""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from orchestra.common.errors import OrchestraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")


class EmbeddingModelUnavailable(OrchestraError):
    """The embedding model or its runtime is not installed, or cannot be read."""

    code = "embedding_model_unavailable"
    status = 503
    transient = True
    default_message = "The embedding model cannot be loaded."
    default_hint = "Install the pinned requirements again (make install), then run manage.py doctor."


class EmbedderElsewhere(EmbeddingModelUnavailable):
    """The model is on another machine, where the text may not go."""

    code = "embedding_model_elsewhere"
    status = 409
    transient = False
    default_message = "Private mode does not use the embedding model, because it is on another machine."
    default_hint = "Choose a model that runs here (EMBEDDING_ENGINE) to search by meaning in private mode."


class Embedder(ABC):
    """Turns text into vectors whose dot product is the similarity of meaning.

    Thread-safe. The model is loaded at first use, once per process: an embedder made before a fork is usable after it.
    Vectors of embedders with the same `model_id` may be mixed in one index.
    """

    model_id: str
    dimensions: int
    max_tokens: int
    """How many tokens of text the model reads, its own marks not counted; the rest of a longer text is ignored."""
    local: bool = True
    """Whether what is embedded stays on this machine; for one that does not, each call is a request elsewhere."""

    @abstractmethod
    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, uncut and without the model's own marks."""

    @abstractmethod
    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row per text, shape (len(texts), dimensions). Raises EmbeddingModelUnavailable."""

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of one text, as `token_counts` does."""
        return self.token_counts([text])[0]

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the L2-normalised vector of a question, shape (dimensions,). Raises EmbeddingModelUnavailable."""
        vector: NDArray[np.float32] = self.embed_passages([text])[0]
        return vector


def embed_whole(embedder: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return one row per text as `embed_passages` does, for texts that may be longer than the model reads.

    A text that is too long is embedded in parts, and has the mean of their vectors: passages that were cut for another
    model must not lose their ends.
    """
    import numpy as np

    parts = [_parts(embedder, text) for text in texts]
    vectors = embedder.embed_passages([part for group in parts for part in group])
    rows = np.zeros((len(texts), embedder.dimensions), np.float32)
    start = 0
    for row, group in enumerate(parts):
        mean = vectors[start : start + len(group)].mean(axis=0)
        rows[row] = mean / (np.linalg.norm(mean) or 1.0)
        start += len(group)
    return rows


def _parts(embedder: Embedder, text: str) -> list[str]:
    words = text.split()
    if len(words) < 2 or embedder.count_tokens(text) <= embedder.max_tokens:
        return [text]
    half = len(words) // 2
    return [*_parts(embedder, " ".join(words[:half])), *_parts(embedder, " ".join(words[half:]))]


class PerProcess(Generic[T]):
    """A value made at first use, once in each process.

    The parent's value and lock are kept after a fork but not used: threads of a runtime do not survive the fork, a
    lock may have been held during it, and freeing the value could wait for those threads for ever.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: dict[int, T] = {}
        self._locks: dict[int, threading.Lock] = {}

    @property
    def inherited(self) -> bool:
        """Whether this process is a fork of one that had made its value."""
        return any(process != os.getpid() for process in self._values)

    def get(self) -> T:
        """Return this process's value. Raises what making it raises; the next call tries again."""
        process = os.getpid()
        if process not in self._values:
            with self._locks.setdefault(process, threading.Lock()):
                if process not in self._values:
                    self._values[process] = self._make()
        return self._values[process]
