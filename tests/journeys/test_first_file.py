"""The whole way, over real services: a broken upload, live stages, a question in other words, complete deletion."""

from __future__ import annotations

import json
import random
import socket
import threading
from contextlib import suppress
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.sync.client import connect

from tests.conftest import sha256
from tests.samples import pdf_of
from tests.stack import Stack, wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]

CHUNK = 64 * 1024
PAGES = [
    "Chapter 1. The harbour\nFishing boats leave before sunrise and return with herring and cod.",
    "Chapter 2. The bakery\nThe dough rests overnight. Loaves go into the oven at four in the morning.",
    "Chapter 3. The clinic\nA physician treats the sick children of the village free of charge.",
]


def _padded(pdf: bytes, size: int) -> bytes:
    """Return the PDF with a comment of random bytes behind it, so that it takes several chunks."""
    filler = random.Random(7).randbytes(size).hex().encode()
    return pdf + b"\n%" + filler + b"\n%%EOF\n"


class Watcher:
    """Collects what the status socket says about a user's files."""

    def __init__(self, stack: Stack, client: httpx.Client) -> None:
        ticket = client.post("/api/auth/ticket").json()["ticket"]
        self.messages: list[dict[str, Any]] = []
        self._address = f"{stack.websocket_url}?ticket={ticket}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_for("the snapshot", lambda: self.messages, 10)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def _listen(self) -> None:
        with connect(self._address) as socket:
            while not self._stop.is_set():
                with suppress(TimeoutError):
                    self.messages.append(json.loads(socket.recv(timeout=0.2)))

    def states(self, file_id: str) -> list[tuple[int, str, str]]:
        seen = []
        for message in list(self.messages):
            for file in message.get("files", []):
                if file["id"] == file_id:
                    seen.append((file["version"], file["status"], (file["progress"] or {}).get("stage", "")))
        return seen


def _cut_connection(stack: Stack, client: httpx.Client, file_id: str, content: bytes) -> None:
    """Send half a chunk and hang up."""
    address = urlsplit(stack.url)
    head = (
        f"PUT /api/files/{file_id}/upload HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: {client.headers['authorization']}\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Range: bytes 0-{CHUNK - 1}/{len(content)}\r\nContent-Length: {CHUNK}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port)) as line:
        line.sendall(head.encode() + content[: CHUNK // 2])


def _send(client: httpx.Client, file_id: str, index: int, content: bytes) -> dict[str, Any]:
    part = content[index * CHUNK : (index + 1) * CHUNK]
    start = index * CHUNK
    headers = {
        "Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(content)}",
        "X-Chunk-SHA256": sha256(part),
        "Content-Type": "application/octet-stream",
    }
    answer = client.put(f"/api/files/{file_id}/upload", content=part, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def test_from_a_broken_upload_to_a_found_page_to_nothing_left(stack: Stack) -> None:
    client = stack.client("journey")
    with Watcher(stack, client) as watcher:
        file_id, content = _upload_over_a_bad_line(stack, client)
        wait_for("the socket to say ready", lambda: "ready" in [s for _, s, _ in watcher.states(file_id)], 90)
        _assert_stages_were_told(client, watcher.states(file_id), file_id)

        hits = client.post("/api/search", json={"query": "doctor who looks after ill kids"}).json()["hits"]
        assert (hits[0]["file"]["id"], hits[0]["place"]["page"]) == (file_id, 3)
        assert sha256(client.get(f"/api/files/{file_id}/download").content) == sha256(content)

        assert client.delete(f"/api/files/{file_id}").status_code == 204
        wait_for("the socket to tell the deletion", lambda: any(m.get("id") == file_id for m in watcher.messages), 10)
        assert client.delete(f"/api/files/trash/{file_id}").status_code == 204
    _assert_nothing_left(stack, client, file_id)


def _upload_over_a_bad_line(stack: Stack, client: httpx.Client) -> tuple[str, bytes]:
    content = _padded(pdf_of(PAGES), 150_000)
    body = {"name": "village.pdf", "size": len(content), "sha256": sha256(content), "chunk_size": CHUNK}
    upload = client.post("/api/files/upload/initiate", json=body).json()
    _cut_connection(stack, client, upload["id"], content)
    order = list(range(upload["total_chunks"])) * 2
    random.Random(3).shuffle(order)
    answers = [_send(client, upload["id"], index, content) for index in order]
    assert answers[-1]["complete"] is True
    return upload["id"], content


def _assert_stages_were_told(client: httpx.Client, seen: list[tuple[int, str, str]], file_id: str) -> None:
    assert [version for version, _, _ in seen] == sorted(version for version, _, _ in seen)
    assert {"uploading", "queued", "processing", "ready"} >= {status for _, status, _ in seen}
    assert {"extract", "index"} & {stage for _, _, stage in seen}, seen
    codes = [event["code"] for event in client.get(f"/api/files/{file_id}/status").json()["timeline"]]
    assert codes == ["upload_started", "uploaded", "started", "text_read", "ready"]


def _assert_nothing_left(stack: Stack, client: httpx.Client, file_id: str) -> None:
    assert client.get(f"/api/files/{file_id}").status_code == 404
    assert client.post("/api/search", json={"query": "physician"}).json()["hits"] == []
    with stack.database() as database:
        tables = database.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND column_name = 'file_id'"
        ).fetchall()
        assert len(tables) > 5
        for table, column in tables:
            rows = database.execute(f'SELECT count(*) FROM "{table}" WHERE "{column}" = %s', [file_id]).fetchone()
            assert rows == (0,), table
    left = [path for path in (stack.state / "uploads").rglob("*") if path.is_file() and file_id in path.name]
    assert left == []


def test_ingest_and_search_by_command(stack: Stack, tmp_path: Any) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "whales.md").write_text("# Whales\n\nThe blue whale is the largest animal on Earth.")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing follows")

    taken = stack.manage("ingest", str(folder), "--json")
    rows = {row["path"].rsplit("/", 1)[1]: row for row in map(json.loads, taken.stdout.splitlines())}
    assert rows["whales.md"]["status"] == "ready"
    assert rows["broken.pdf"]["status"] == "failed"
    assert rows["broken.pdf"]["note"]
    assert taken.returncode == 1, "a failed file is an exit code"

    found = stack.manage("search", "biggest creature on the planet")
    assert "whales.md" in found.stdout.splitlines()[0], found.stdout + found.stderr


def test_doctor_finds_every_part_well(stack: Stack) -> None:
    done = stack.manage("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    for part in ("database", "pgvector", "migrations", "redis", "worker", "storage", "socket", "clock", "embedding"):
        assert part in done.stdout
