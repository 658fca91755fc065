"""Questions to vectors: by the model that made the vectors that are searched, and remembered for a while."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django.core.signals import setting_changed

from search import spaces
from search.indexing.embedding import EmbedderElsewhere
from search.retrieval import EmbeddedQuery, Space

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_REMEMBERED = 2_048  # vectors of 1.5 kB


def embed(text: str, *, private: bool = False) -> EmbeddedQuery | None:
    """Return the question's vector, or None while nothing is indexed. It is remembered for a while.

    A `private` one is not, and goes to no model on another machine. Raises ModelNotConfigured,
    EmbeddingModelUnavailable, EmbedderElsewhere.
    """
    space = spaces.searched()
    if space is None:
        return None
    return EmbeddedQuery(_private_vector(text, space) if private else _vector(text, space), space)


def _private_vector(text: str, space: Space) -> NDArray[np.float32]:
    embedder = spaces.embedder_of(space)
    if not embedder.local:
        raise EmbedderElsewhere
    return embedder.embed_query(text)


@lru_cache(maxsize=_REMEMBERED)
def _vector(text: str, space: Space) -> NDArray[np.float32]:
    return spaces.embedder_of(space).embed_query(text)


def remembered() -> int:
    """Return how many questions' vectors are remembered."""
    return _vector.cache_info().currsize


def forget() -> None:
    """Drop the remembered vectors."""
    _vector.cache_clear()


setting_changed.connect(lambda **_: forget())
