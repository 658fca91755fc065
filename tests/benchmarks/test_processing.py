"""From the first byte to searchable: seconds, memory, and what the libraries underneath take alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.benchmarks import materials
from tests.benchmarks.memory import MB, Sampler, processes_of
from tests.benchmarks.peers import seconds_of
from tests.benchmarks.recording import record
from tests.benchmarks.uploading import parts_of, upload
from tests.stack import Stack, wait_for

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

PEER_PASSAGES = 320
"""So many of the passages are embedded by the peer too: all of them would take as long again."""


def _client(product: Stack, name: str) -> httpx.Client:
    """Return a client with an API key: a token would run out before the longest file is read."""
    client = product.client(name)
    key = client.post("/api/auth/keys", json={"name": "benchmark"}).json()["key"]
    client.headers["Authorization"] = f"Api-Key {key}"
    return client


def _watched(product: Stack, work: Callable[[], float]) -> tuple[float, Sampler]:
    with Sampler(lambda: processes_of(product)) as sampler:
        seconds = work()
    return seconds, sampler


def _send_and_find(client: httpx.Client, path: Path) -> tuple[float, dict[str, Any]]:
    """Upload a file, wait until a search finds it; return seconds and its last status."""
    content = path.read_bytes()
    began = time.perf_counter()
    file_id = upload(client, path.name, len(content), parts_of(content))["id"]

    def ended() -> dict[str, Any] | None:
        answer = client.get(f"/api/files/{file_id}/status")
        assert answer.status_code == 200, answer.text
        status: dict[str, Any] = answer.json()
        return status if status["status"] in ("ready", "partial", "failed") else None

    status = wait_for("the file to be read", ended, 1500, every=0.25)
    assert status["status"] == "ready", status
    body = {"query": "what is said about classes?", "filters": {"files": [file_id]}}
    assert client.post("/api/search", json=body).json()["hits"]
    return time.perf_counter() - began, status


def _peer_rate(product: Stack, folder: Path) -> float:
    """Return the passages a second of sentence-transformers on passages that the product made."""
    with product.database() as database:
        rows = database.execute(
            "SELECT text FROM search_vectorchunk ORDER BY md5(id::text) LIMIT %s", [PEER_PASSAGES]
        ).fetchall()
    sample = folder / "passages.json"
    sample.write_text(json.dumps([text for (text,) in rows]))
    return len(rows) / seconds_of("encode", sample)


def _figures(seconds: float, sampler: Sampler, passages: int, stages: dict[str, float], peer: float) -> dict[str, Any]:
    rate = passages / stages["index"]
    return {
        "passages": passages,
        "seconds": seconds,
        "of these extract": stages["extract"],
        "of these index": stages["index"],
        "passages/s in index": rate,
        "sentence-transformers alone, passages/s": peer,
        "ratio": rate / peer,
        "peak MB, all processes": sampler.total / MB,
        "peak MB, largest process": sampler.largest / MB,
    }


def _forget(client: httpx.Client) -> None:
    while files := client.get("/api/files", params={"page_size": 200}).json()["results"]:
        for file in files:
            client.delete(f"/api/files/{file['id']}")


def _warm(product: Stack, client: httpx.Client, folder: Path) -> None:
    """Let every worker process load its model, which happens once per start."""
    for path in materials.small_texts(folder / "warm", 8):
        _send_and_find(client, path)
    _forget(client)


def test_a_pdf_of_1_mb(product: Stack, tmp_path: Path, load: float) -> None:
    path = tmp_path / "book.pdf"
    pages = materials.text_pdf(path, MB)
    client = _client(product, "pdf")
    _warm(product, client, tmp_path)
    status: dict[str, Any] = {}

    def work() -> float:
        seconds, found = _send_and_find(client, path)
        status.update(found)
        return seconds

    seconds, sampler = _watched(product, work)
    bare = seconds_of("pdf-text", path)
    stages = status["timings"]
    figures = _figures(seconds, sampler, status["chunk_count"], stages, _peer_rate(product, tmp_path))
    record("processing", f"PDF of 1 MB, {pages} pages", figures, load)
    compared = {"extract stage, s": stages["extract"], "pypdfium2 alone, s": bare, "ratio": stages["extract"] / bare}
    record("extraction", f"PDF of 1 MB, {pages} pages", compared, load)


def test_a_docx_of_10_mb(product: Stack, tmp_path: Path, load: float) -> None:
    path = tmp_path / "report.docx"
    materials.text_docx(path, 10 * MB)
    client = _client(product, "docx")
    _warm(product, client, tmp_path)
    status: dict[str, Any] = {}

    def work() -> float:
        seconds, found = _send_and_find(client, path)
        status.update(found)
        return seconds

    seconds, sampler = _watched(product, work)
    figures = _figures(seconds, sampler, status["chunk_count"], status["timings"], _peer_rate(product, tmp_path))
    record("processing", "DOCX of 10 MB, all of it text", figures, load)


def test_a_thousand_small_files(product: Stack, tmp_path: Path, load: float) -> None:
    paths = materials.small_texts(tmp_path / "notes", 1000)
    client = _client(product, "notes")
    _warm(product, client, tmp_path)

    def send(path: Path) -> None:
        answer = client.post("/api/files/upload", files={"file": (path.name, path.read_bytes())})
        assert answer.status_code == 201, answer.text

    def counts() -> dict[str, int]:
        return client.get("/api/files", params={"page_size": 1}).json()["counts"]  # type: ignore[no-any-return]

    def work() -> float:
        began = time.perf_counter()
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(send, paths))
        wait_for("all files to be read", lambda: counts().get("ready") == len(paths), 1500, every=0.25)
        return time.perf_counter() - began

    seconds, sampler = _watched(product, work)
    passages, stages = _sums(product, "notes")
    record(
        "processing",
        "1,000 text files",
        _figures(seconds, sampler, passages, stages, _peer_rate(product, tmp_path)),
        load,
    )


def _sums(product: Stack, owner: str) -> tuple[int, dict[str, float]]:
    """Return an owner's passages, and the seconds per stage summed over the files; two files are read at a time."""
    with product.database() as database:
        rows = database.execute(
            "SELECT key, sum(value::float8) FROM files_processingjob, jsonb_each_text(timings) "
            "WHERE owner_id = (SELECT id FROM accounts_user WHERE username = %s) GROUP BY key",
            [owner],
        ).fetchall()
        count = database.execute(
            "SELECT sum(chunk_count) FROM files_filerecord f JOIN accounts_user u ON u.id = f.owner_id "
            "WHERE username = %s",
            [owner],
        ).fetchone()
    assert count
    return int(count[0]), {key: float(value) for key, value in rows}
