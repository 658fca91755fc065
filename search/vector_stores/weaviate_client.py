"""Talks to a Weaviate server: collections, tenants, objects. The one module that imports its client.

A collection per space, in it a tenant per owner's generation, in it an object per passage: its vector, made by us, and
the properties `passage` and `document`. Every call has an end, and whatever goes wrong is MirrorUnavailable.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from orchestra.common.outbound import guard
from orchestra.common.outbound.errors import OutboundRefused
from search.errors import MirrorUnavailable
from search.indexing.embedding import PerProcess
from search.passages import document_of
from search.vector_stores.base import Neighbour

if TYPE_CHECKING:
    import numpy as np
    import weaviate
    from numpy.typing import NDArray

T = TypeVar("T")

_OBJECTS = UUID("5e0c34f6-9d5b-4f0e-8d0c-6a5b4c1f7e21")  # whose passages' numbers become ids of objects
_BATCH = 1_000
_CONNECT_SECONDS = 2
_WRITE_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, with its key. `query_seconds` is how long a search waits for it."""

    url: str
    grpc_port: int
    api_key: str = ""
    query_seconds: float = 2.0


class Server:
    """A Weaviate server. A client is made in each process, because its connections do not survive a fork."""

    def __init__(self, address: Address) -> None:
        """Take where the server is; nothing is opened yet."""
        self.address = address
        self._client = PerProcess(self._connect)

    def version(self) -> str:
        """Return the server's version, having asked both of its ports."""
        with self._errors():
            client = self._client.get()
            if not client.is_live():
                raise MirrorUnavailable(f"Weaviate at {self.address.url} is not live on both of its ports.")
            return str(client.get_meta()["version"])

    def tenants(self, collection: str) -> set[str]:
        """Return the tenants of a collection; none where there is no such collection."""
        with self._errors():
            collections = self._client.get().collections
            return set(collections.use(collection).tenants.get()) if collections.exists(collection) else set()

    def add_tenant(self, collection: str, tenant: str) -> None:
        """Make an empty tenant, and its collection where that is missing."""
        with self._errors():
            if not self._client.get().collections.exists(collection):
                self._create(collection)
            self._client.get().collections.use(collection).tenants.create(tenant)

    def drop_tenants(self, collection: str, tenants: Iterable[str]) -> None:
        """Remove those of the tenants that are there, with all their objects."""
        if there := sorted(self.tenants(collection) & set(tenants)):
            with self._errors():
                self._client.get().collections.use(collection).tenants.remove(there)

    def drop_if_empty(self, collection: str) -> None:
        """Remove a collection that is there and has no tenant."""
        with self._errors():
            collections = self._client.get().collections
            if collections.exists(collection) and not collections.use(collection).tenants.get():
                collections.delete(collection)

    def add(self, collection: str, tenant: str, passages: NDArray[np.int64], matrix: NDArray[np.float32]) -> None:
        """Store vectors, shape (n, dimensions), under their passages' numbers; what is there already is replaced."""
        from weaviate.classes.data import DataObject

        target = self._tenant(collection, tenant)
        for start in range(0, len(passages), _BATCH):
            batch = zip(passages[start : start + _BATCH].tolist(), matrix[start : start + _BATCH], strict=True)
            objects: list[DataObject[Any, None]] = [
                DataObject(
                    properties={"passage": passage, "document": document_of(passage)},
                    uuid=uuid5(_OBJECTS, str(passage)),
                    vector=vector.tolist(),
                )
                for passage, vector in batch
            ]
            with self._errors():
                done = target.data.insert_many(objects)
            if done.errors:
                first = next(iter(done.errors.values())).message
                raise MirrorUnavailable(f"Weaviate refused {len(done.errors)} objects: {first}")

    def remove(self, collection: str, tenant: str, documents: Sequence[int]) -> None:
        """Remove all passages of these documents. A server removes some thousands at a time."""
        from weaviate.classes.query import Filter

        target = self._tenant(collection, tenant)
        while True:
            with self._errors():
                done = target.data.delete_many(where=Filter.by_property("document").contains_any(list(documents)))
            if done.failed or (done.matches and not done.successful):
                raise MirrorUnavailable(f"Weaviate did not remove {done.matches - done.successful} objects.")
            if done.successful >= done.matches:
                return

    def nearest(
        self, collection: str, tenant: str, vector: NDArray[np.float32], limit: int, documents: Sequence[int] | None
    ) -> list[Neighbour]:
        """Return the nearest passages; of these documents where given. Gives up after `query_seconds`."""
        from weaviate.classes.query import Filter, MetadataQuery

        filters = Filter.by_property("document").contains_any(list(documents)) if documents is not None else None

        def ask() -> list[Neighbour]:
            found = self._tenant(collection, tenant).query.near_vector(
                near_vector=vector.tolist(),
                limit=limit,
                filters=filters,
                return_properties=["passage"],
                return_metadata=MetadataQuery(distance=True),
            )
            return [Neighbour(_whole(one.properties["passage"]), 1.0 - one.metadata.distance) for one in found.objects]

        return self._bounded(ask)

    def _connect(self) -> weaviate.WeaviateClient:
        import weaviate
        from weaviate.classes.init import AdditionalConfig, Auth, Timeout

        address, parts = self.address, urlsplit(self.address.url)
        secure, host = parts.scheme == "https", parts.hostname or ""
        client = weaviate.connect_to_custom(
            http_host=host,
            http_port=parts.port or (443 if secure else 80),
            http_secure=secure,
            grpc_host=host,
            grpc_port=address.grpc_port,
            grpc_secure=secure,
            auth_credentials=Auth.api_key(address.api_key) if address.api_key else None,
            additional_config=AdditionalConfig(
                timeout=Timeout(init=_CONNECT_SECONDS, query=address.query_seconds, insert=_WRITE_SECONDS)
            ),
            skip_init_checks=True,  # one of them asks a server elsewhere for the client's newest version
        )
        weakref.finalize(self, client.close)
        return client

    def _create(self, collection: str) -> None:
        from weaviate.classes.config import Configure, DataType, Property, VectorDistances

        hnsw = Configure.VectorIndex.hnsw(distance_metric=VectorDistances.COSINE, ef=400, ef_construction=128)
        self._client.get().collections.create(
            collection,
            properties=[
                Property(name="passage", data_type=DataType.INT, index_filterable=False),
                Property(name="document", data_type=DataType.INT, index_filterable=True),
            ],
            multi_tenancy_config=Configure.multi_tenancy(enabled=True),
            vector_config=Configure.Vectors.self_provided(vector_index_config=hnsw),
        )

    def _tenant(self, collection: str, tenant: str) -> Any:
        with self._errors():
            return self._client.get().collections.use(collection).with_tenant(tenant)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        import grpc
        import httpx
        from weaviate.exceptions import WeaviateBaseError

        try:
            guard.refuse_inside(urlsplit(self.address.url).hostname or "", "vectors")  # gRPC connects unseen
            yield
        except OutboundRefused as exc:
            raise MirrorUnavailable("Weaviate is another machine, and nothing may leave this one.") from exc
        except (WeaviateBaseError, grpc.RpcError, httpx.HTTPError, OSError) as exc:
            reason = " ".join(str(exc).split())[:300]
            raise MirrorUnavailable(f"Weaviate at {self.address.url} failed: {reason}") from exc

    def _bounded(self, call: Callable[[], T]) -> T:
        """Return what `call` returns, waiting no longer than a search may.

        The client tries again by itself, for a minute, where a server is away; that thread is left to itself.
        """
        outcomes: list[Callable[[], T]] = []

        def run() -> None:
            try:
                with self._errors():
                    value = call()
                outcomes.append(lambda: value)
            except MirrorUnavailable as error:
                outcomes.append(_raising(error))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(self.address.query_seconds)
        if not outcomes:
            raise MirrorUnavailable(f"Weaviate at {self.address.url} gave no answer in time.")
        return outcomes[0]()


def _raising(error: MirrorUnavailable) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


def _whole(value: Any) -> int:
    return int(value)
