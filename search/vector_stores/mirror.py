"""What stores beside PostgreSQL share: when they are asked, how much, and what happens when they do not answer.

Before it: `search.indexing.mirroring`, which keeps them in step. After it: `search.mirrors`, whose SQL puts right what
they say.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

import structlog

from orchestra.monitoring.checks import Outcome
from search import metrics, mirrors
from search.errors import MirrorUnavailable
from search.owners import facts_of, size_of
from search.retrieval import EmbeddedQuery, Scope, Space
from search.vector_stores.base import Nearest, Neighbour, VectorStore
from search.vector_stores.pgvector import PgVectorStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = structlog.get_logger(__name__)

_MOST_GONE = 2_000  # passages: beyond that, asking for so many more costs more than a scan, until the mirror drops them
_KNOWN_FOR = 5.0  # seconds; after a deletion a list may be that long a little short, never wrong


@dataclass(frozen=True, slots=True)
class Progress:
    """What bringing an owner up to date changed, in passages."""

    added: int = 0
    dropped: int = 0


class Generation(ABC):
    """A copy of an owner's vectors, to be asked. Raises MirrorUnavailable."""

    id: UUID

    @abstractmethod
    def search(self, vector: NDArray[np.float32], limit: int, documents: Sequence[int] | None) -> list[Neighbour]:
        """Return about the `limit` nearest passages, nearest first; of these documents, by number, where given."""


class MirrorStore(VectorStore):
    """A store that holds copies of the vectors and can lose them at any time."""

    name: ClassVar[str]
    most_documents: ClassVar[int | None] = None
    """How many documents a scope may have for the store to be told of them; for more, PostgreSQL is searched."""

    def __init__(self, *, exact_rows: int = 5_000) -> None:
        """Take up to how many passages an owner, or a scope, is compared one by one in PostgreSQL."""
        self.exact_rows = exact_rows
        self._exact = PgVectorStore()
        self._gone: dict[UUID, tuple[float, int]] = {}
        self._lock = threading.Lock()

    @abstractmethod
    def generation(self, space: Space, owner_id: UUID) -> Generation | None:
        """Return an owner's current copy; None where there is none. Raises MirrorUnavailable."""

    @abstractmethod
    def bring_up(self, space: Space, owner_id: UUID, *, everything: bool) -> Progress:
        """Bring an owner's copy up to date, or make it anew with `everything`. Raises MirrorUnavailable.

        May be stopped at any point: what was done until then is of use, and the next call goes on.
        """

    @abstractmethod
    def drop(self, space_id: int, owner_id: UUID) -> None:
        """Remove an owner's copies. Raises MirrorUnavailable."""

    @abstractmethod
    def drop_unknown(self) -> None:
        """Remove what is left of generations that PostgreSQL does not know. Raises MirrorUnavailable."""

    @abstractmethod
    def check(self) -> Outcome:
        """Tell whether the store works."""

    def nearest(self, query: EmbeddedQuery, scope: Scope, limit: int) -> Nearest:
        """Return the nearest passages: by the mirror where there is much to look through, else exactly."""
        try:
            near = self._mirrored(query, scope, limit) if self._is_large(query, scope) else None
        except MirrorUnavailable as error:
            logger.warning("vector_store_not_used", store=self.name, reason=error.message)
            metrics.unavailable.add()
            near = None
        return near or self._exact.nearest(query, scope, limit)

    def _is_large(self, query: EmbeddedQuery, scope: Scope) -> bool:
        if facts_of(scope.owner_id, query.space).passages <= self.exact_rows:
            return False
        return not scope.narrowed or size_of(scope) > self.exact_rows

    def _mirrored(self, query: EmbeddedQuery, scope: Scope, limit: int) -> Nearest | None:
        generation = self.generation(query.space, scope.owner_id)
        if generation is None:
            return None
        gone = self._gone_passages(scope.owner_id, generation.id)
        if gone > _MOST_GONE:
            return None
        documents = mirrors.documents_of(scope) if scope.narrowed else None
        if documents and self.most_documents is not None and len(documents) > self.most_documents:
            return None
        found = generation.search(_as_stored(query.vector), limit + limit // 4 + gone, documents)
        return mirrors.nearest(query, scope, limit, mirrors.Answer(self.name, generation.id, found))

    def _gone_passages(self, owner_id: UUID, generation: UUID) -> int:
        """Return how many passages of a generation are deleted: counted every few seconds, not in each search."""
        now = time.monotonic()
        with self._lock:
            until, gone = self._gone.get(generation, (0.0, 0))
        if until < now:
            gone = mirrors.gone_passages(owner_id, generation)
            with self._lock:
                self._gone = {key: kept for key, kept in self._gone.items() if kept[0] >= now}
                self._gone[generation] = (now + _KNOWN_FOR, gone)
        return gone


def _as_stored(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a question's vector rounded as PostgreSQL rounds it: equal passages get equal cosines on both sides."""
    import numpy as np

    return vector.astype(np.float16).astype(np.float32)
