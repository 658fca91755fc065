"""U1 to U6 and U9 on the real product: what was acknowledged is there, whatever dies, breaks or hangs in between."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.benchmarks.memory import MB, Sampler
from tests.faults.client import Client
from tests.faults.parts import Part
from tests.faults.product import Product, faulty_product
from tests.faults.proxy import FAIR, Weather
from tests.faults.tracing import struck
from tests.faults.tus_client import HEADERS, TYPE, TusClient
from tests.pace import within
from tests.stack import wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

CHUNK = 64 * 1024
OF_BOTH = (
    *("upload.opened", "chunk.written"),
    *("complete.verified", "complete.recorded", "complete.moved", "complete.committed"),
)
STEPS = [
    *(("chunks", point) for point in (*OF_BOTH, "chunk.received", "chunk.recorded")),
    *(("tus", point) for point in (*OF_BOTH, "append.gathered", "append.recorded")),
]
# What makes bytes and names durable. strace counts each kind of call, in each thread, by itself.
SYNCING = ("fdatasync", "fsync", "rename")


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with faulty_product("uploads", EMBEDDING_ENGINE="hashing", TRASH_DAYS="0") as running:
        yield running


@pytest.fixture(scope="module")
def client(product: Product) -> Client:
    """One user's, signed in before anything dies; each upload's content is new."""
    signed_in = Client(product.stack, "uploader")
    signed_in.files()
    return signed_in


@pytest.fixture(autouse=True)
def _no_orders(product: Product) -> Iterator[None]:
    yield
    product.failpoints.order("")


_seeds = iter(range(10_000))


def content_of(size: int) -> bytes:
    """Return bytes that were not uploaded yet."""
    return random.Random(f"uploads {next(_seeds)}").randbytes(size)


def upload(client: Client, face: str, content: bytes) -> str:
    if face == "tus":
        return TusClient(client).upload("data.bin", content, piece=CHUNK)
    return client.upload("data.bin", content, chunk_size=CHUNK)


def assert_one_file(product: Product, client: Client, file_id: str, content: bytes) -> None:
    """One record, one job, and the bytes that were sent."""
    digest = hashlib.sha256(content).hexdigest()
    assert client.digest_of_download(file_id) == digest
    assert client.log.problems == []
    with product.stack.database() as database:
        rows = database.execute(
            "SELECT f.id::text, (SELECT count(*) FROM files_processingjob j WHERE j.file_id = f.id) "
            "FROM files_filerecord f WHERE f.sha256 = %s",
            [digest],
        ).fetchall()
    assert rows == [(file_id, 1)]


@pytest.mark.parametrize(("face", "point"), STEPS)
def test_the_web_dies_at_each_step_and_nothing_acknowledged_is_lost(
    product: Product, client: Client, point: str, face: str
) -> None:
    content = content_of(3 * CHUNK + 99)
    visit = len(product.failpoints.visits(point))
    product.failpoints.order(product.failpoints.next(point))
    file_id = upload(client, face, content)
    assert len(product.failpoints.visits(point)) > visit, "the web died there"
    if face == "tus":  # told as complete by its offset; the file follows by itself
        wait_for("the file", lambda: client.status(file_id) != "uploading", 120)
    assert_one_file(product, client, file_id, content)


@pytest.mark.parametrize("face", ["chunks", "tus"])
def test_the_web_dies_at_each_call_that_makes_bytes_durable(product: Product, client: Client, face: str) -> None:
    deaths = {call: _deaths_at(product, client, face, call) for call in SYNCING}
    assert deaths["fdatasync"] >= 1, "bytes"
    assert deaths["rename"] >= 1, "the file's name"
    assert deaths["fsync"] >= 2, "the folders of both names"


def _deaths_at(product: Product, client: Client, face: str, call: str) -> int:
    """Kill the web at the first, second, ... such call of a request, until an upload needs no more of them."""
    for number in itertools.count(1):
        content = content_of(CHUNK + 99)
        web = wait_for("the web", lambda: product.parts.processes(Part.WEB), 60)[0].pid
        with struck(web, call, "signal=SIGKILL", number):
            file_id = upload(client, face, content)
            survived = [process.pid for process in product.parts.processes(Part.WEB)] == [web]
        wait_for("the file", lambda file_id=file_id: client.status(file_id) != "uploading", 120)
        assert_one_file(product, client, file_id, content)
        if survived:
            return number - 1
    raise AssertionError("there is no end")


def test_a_chunk_that_is_recorded_before_it_is_written_is_found() -> None:
    with faulty_product("uploads-bug", bug="uploads.recorded_before_written", EMBEDDING_ENGINE="hashing") as wrong:
        client, content = Client(wrong.stack, "victim"), content_of(3 * CHUNK)
        # The second visit is behind the commit, where the bug writes the bytes.
        wrong.failpoints.order("chunk.written=kill:2")
        with pytest.raises(AssertionError, match="upload_checksum_mismatch"):
            client.upload("data.bin", content, chunk_size=CHUNK)


# --- U3 --------------------------------------------------------------------------------------------------------------


def raw(
    product: Product,
    head: str,
    body: Iterator[bytes] | bytes,
    client: Client,
    *,
    answered: bool = True,
    pause: float = 0,
) -> int:
    """Send a request as written, whatever it says about itself, with a `pause` before its body.

    Return the status, 0 when none came.
    """
    address = urlsplit(product.stack.url)
    token = client.ask("GET", "/api/auth/me", expect=(200,)).request.headers["authorization"]
    with socket.create_connection((address.hostname, address.port), timeout=60) as line:
        line.sendall(f"{head}\r\nHost: {address.netloc}\r\nAuthorization: {token}\r\n\r\n".encode())
        time.sleep(pause)
        with contextlib.suppress(OSError):  # refused before all was sent
            for piece in [body] if isinstance(body, bytes) else body:
                line.sendall(piece)
        if not answered:
            return 0
        try:
            answer = line.recv(4096)
        except OSError:
            return 0
    return int(answer.split()[1]) if answer else 0


def _patch_head(address: str, offset: int, framing: str) -> str:
    tus = f"Tus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\nContent-Type: {TYPE}"
    return f"PATCH {address} HTTP/1.1\r\n{tus}\r\n{framing}"


def test_a_length_that_lies_brings_no_byte_too_many_or_wrong(product: Product) -> None:
    client, content = Client(product.stack, "liar"), content_of(10_000)
    tus = TusClient(client)
    address = tus.create("lies.bin", 5000)
    # More than there is room for, announced and not announced.
    assert raw(product, _patch_head(address, 0, "Content-Length: 5001"), content[:5001], client) == 413
    chunked = b"1389\r\n" + content[:5001] + b"\r\n0\r\n\r\n"
    assert raw(product, _patch_head(address, 0, "Transfer-Encoding: chunked"), chunked, client) == 413
    assert tus.offset(address) == 0
    failed = product.stack.log.read_text(errors="replace").count("request_failed")
    # Fewer than announced: what came counts, and no more.
    raw(product, _patch_head(address, 0, "Content-Length: 4000"), content[:1234], client, answered=False)
    # Looked up, not asked for: whoever asks takes the upload over.
    wait_for("the cut to be noticed", lambda: _received(product, address) == 1234, 30)
    assert product.stack.log.read_text(errors="replace").count("request_failed") == failed, "it is nobody's bug"
    # More than announced: the rest is another request, and none that makes sense. uvicorn drops both where they come
    # with the head, as on a busy machine: then nothing was kept, and nobody was told otherwise.
    raw(product, _patch_head(address, 1234, "Content-Length: 10"), content[1234:1300], client, pause=1)
    kept = tus.offset(address)
    assert kept in (1234, 1244)
    assert tus.send(address, kept, content[kept:5000]).status_code == 204
    assert client.digest_of_download(address.rsplit("/", 1)[1]) == hashlib.sha256(content[:5000]).hexdigest()


def test_a_body_of_any_length_takes_no_memory(product: Product) -> None:
    client = Client(product.stack, "flood")
    tus = TusClient(client)
    size = 128 * MB
    block = content_of(MB)
    upload(client, "tus", content_of(8 * MB))  # what the first one loads once is not growth
    addresses = [tus.create(f"flood {number}", size) for number in range(2)]
    initiated = {"name": "flood.bin", "size": 2 * CHUNK, "chunk_size": CHUNK}
    grid = client.ask("POST", "/api/files/upload/initiate", json=initiated, expect=(201,)).json()["id"]
    put = f"PUT /api/files/{grid}/upload HTTP/1.1\r\nContent-Range: bytes 0-{CHUNK - 1}/{2 * CHUNK}\r\n"

    def chunks() -> Iterator[bytes]:
        for _ in range(size // MB):
            yield b"100000\r\n" + block + b"\r\n"
        yield b"0\r\n\r\n"

    with Sampler(lambda: product.parts.processes(Part.WEB), every=0.1) as sampler:
        assert (
            raw(product, _patch_head(addresses[0], 0, f"Content-Length: {size}"), chunks_of(block, size), client) == 204
        )
        assert raw(product, _patch_head(addresses[1], 0, "Transfer-Encoding: chunked"), chunks(), client) == 204
        assert raw(product, f"{put}Content-Length: {1024 * MB}", block, client) == 413
        assert raw(product, f"{put}Transfer-Encoding: chunked", chunks(), client) in (0, 400, 413)
    assert [tus.offset(address) for address in addresses] == [size, size]
    state = client.ask("GET", f"/api/files/{grid}/status").json()["upload"]
    assert state["received"] == []
    assert sampler.growth < 32 * MB


def chunks_of(block: bytes, size: int) -> Iterator[bytes]:
    for _ in range(size // len(block)):
        yield block


# --- U5 --------------------------------------------------------------------------------------------------------------


def test_fifty_that_complete_at_once_make_one_file(product: Product) -> None:
    client, content = Client(product.stack, "crowd"), content_of(2 * CHUNK)
    declared = {"name": "crowd.bin", "size": len(content), "chunk_size": CHUNK}
    state = client.ask("POST", "/api/files/upload/initiate", json=declared, expect=(201,)).json()
    address = f"/api/files/{state['id']}/upload"

    def send(index: int) -> Any:
        start = index * CHUNK
        headers = {"Content-Range": f"bytes {start}-{start + CHUNK - 1}/{len(content)}"}
        return client.ask("PUT", address, content=content[start : start + CHUNK], headers=headers, expect=(200,)).json()

    send(0)
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(send, [1] * 50))
    assert {(answer["id"], answer["complete"]) for answer in answers} == {(state["id"], True)}
    assert_one_file(product, client, state["id"], content)


# --- U6 --------------------------------------------------------------------------------------------------------------


def test_cuts_at_any_byte_cost_little_and_mix_nothing(product: Product) -> None:
    content, rounds = content_of(4 * MB), random.Random(6)
    with product.web_line() as (line, url):
        through = TusClient(Client(product.stack, "cutter", url=url))
        address = through.create("cut.bin", len(content))
        offset, cuts = 0, 0
        while offset < len(content):
            after = rounds.randrange(20_000, 900_000)
            line.weather = Weather(cut_up_after=after)
            try:
                through.send(address, offset, content[offset:])
            except httpx.TransportError:
                cuts += 1
            line.weather = FAIR
            began, before = time.monotonic(), offset
            offset = through.offset(address) or 0
            assert time.monotonic() - began < within(30), "a cut request holds up nobody"
            assert before <= offset <= len(content)
    assert cuts >= 3
    file_id = address.rsplit("/", 1)[1]
    assert_one_file(product, Client(product.stack, "cutter"), file_id, content)


@pytest.mark.parametrize("after", [1, 100_000, 1_500_000])
def test_a_frozen_request_gives_way_to_the_next_client(product: Product, after: int) -> None:
    content = content_of(2 * MB)
    with product.web_line() as (line, url):
        first = TusClient(Client(product.stack, "frozen", url=url))
        address = first.create("frozen.bin", len(content))
        body, frozen = _until(content, after), threading.Event()

        def hang() -> None:
            headers = HEADERS | {"Upload-Offset": "0", "Content-Type": TYPE, "Content-Length": str(len(content))}
            with httpx.Client(base_url=url, timeout=120, headers=_credentials(first.client)) as http:
                try:
                    http.patch(address, headers=headers, content=body(frozen))
                except httpx.TransportError:
                    return

        hanging = threading.Thread(target=hang, daemon=True)
        hanging.start()
        second = TusClient(Client(product.stack, "frozen"))
        second.client.files()
        wait_for("bytes of the first", lambda: _received(product, address) > 0, 30, 0.05)
        line.weather = Weather(frozen=True)
        frozen.set()  # the rest of the first one's bytes are on their way, and stand still
        began = time.monotonic()
        offset = second.offset(address)
        assert offset is not None
        assert 0 < offset <= after
        assert second.send(address, offset, content[offset:]).status_code == 204
        assert time.monotonic() - began < within(30)
        line.weather = FAIR  # and now they come after all
        hanging.join(30)
    assert_one_file(product, second.client, address.rsplit("/", 1)[1], content)


def _credentials(client: Client) -> dict[str, str]:
    return {"Authorization": client.ask("GET", "/api/auth/me", expect=(200,)).request.headers["authorization"]}


def _until(content: bytes, after: int) -> Any:
    def body(thawed: threading.Event) -> Iterator[bytes]:
        yield content[:after]
        thawed.wait(60)
        yield bytes(len(content) - after)  # other bytes than those of the other client

    return body


def _received(product: Product, address: str) -> int:
    with product.stack.database() as database:
        row = database.execute(
            "SELECT received FROM files_upload WHERE id = %s", [address.rsplit("/", 1)[1]]
        ).fetchone()
    return int(row[0]) if row else -1


# --- U9 --------------------------------------------------------------------------------------------------------------

STAGES = (
    *("chunk.written", "complete.moved", "job.claimed", "extract.stored", "extract.switched"),
    *("index.embedded", "index.writing", "index.written", "job.finishing"),
)


@pytest.mark.parametrize("stage", STAGES)
def test_a_deletion_at_any_stage_is_final(product: Product, stage: str) -> None:
    client = Client(product.stack, f"deleter-{stage}")
    client.files()
    text = f"Pilot {random.Random(stage).random()} comes aboard before sunrise. ".encode() * 2000
    visits = len(product.failpoints.visits(stage))
    product.failpoints.order(f"{stage}=sleep:1.5")
    sending = threading.Thread(target=_try_to_upload, args=(client, text), daemon=True)
    sending.start()
    product.failpoints.wait_for(stage, visits + 1)
    (file_id,) = client.files()
    client.delete(file_id)
    product.failpoints.order("")
    sending.join(60)

    assert client.ask("GET", f"/api/files/{file_id}").status_code == 404
    wait_for("everything of it to be gone", lambda: not _traces(product, file_id), 20, 0.3)
    assert not _stays_for(product, file_id, seconds=2)
    again = client.upload("again.txt", text)
    wait_for("the same bytes to be read again", lambda: client.status(again) == "ready", 120, 0.3)


def _try_to_upload(client: Client, text: bytes) -> None:
    declared = {"name": "deleted.txt", "size": len(text)}
    state = client.ask("POST", "/api/files/upload/initiate", json=declared).json()
    headers = {"Content-Range": f"bytes 0-{len(text) - 1}/{len(text)}"}
    client.ask("PUT", f"/api/files/{state['id']}/upload", content=text, headers=headers, expect=(200, 404))


def _traces(product: Product, file_id: str) -> list[str]:
    """Return where anything is left of a file: tables and paths."""
    with product.stack.database() as database:
        tables = database.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND column_name = 'file_id'"
        ).fetchall()
        assert len(tables) > 5
        found = [
            str(table)
            for table, column in [*tables, ("files_filerecord", "id"), ("files_upload", "id")]
            if database.execute(f'SELECT 1 FROM "{table}" WHERE "{column}" = %s LIMIT 1', [file_id]).fetchone()
        ]
    return found + [str(path) for path in (product.stack.state / "uploads").rglob(f"*{file_id}*")]


def _stays_for(product: Product, file_id: str, seconds: float) -> list[str]:
    """Return what came back of a file within some seconds: a late worker must not bring it back."""
    until = time.monotonic() + within(seconds)
    while time.monotonic() < until:
        if found := _traces(product, file_id):
            return found
        time.sleep(0.1)
    return []


def test_a_deletion_while_bytes_come_by_tus_is_final(product: Product) -> None:
    client = Client(product.stack, "tus-deleter")
    tus = TusClient(client)
    content = content_of(4 * MB)
    address = tus.create("deleted.bin", len(content))
    frozen = threading.Event()
    statuses: list[int] = []

    def send() -> None:
        headers = HEADERS | {"Upload-Offset": "0", "Content-Type": TYPE, "Content-Length": str(len(content))}
        with httpx.Client(base_url=product.stack.url, timeout=120, headers=_credentials(client)) as http:
            statuses.append(http.patch(address, headers=headers, content=_until(content, MB)(frozen)).status_code)

    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    wait_for("bytes of it", lambda: _received(product, address) > 0, 30, 0.05)
    assert client.ask("DELETE", address, headers=HEADERS).status_code == 204
    frozen.set()
    sending.join(60)
    assert tus.offset(address) is None
    assert statuses in ([404], [409]), json.dumps(statuses)
    assert not _traces(product, address.rsplit("/", 1)[1])
