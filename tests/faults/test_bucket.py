"""Processes that die between two steps of an upload into a bucket: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import sha256
from tests.faults.client import Client
from tests.faults.parts import Part
from tests.faults.product import Product, faulty_product
from tests.s3_server import BUCKET, S3Server
from tests.stack import wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

MIB = 1024**2
CRASHES = [
    ("store.sent", 8 * MIB),
    ("chunk.written", 8 * MIB),
    ("chunk.recorded", 8 * MIB),
    ("store.sent", 2 * MIB),
    ("chunk.recorded", 2 * MIB),
    ("store.joined", 8 * MIB),
    ("complete.verified", 8 * MIB),
    ("complete.moved", 8 * MIB),
    ("complete.committed", 8 * MIB),
]


@pytest.fixture(scope="module")
def product(s3_server: S3Server) -> Iterator[Product]:
    """The product with its files in an empty bucket."""
    s3_server.empty()
    with faulty_product("bucket-faults", PORT="25600", EMBEDDING_ENGINE="hashing", **s3_server.settings()) as running:
        yield running


@pytest.fixture(scope="module")
def client(product: Product) -> Client:
    """One user's; each upload's content is new."""
    return Client(product.stack, "uploader")


def _stored(client: Client, file_id: str) -> bytes:
    return client.ask("GET", f"/api/files/{file_id}/download", expect=(200,)).content


def _chunk_rows(product: Product, file_id: str) -> int:
    query = "SELECT count(*) FROM files_uploadpiece WHERE upload_id = %s"
    with product.stack.database() as database:
        row: Any = database.execute(query, (file_id,)).fetchone()
    return int(row[0])


@pytest.mark.parametrize(("place", "chunk_size"), CRASHES)
def test_a_web_that_dies_at_any_step_loses_nothing(
    product: Product, client: Client, s3_server: S3Server, place: str, chunk_size: int
) -> None:
    content = random.Random(f"{place}{chunk_size}").randbytes(2 * 8 * MIB + 4321)
    visits = len(product.failpoints.visits(place))
    product.failpoints.order(product.failpoints.next(place))

    file_id = client.upload(f"{place}.bin", content, chunk_size=chunk_size)

    assert len(product.failpoints.visits(place)) > visits, "the process was killed there"
    product.failpoints.order("")
    assert client.log.problems == []
    assert sha256(_stored(client, file_id)) == sha256(content)
    assert _chunk_rows(product, file_id) == 0
    files = [key for key in s3_server.stored_keys() if key.endswith(file_id)]
    assert len(files) == 1


def test_a_worker_that_dies_while_it_reads_from_the_bucket_is_followed_by_another(product: Product) -> None:
    client = Client(product.stack, "reader")
    product.failpoints.order(product.failpoints.next("extract.begun"))
    file_id = client.upload("harbour.txt", b"The harbour opens before sunrise. " * 300)

    def status() -> str:
        return str(client.ask("GET", f"/api/files/{file_id}").json()["status"])

    wait_for("the file to be ready after its worker died", lambda: status() == "ready", 180, every=1)
    events = client.ask("GET", f"/api/files/{file_id}/status").json()["timeline"]
    assert "worker_lost" in [event["code"] for event in events]


def test_a_web_that_is_killed_in_mid_upload_is_forgotten_by_the_client(product: Product, s3_server: S3Server) -> None:
    client = Client(product.stack, "killed")
    content = random.Random(77).randbytes(5 * 8 * MIB + 99)
    kills = []

    def strike(index: int) -> None:
        if index in (1, 3):
            kills.append(product.parts.kill(Part.WEB))

    file_id = client.upload("killed.bin", content, chunk_size=8 * MIB, each=strike)

    assert len(kills) == 2
    assert client.log.problems == []
    assert sha256(_stored(client, file_id)) == sha256(content)
    left = s3_server.client().list_multipart_uploads(Bucket=BUCKET, Prefix=f"files/{file_id.replace('-', '')[-2:]}")
    assert file_id not in str(left.get("Uploads", ()))
