"""U10: the clients that people use, unchanged: tus-js-client and tuspy upload, stop, resume and delete."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import sha256
from tests.faults.client import Client
from tests.node_packages import node_folder
from tests.stack import Stack

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

MIB = 1024**2
NODE = Path(__file__).parent / "node"
CONTENT = random.Random(11).randbytes(20 * MIB + 4321)
NAME = "Отчёт 東京 🙂.bin"


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    signed_in = Client(stack, "tus-user").ask("GET", "/api/auth/me", expect=(200,))
    headers = {"Authorization": signed_in.request.headers["authorization"]}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file whose content nobody has uploaded yet."""
    path = tmp_path / "source.bin"
    path.write_bytes(tmp_path.name.encode() + CONTENT)
    return path


def javascript(api: httpx.Client, source: Path, **task: Any) -> dict[str, Any]:
    """Let tus-js-client do a task; return what it says about it."""
    headers = {"Authorization": api.headers["Authorization"]}
    said = {"endpoint": str(api.base_url.join("/tus/")), "headers": headers, "path": str(source)} | task
    command = ["node", "client.mjs", json.dumps(said)]
    done = subprocess.run(
        command, cwd=node_folder(NODE, "test-node"), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _is_whole(api: httpx.Client, url: str, source: Path, name: str) -> bool:
    file = api.get(f"/api/files/{url.rsplit('/', 1)[1]}").json()
    return bool((file["name"], file["sha256"]) == (name, sha256(source.read_bytes())))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunkSize": 3 * MIB + 17},
        {"withCreation": True},
        {"withCreation": True, "chunkSize": 5 * MIB},
        {"overridePatchMethod": True, "chunkSize": 8 * MIB},
    ],
    ids=["one request", "pieces", "with creation", "pieces with creation", "replaced method"],
)
def test_tus_js_client_uploads(api: httpx.Client, source: Path, options: dict[str, Any]) -> None:
    done = javascript(api, source, metadata={"filename": NAME, "filetype": "application/pdf"}, **options)
    assert done["complete"]
    assert _is_whole(api, done["url"], source, NAME)


def test_tus_js_client_stops_and_resumes_where_it_was(api: httpx.Client, source: Path) -> None:
    done = javascript(api, source, chunkSize=2 * MIB, abortAt=9 * MIB, then="resume", metadata={"filename": NAME})
    assert 9 * MIB <= done["accepted"] < len(CONTENT)
    # One to ask for the offset, and the rest of the pieces: nothing was sent twice.
    assert done["requests"] <= 1 + -(-(source.stat().st_size - done["accepted"]) // (2 * MIB))
    assert _is_whole(api, done["url"], source, NAME)


def test_tus_js_client_deletes_what_it_began(api: httpx.Client, source: Path) -> None:
    done = javascript(api, source, chunkSize=2 * MIB, abortAt=4 * MIB, then="terminate")
    address = done["url"]
    assert api.head(address, headers={"Tus-Resumable": "1.0.0"}).status_code == 404
    assert api.get(f"/api/files/{address.rsplit('/', 1)[1]}").status_code == 404


def test_tus_js_client_uploads_an_empty_file(api: httpx.Client, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    done = javascript(api, empty, metadata={"filename": "empty.txt"})
    assert _is_whole(api, done["url"], empty, "empty.txt")


def test_tuspy_uploads_in_pieces_with_checksums(api: httpx.Client, source: Path) -> None:
    client = tuspy(api)
    with source.open("rb") as stream:  # by path, it leaves files open
        uploader = client.uploader(
            file_stream=stream, chunk_size=3 * MIB, metadata={"filename": NAME}, upload_checksum=True
        )
        uploader.upload()
    assert _is_whole(api, str(uploader.url), source, NAME)


def test_tuspy_stops_and_another_one_resumes_and_deletes(api: httpx.Client, source: Path) -> None:
    client = tuspy(api)
    with source.open("rb") as stream:
        first = client.uploader(file_stream=stream, chunk_size=4 * MIB)
        first.upload(stop_at=8 * MIB)
        assert first.offset == 8 * MIB

        address = str(first.url)
        second = client.uploader(file_stream=stream, chunk_size=4 * MIB, url=address)
        assert second.get_offset() == 8 * MIB
        second.upload()
    assert sha256(source.read_bytes()) == api.get(f"/api/files/{address.rsplit('/', 1)[1]}").json()["sha256"]

    assert api.delete(address, headers={"Tus-Resumable": "1.0.0"}).status_code == 204
    assert api.head(address, headers={"Tus-Resumable": "1.0.0"}).status_code == 404


def tuspy(api: httpx.Client) -> Any:
    from tusclient.client import TusClient

    return TusClient(str(api.base_url.join("/tus/")), headers={"Authorization": api.headers["Authorization"]})
