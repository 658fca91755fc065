"""A stand-in for a Weaviate server, built from the classes that its Python client brings: the wire is the real one.

It keeps collections, tenants and objects in memory and does what the store uses: exact nearest vectors by cosine, a
filter on whole numbers, batches with an error per object, removal of some thousands at a time. It proves that the
store speaks the protocol; what a real server does with it, it cannot prove.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray
from weaviate.proto.v1 import (
    base_pb2,
    batch_delete_pb2,
    batch_pb2,
    health_weaviate_pb2,
    properties_pb2,
    search_get_pb2,
    tenants_pb2,
    weaviate_pb2_grpc,
)

MOST_REMOVED = 10_000  # a real server's default


@dataclass
class Stored:
    """An object: its properties and its vector."""

    properties: dict[str, int]
    vector: NDArray[np.float32]


@dataclass
class Collection:
    """A collection's definition as it was sent, and its tenants."""

    definition: dict[str, Any]
    tenants: dict[str, dict[str, Stored]] = field(default_factory=dict)


@dataclass
class WeaviateServer:
    """The server's state, and what a test may make it do."""

    collections: dict[str, Collection] = field(default_factory=dict)
    api_key: str = ""
    http_port: int = 0
    grpc_port: int = 0
    most_removed: int = MOST_REMOVED
    refused: set[int] = field(default_factory=set)
    """Passages whose objects are answered with an error."""
    failing: bool = False
    """Answer every call over gRPC that it cannot be served now."""
    calls: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address for HTTP."""
        return f"http://127.0.0.1:{self.http_port}"

    def objects(self) -> dict[int, Stored]:
        """Return all objects of all tenants, by passage."""
        tenants = [tenant for one in self.collections.values() for tenant in one.tenants.values()]
        return {stored.properties["passage"]: stored for tenant in tenants for stored in tenant.values()}


class _Calls(weaviate_pb2_grpc.WeaviateServicer):
    def __init__(self, server: WeaviateServer) -> None:
        self._server = server

    def BatchObjects(self, request: Any, context: Any) -> Any:  # noqa: N802  # the protocol's name
        self._admit("BatchObjects", context)
        errors = []
        for index, one in enumerate(request.objects):
            properties = {key: int(value) for key, value in one.properties.non_ref_properties.items()}
            if properties["passage"] in self._server.refused:
                errors.append(batch_pb2.BatchObjectsReply.BatchError(index=index, error="vector refused"))
                continue
            tenant = self._tenant(one, context)
            tenant[one.uuid] = Stored(properties, _vector(one))
        return batch_pb2.BatchObjectsReply(took=0.001, errors=errors)

    def Search(self, request: Any, context: Any) -> Any:  # noqa: N802  # the protocol's name
        self._admit("Search", context)
        tenant = self._tenant(request, context)
        asked = _vector(request.near_vector)
        found = [(_distance(asked, one.vector), key, one) for key, one in _matching(tenant, request)]
        found.sort(key=lambda entry: entry[0])
        names = request.properties.non_ref_properties
        return search_get_pb2.SearchReply(
            took=0.001,
            results=[_result(request.collection, key, one, distance, names) for distance, key, one in found][
                : request.limit or 10
            ],
        )

    def BatchDelete(self, request: Any, context: Any) -> Any:  # noqa: N802  # the protocol's name
        self._admit("BatchDelete", context)
        tenant = self._tenant(request, context)
        matching = [key for key, _ in _matching(tenant, request)]
        for key in matching[: self._server.most_removed]:
            del tenant[key]
        removed = min(len(matching), self._server.most_removed)
        return batch_delete_pb2.BatchDeleteReply(took=0.001, failed=0, matches=len(matching), successful=removed)

    def TenantsGet(self, request: Any, context: Any) -> Any:  # noqa: N802  # the protocol's name
        self._admit("TenantsGet", context)
        tenants = self._collection(request.collection, context).tenants
        wanted = set(request.names.values) if request.HasField("names") else set(tenants)
        hot = tenants_pb2.TENANT_ACTIVITY_STATUS_HOT
        return tenants_pb2.TenantsGetReply(
            took=0.001,
            tenants=[tenants_pb2.Tenant(name=name, activity_status=hot) for name in tenants if name in wanted],
        )

    def _admit(self, name: str, context: Any) -> None:
        self._server.calls.append(name)
        key = dict(context.invocation_metadata()).get("authorization", "")
        if self._server.api_key and key != f"Bearer {self._server.api_key}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "unauthorized: invalid api key")
        if self._server.failing:
            context.abort(grpc.StatusCode.UNAVAILABLE, "no leader")

    def _collection(self, name: str, context: Any) -> Collection:
        if name not in self._server.collections:
            context.abort(grpc.StatusCode.UNKNOWN, f"could not find class {name} in schema")
        return self._server.collections[name]

    def _tenant(self, request: Any, context: Any) -> dict[str, Stored]:
        tenants = self._collection(request.collection, context).tenants
        if request.tenant not in tenants:
            context.abort(grpc.StatusCode.UNKNOWN, f'tenant not found: "{request.tenant}"')
        return tenants[request.tenant]


def _vector(message: Any) -> NDArray[np.float32]:
    """Return a vector from wherever a client of some version puts it."""
    sent = message.vector_bytes
    if not sent and len(message.vectors):
        sent = message.vectors[0].vector_bytes
    return np.frombuffer(sent, dtype="<f4")


def _distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return 1.0 - float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def _matching(tenant: dict[str, Stored], request: Any) -> Iterator[tuple[str, Stored]]:
    """Yield the objects that pass the request's filter: `contains any` of whole numbers, as the store asks."""
    wanted: set[int] | None = None
    filters = request.filters
    if request.HasField("filters"):
        if filters.operator != base_pb2.Filters.OPERATOR_CONTAINS_ANY or not filters.HasField("value_int_array"):
            raise NotImplementedError(str(filters))
        wanted = set(filters.value_int_array.values)
    for key, one in list(tenant.items()):
        if wanted is None or one.properties[filters.target.property] in wanted:
            yield key, one


def _result(collection: str, key: str, one: Stored, distance: float, names: Any) -> Any:
    properties = properties_pb2.Properties()
    for name in names:
        properties.fields[name].int_value = one.properties[name]
    return search_get_pb2.SearchResult(
        properties=search_get_pb2.PropertiesResult(non_ref_props=properties, target_collection=collection),
        metadata=search_get_pb2.MetadataResult(id=key, distance=distance, distance_present=True),
    )


def _handler(server: WeaviateServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(*_get(server, self.path.removeprefix("/v1").split("?")[0]))

        def do_POST(self) -> None:
            self._answer(*_post(server, self.path.removeprefix("/v1"), self._body()))

        def do_DELETE(self) -> None:
            self._answer(*_delete(server, self.path.removeprefix("/v1"), self._body()))

        def _body(self) -> Any:
            read = self.rfile.read(int(self.headers.get("content-length") or 0))
            return json.loads(read) if read else None

        def _answer(self, status: int, body: Any = None) -> None:
            server.calls.append(f"{self.command} {self.path}")
            if server.api_key and self.headers.get("authorization") != f"Bearer {server.api_key}":
                status, body = 401, {"error": [{"message": "unauthorized: invalid api key"}]}
            sent = json.dumps(body).encode() if body is not None else b""
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            """Say nothing."""

    return Handler


def _get(server: WeaviateServer, path: str) -> tuple[int, Any]:
    if path == "/meta":
        return 200, {"version": "1.33.0", "hostname": server.url, "modules": {}}
    if path in ("/.well-known/live", "/.well-known/ready"):
        return 200, {}
    name = path.removeprefix("/schema/")
    if name in server.collections:
        return 200, server.collections[name].definition
    return 404, {"error": [{"message": "not found"}]}


def _post(server: WeaviateServer, path: str, body: Any) -> tuple[int, Any]:
    if path == "/schema":
        if body["class"] in server.collections:
            return 422, {"error": [{"message": f"class name {body['class']} already exists"}]}
        server.collections[body["class"]] = Collection(body)
        return 200, body
    _, _, name, _ = path.split("/")
    if name not in server.collections:
        return 422, {"error": [{"message": "class not found"}]}
    if not server.collections[name].definition.get("multiTenancyConfig", {}).get("enabled"):
        return 422, {"error": [{"message": "multi-tenancy is not enabled for class"}]}
    for tenant in body:
        server.collections[name].tenants.setdefault(tenant["name"], {})
    return 200, body


def _delete(server: WeaviateServer, path: str, body: Any) -> tuple[int, Any]:
    parts = path.split("/")
    if len(parts) == 3:
        server.collections.pop(parts[2], None)
    else:
        for tenant in body:
            server.collections[parts[2]].tenants.pop(tenant, None)
    return 200, None


def _health() -> grpc.GenericRpcHandler:
    serving = health_weaviate_pb2.WeaviateHealthCheckResponse(status="SERVING")
    check = grpc.unary_unary_rpc_method_handler(
        lambda request, context: serving,
        request_deserializer=health_weaviate_pb2.WeaviateHealthCheckRequest.FromString,
        response_serializer=health_weaviate_pb2.WeaviateHealthCheckResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": check})


@contextmanager
def running_weaviate(api_key: str = "") -> Iterator[WeaviateServer]:
    """Serve on two free ports of this machine."""
    server = WeaviateServer(api_key=api_key)
    calls = grpc.server(futures.ThreadPoolExecutor(4))
    weaviate_pb2_grpc.add_WeaviateServicer_to_server(_Calls(server), calls)  # type: ignore[no-untyped-call]  # generated
    calls.add_generic_rpc_handlers((_health(),))
    server.grpc_port = calls.add_insecure_port("127.0.0.1:0")
    calls.start()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    http.daemon_threads = True
    server.http_port = http.server_port
    serving = threading.Thread(target=http.serve_forever, daemon=True)
    serving.start()
    try:
        yield server
    finally:
        calls.stop(0).wait()
        http.shutdown()
        serving.join()
        http.server_close()
