"""The vector store interface. pgvector's columns are the truth; other stores are indexes rebuilt from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from search.retrieval import Scope

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A passage and its cosine to the question."""

    chunk_id: UUID
    score: float


class VectorStore(ABC):
    """Finds the passages whose vectors lie nearest to a question's."""

    @abstractmethod
    def nearest(self, query: NDArray[np.float32], scope: Scope, limit: int) -> list[Neighbour]:
        """Return up to `limit` passages of `scope`, nearest first. `query` has unit length and shape (dimensions,)."""

    @abstractmethod
    def scores(self, query: NDArray[np.float32], scope: Scope, chunk_ids: Sequence[UUID]) -> dict[UUID, float]:
        """Return the cosine of each of these passages, leaving out those that are not in `scope`."""
