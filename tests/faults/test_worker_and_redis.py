"""What may die: the worker in the middle of embedding, Redis with a full queue. Every file must still become ready."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import httpx
import psutil
import pytest

from tests.samples import long_text, text_and_scan_of
from tests.stack import Stack, wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]


def _upload(client: httpx.Client, name: str, content: bytes) -> str:
    answer = client.post("/api/files/upload", files={"file": (name, BytesIO(content))})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _assert_chunks_are_whole(stack: Stack) -> None:
    with stack.database() as database:
        doubled = database.execute(
            "SELECT file_id, count(*) FROM search_vectorchunk GROUP BY file_id "
            "HAVING count(*) <> count(DISTINCT ordinal) OR max(ordinal) <> count(*) - 1"
        ).fetchall()
        orphans = database.execute(
            "SELECT count(*) FROM search_vectorchunk c JOIN search_indexedfile d USING (file_id) "
            "LEFT JOIN search_chunkembedding e ON e.document_id = d.number AND e.ordinal = c.ordinal "
            "WHERE e.document_id IS NULL"
        ).fetchone()
        wrong = database.execute(
            "SELECT f.id FROM files_filerecord f WHERE f.status = 'ready' "
            "AND f.chunk_count <> (SELECT count(*) FROM search_vectorchunk c WHERE c.file_id = f.id)"
        ).fetchall()
    assert (doubled, orphans, wrong) == ([], (0,), [])


def _progress(client: httpx.Client, file_id: str) -> dict[str, Any]:
    return client.get(f"/api/files/{file_id}").json()["progress"] or {}


def _kill_workers(stack: Stack) -> None:
    for process in stack.processes("celery_app"):
        try:
            if "worker" in process.cmdline():
                process.kill()
        except psutil.NoSuchProcess:
            continue


def test_worker_killed_in_mid_embedding_is_replaced_and_doubles_nothing(stack: Stack) -> None:
    client = stack.client("killer")
    file_id = _upload(client, "long.txt", long_text(600, "kill"))

    def embedding() -> bool:
        progress = _progress(client, file_id)
        return progress.get("stage") == "index" and progress.get("done", 0) > 0

    wait_for("embedding to be under way", embedding, 60, every=0.05)
    _kill_workers(stack)

    wait_for("the file to be ready", lambda: client.get(f"/api/files/{file_id}").json()["status"] == "ready", 200, 0.5)
    codes = [event["code"] for event in client.get(f"/api/files/{file_id}/status").json()["timeline"]]
    assert "worker_lost" in codes, json.dumps(codes)
    _assert_chunks_are_whole(stack)


@pytest.mark.timeout(600)
def test_worker_killed_while_it_reads_and_embeds_is_replaced_and_doubles_nothing(stack: Stack) -> None:
    client = stack.client("scanner")
    line = "The harbour of town {0} opens before sunrise, says pilot {1}."
    pages = ["\n".join([f"Page {n}."] + [line.format(n % 7, at) for at in range(30)]) for n in range(20)]
    file_id = _upload(client, "scan.pdf", text_and_scan_of(pages[:16], pages[16:]))

    def reading() -> bool:
        progress = _progress(client, file_id)
        return progress.get("stage") == "extract" and progress.get("done", 0) >= 17

    wait_for("enough text to embed while the rest is recognised", reading, 200, every=0.1)
    _kill_workers(stack)

    def shown() -> dict[str, Any]:
        return client.get(f"/api/files/{file_id}").json()  # type: ignore[no-any-return]

    wait_for("the file to be ready", lambda: shown()["status"] == "ready", 300, 0.5)
    codes = [event["code"] for event in client.get(f"/api/files/{file_id}/status").json()["timeline"]]
    assert "worker_lost" in codes, json.dumps(codes)
    assert codes.count("text_read") == 1
    _assert_chunks_are_whole(stack)
    with stack.database() as database:
        kept = database.execute(
            "SELECT count(*), count(DISTINCT ordinal), count(DISTINCT generation) FROM files_filesegment "
            "WHERE file_id = %s",
            [file_id],
        ).fetchone()
    assert kept is not None
    assert kept[0] == kept[1] == shown()["segment_count"]
    assert kept[2] == 1


def test_a_stopped_worker_hands_its_file_back_uncounted(stack: Stack) -> None:
    client = stack.client("stopper")
    file_id = _upload(client, "long.txt", long_text(1500, "stop"))
    wait_for("embedding to begin", lambda: _progress(client, file_id).get("stage") == "index", 60, every=0.05)
    parent = next(process for process in stack.processes("celery_app") if "worker" in process.cmdline())
    parent.terminate()

    def codes() -> list[str]:
        return [event["code"] for event in client.get(f"/api/files/{file_id}/status").json()["timeline"]]

    wait_for("the job to come back", lambda: "released" in codes(), 30)
    wait_for("another worker to take it", lambda: "started" in codes()[codes().index("released") :], 60)
    assert "worker_lost" not in codes()
    with stack.database() as database:
        assert database.execute(
            "SELECT failures FROM files_processingjob WHERE file_id = %s", [file_id]
        ).fetchone() == (0,)
    assert client.delete(f"/api/files/{file_id}").status_code == 204
