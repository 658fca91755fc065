"""Nearest neighbours by a Weaviate server of the user's own."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from orchestra.common.identifiers import new_id
from orchestra.monitoring.checks import Outcome
from search import mirrors
from search.errors import MirrorUnavailable
from search.retrieval import Space
from search.vector_stores.base import Neighbour
from search.vector_stores.mirror import Generation, MirrorStore, Progress
from search.vector_stores.weaviate_client import Address, Server

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PREFIX = "OrchestraSpace"
_PAUSE = 10.0  # seconds that a server which failed is not asked: each search would wait for it
_KNOWN_FOR = 2.0  # seconds; two generations of an owner exist for longer than that
_DOCUMENTS_AT_ONCE = 500


class WeaviateStore(MirrorStore):
    """Copies of the vectors in a Weaviate server."""

    name: ClassVar[str] = "weaviate"
    most_documents: ClassVar[int | None] = 5_000  # their numbers travel with each question

    def __init__(
        self, *, url: str, grpc_port: int, api_key: str = "", query_seconds: float = 2.0, exact_rows: int = 5_000
    ) -> None:
        """Take where the server is, and how long a search waits for it."""
        super().__init__(exact_rows=exact_rows)
        self._server = Server(Address(url, grpc_port, api_key, query_seconds))
        self._paused_until = 0.0
        self._generations: dict[tuple[int, UUID], tuple[float, UUID | None]] = {}

    def generation(self, space: Space, owner_id: UUID) -> Generation | None:
        """Return an owner's tenant. Raises MirrorUnavailable for some seconds after the server failed."""
        if time.monotonic() < self._paused_until:
            raise MirrorUnavailable(f"Weaviate at {self._server.address.url} failed a moment ago.")
        key, now = (space.id, owner_id), time.monotonic()
        until, found = self._generations.get(key, (0.0, None))
        if until < now:
            latest = mirrors.latest(self.name, space, owner_id)
            found = latest.pk if latest else None
            self._generations[key] = (now + _KNOWN_FOR, found)
        return _Tenant(self, space.id, owner_id, found) if found else None

    def search(
        self, collection: str, tenant: str, vector: NDArray[np.float32], limit: int, documents: Sequence[int] | None
    ) -> list[Neighbour]:
        """Ask the server; where it fails, leave it alone for some seconds. Raises MirrorUnavailable."""
        try:
            return self._server.nearest(collection, tenant, vector, limit, documents)
        except MirrorUnavailable:
            self._paused_until = time.monotonic() + _PAUSE
            raise

    def bring_up(self, space: Space, owner_id: UUID, *, everything: bool) -> Progress:
        """Add what the owner's tenant lacks and remove what is deleted; begin another tenant where it is lost."""
        collection = _collection(space.id)
        generation = self._current(space, owner_id, everything=everything)
        tenant = _tenant(owner_id, generation)
        found = mirrors.difference(owner_id, generation)
        stored: list[mirrors.Document] = []
        for vectors in mirrors.vectors(space, owner_id, found.missing):
            self._server.add(collection, tenant, vectors.passages, vectors.matrix)
            mirrors.record(generation, vectors.documents)
            stored += vectors.documents
        mirrors.record_complete(generation, mirrors.complete_part(found, stored))
        for start in range(0, len(found.gone), _DOCUMENTS_AT_ONCE):
            gone = found.gone[start : start + _DOCUMENTS_AT_ONCE]
            self._server.remove(collection, tenant, [one.number for one in gone])
            mirrors.forget_documents(generation, gone)
        self._drop_tenants(space.id, owner_id, keep=[generation])
        return Progress(sum(one.passages for one in stored), sum(one.passages for one in found.gone))

    def drop(self, space_id: int, owner_id: UUID) -> None:
        """Remove an owner's tenants."""
        self._drop_tenants(space_id, owner_id, keep=())
        self._server.drop_if_empty(_collection(space_id))

    def drop_unknown(self) -> None:
        """Do nothing: a tenant is recorded before it is made, until after it is removed; others are not ours."""

    def check(self) -> Outcome:
        """Ask both ports of the server."""
        try:
            version = self._server.version()
        except MirrorUnavailable as error:
            return Outcome.failed(
                error.message, "Start it, or correct WEAVIATE_URL, WEAVIATE_GRPC_PORT and WEAVIATE_API_KEY."
            )
        return Outcome.passed(f"Weaviate {version} answers at {self._server.address.url}.")

    def _current(self, space: Space, owner_id: UUID, *, everything: bool) -> UUID:
        """Return the owner's generation, or a new and empty one where its tenant is not in the server."""
        latest = mirrors.latest(self.name, space, owner_id)
        collection = _collection(space.id)
        if latest and not everything and _tenant(owner_id, latest.pk) in self._server.tenants(collection):
            return latest.pk
        generation = new_id()
        mirrors.begin(self.name, space, owner_id, generation)
        self._server.add_tenant(collection, _tenant(owner_id, generation))
        return generation

    def _drop_tenants(self, space_id: int, owner_id: UUID, keep: Collection[UUID]) -> None:
        """Remove an owner's tenants, except those of the generations to keep."""
        known = mirrors.generations(self.name, space_id, owner_id)
        if old := [one.pk for one in known if one.pk not in keep]:
            self._server.drop_tenants(_collection(space_id), [_tenant(owner_id, generation) for generation in old])
            mirrors.forget(self.name, space_id, owner_id, keep=keep)


class _Tenant(Generation):
    """An owner's generation in the server."""

    def __init__(self, store: WeaviateStore, space_id: int, owner_id: UUID, generation: UUID) -> None:
        self.id = generation
        self._store = store
        self._collection = _collection(space_id)
        self._name = _tenant(owner_id, generation)

    def search(self, vector: NDArray[np.float32], limit: int, documents: Sequence[int] | None) -> list[Neighbour]:
        return self._store.search(self._collection, self._name, vector, limit, documents)


def _collection(space_id: int) -> str:
    return f"{_PREFIX}{space_id}"


def _tenant(owner_id: UUID, generation: UUID) -> str:
    """Name the owner, and the generation: a server that lost its data is not taken for one that has it."""
    return f"{owner_id.hex}_{generation.hex[-16:]}"
