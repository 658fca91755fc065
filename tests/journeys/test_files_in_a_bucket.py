"""The whole way with FILE_STORAGE=s3: two web processes that share no disk, and memory that stays flat."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from orchestra.embedded.ports import WEB_MODULE
from tests.benchmarks.memory import MB, Sampler
from tests.conftest import sha256
from tests.s3_server import S3Server
from tests.samples import pdf_of
from tests.stack import ROOT, Stack, running_stack, wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

PAGES = ["The harbour\nFishing boats leave before sunrise.", "The clinic\nA physician treats sick children for free."]
SECOND_PORT = "25490"
MAY_GROW = 64 * MB


@pytest.fixture(scope="module")
def product(s3_server: S3Server) -> Iterator[Stack]:
    """The product with its files in an empty bucket."""
    s3_server.empty()
    with running_stack("bucket", PORT="25400", **s3_server.settings()) as running:
        yield running


@contextmanager
def second_web(product: Stack, s3_server: S3Server, upload_dir: Path, client: httpx.Client) -> Iterator[httpx.Client]:
    """Run another web process with a disk of its own, and give the same user's client of it."""
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "orchestra.asgi:application",
        "--port",
        SECOND_PORT,
        "--lifespan",
        "off",
    ]
    environment = {**os.environ, "STATE_DIR": str(product.state), "UPLOAD_DIR": str(upload_dir), **s3_server.settings()}
    web = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{SECOND_PORT}", headers=client.headers, timeout=60) as other:
            wait_for("the second web", lambda: _lives(other), 90)
            yield other
    finally:
        web.terminate()
        web.wait(60)


def _lives(client: httpx.Client) -> bool:
    try:
        return client.get("/api/health/live").status_code == 200
    except httpx.TransportError:
        return False


def _send(client: httpx.Client, upload: dict[str, Any], index: int, content: bytes) -> dict[str, Any]:
    size = upload["chunk_size"]
    part = content[index * size : (index + 1) * size]
    headers = {
        "Content-Range": f"bytes {index * size}-{index * size + len(part) - 1}/{len(content)}",
        "X-Chunk-SHA256": sha256(part),
        "Content-Type": "application/octet-stream",
    }
    answer = client.put(f"/api/files/{upload['id']}/upload", content=part, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def _status(client: httpx.Client, file_id: str) -> str:
    return str(client.get(f"/api/files/{file_id}").json()["status"])


def test_from_two_webs_to_a_found_page_to_an_empty_bucket(product: Stack, s3_server: S3Server, tmp_path: Path) -> None:
    client = product.client("bucket")
    content = pdf_of(PAGES) + b"\n%" + random.Random(5).randbytes(6 * MB).hex().encode() + b"\n%%EOF\n"
    body = {"name": "village.pdf", "size": len(content), "sha256": sha256(content), "chunk_size": MB}
    with second_web(product, s3_server, tmp_path / "other-disk", client) as other:
        upload = client.post("/api/files/upload/initiate", json=body).json()
        order = [*range(upload["total_chunks"]), 0, 3]
        random.Random(3).shuffle(order)
        answers = [_send((client, other)[turn % 2], upload, index, content) for turn, index in enumerate(order)]
        assert answers[-1]["complete"] is True
        file_id = upload["id"]
        wait_for("the file to be ready", lambda: _status(client, file_id) == "ready", 120)

        hits = client.post("/api/search", json={"query": "doctor who looks after ill kids"}).json()["hits"]
        assert (hits[0]["file"]["id"], hits[0]["place"]["page"]) == (file_id, 2)
        for web in (client, other):
            assert sha256(web.get(f"/api/files/{file_id}/download").content) == sha256(content)
            part = web.get(f"/api/files/{file_id}/download", headers={"Range": "bytes=5-14"})
            assert (part.status_code, part.content) == (206, content[5:15])
            assert part.headers["Content-Disposition"].startswith("attachment")
    assert s3_server.stored_keys() == [f"files/{file_id.replace('-', '')[-2:]}/{file_id}"]
    for disk in (product.state / "uploads", tmp_path / "other-disk"):
        assert [path for path in disk.rglob("*") if path.is_file()] == [], "bytes are in the bucket and nowhere else"

    assert client.delete(f"/api/files/{file_id}").status_code == 204
    assert client.delete(f"/api/files/trash/{file_id}").status_code == 204
    wait_for("the bucket to be empty", lambda: s3_server.stored_keys() == [], 30)
    assert client.get(f"/api/files/{file_id}/download").status_code == 404


def test_web_memory_stays_flat_while_256_mb_are_stored_and_downloaded(product: Stack) -> None:
    client = product.client("large")
    _stored_and_read(client, 3 * 8 * MB)  # what the first one loads once is not growth
    with Sampler(lambda: product.processes(WEB_MODULE), every=0.2) as sampler:
        _stored_and_read(client, 256 * MB)
    assert sampler.first > 0
    assert sampler.growth <= MAY_GROW, f"{sampler.growth / MB:.0f} MB"


def _stored_and_read(client: httpx.Client, size: int) -> None:
    block = random.Random(size).randbytes(8 * MB)
    body = {"name": f"{size}.bin", "size": size}
    upload = client.post("/api/files/upload/initiate", json=body).json()
    digest = hashlib.sha256()
    for start in range(0, size, 8 * MB):
        part = start.to_bytes(8, "big") + block[8:]
        digest.update(part)
        headers = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{size}"}
        answer = client.put(f"/api/files/{upload['id']}/upload", content=part, headers=headers, timeout=120)
        assert answer.status_code == 200, answer.text
    assert answer.json()["complete"] is True
    came = hashlib.sha256()
    with client.stream("GET", f"/api/files/{upload['id']}/download", timeout=120) as response:
        assert response.headers["Content-Length"] == str(size)
        for piece in response.iter_bytes(MB):
            came.update(piece)
    assert came.hexdigest() == digest.hexdigest()
    for address in ("files", "files/trash"):
        assert client.delete(f"/api/{address}/{upload['id']}").status_code == 204
