"""Real processes are killed, frozen, stopped and cut off in mid-job: every file still becomes ready, once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.client import Client
from tests.faults.parts import Part
from tests.faults.product import Product, faulty_product
from tests.pace import within
from tests.stack import wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

RECOVERY_SECONDS = 60.0
STAGES = ("job.claimed", "extract.stored", "extract.switching", "index.embedded", "index.written", "job.finishing")


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with faulty_product("jobs", EMBEDDING_ENGINE="hashing", PORT="23100", TRASH_DAYS="0") as running:
        yield running


def text(salt: str, paragraphs: int = 3) -> bytes:
    return "\n\n".join(
        f"Paragraph {n} of {salt}. {'The harbour opens early. ' * 20}" for n in range(paragraphs)
    ).encode()


def all_ready(client: Client, files: list[str], seconds: float = 240) -> None:
    def ready() -> bool:
        states = [client.status(file) for file in files]
        assert "failed" not in states, [client.timeline(file) for file in files if client.status(file) == "failed"]
        return set(states) == {"ready"}

    wait_for("all files to be ready", ready, seconds, 0.3)


def assert_whole(product: Product) -> None:
    with product.stack.database() as database:
        doubled = database.execute(
            "SELECT file_id FROM search_vectorchunk GROUP BY file_id "
            "HAVING count(*) <> count(DISTINCT ordinal) OR max(ordinal) <> count(*) - 1"
        ).fetchall()
        wrong = database.execute(
            "SELECT f.id FROM files_filerecord f WHERE f.status = 'ready' AND (f.chunk_count, f.segment_count) <> "
            "((SELECT count(*) FROM search_vectorchunk c WHERE c.file_id = f.id),"
            " (SELECT count(*) FROM files_filesegment s WHERE s.file_id = f.id))"
        ).fetchall()
    assert (doubled, wrong) == ([], [])


def codes(product: Product, code: str) -> int:
    with product.stack.database() as database:
        row = database.execute("SELECT count(*) FROM files_fileevent WHERE code = %s", [code]).fetchone()
    assert row is not None
    return int(row[0])


def test_a_worker_killed_at_each_stage_is_replaced_within_a_minute(product: Product) -> None:
    client = Client(product.stack, "stages")
    for place in STAGES:  # one after the other: a file that is struck three times fails, and rightly so
        product.failpoints.order(product.failpoints.next(place))
        all_ready(client, [client.upload(f"{place}.txt", text(place))])
    product.failpoints.order("")
    assert_whole(product)
    with product.stack.database() as database:
        gaps = database.execute(
            "SELECT extract(epoch FROM e.created_at - (SELECT max(s.created_at) FROM files_fileevent s "
            "  WHERE s.file_id = e.file_id AND s.code IN ('started', 'text_read') AND s.id < e.id)) "
            "FROM files_fileevent e WHERE e.code = 'worker_lost'"
        ).fetchall()
    seconds = sorted(float(gap) for (gap,) in gaps)
    assert len(seconds) >= len(STAGES) - 1, seconds  # the last one may have been between two commits of the end
    assert seconds[-1] <= within(RECOVERY_SECONDS), seconds


@pytest.mark.parametrize("part", [Part.WORKER_CHILD, Part.WORKER_PARENT])
def test_the_process_that_comes_after_a_dead_one_does_not_wait_for_its_lease(product: Product, part: Part) -> None:
    client = Client(product.stack, "takeover")
    visits = len(product.failpoints.visits("index.chunked"))
    product.failpoints.order(product.failpoints.next("index.chunked", "stop"))
    file = client.upload(f"{part}.txt", text(f"taken over from {part}", 100))
    product.failpoints.wait_for("index.chunked", visits + 1)
    held_by = product.failpoints.visits("index.chunked")[visits]
    product.failpoints.order("")
    query = "SELECT lease_until FROM files_processingjob WHERE file_id = %s"
    with product.stack.database() as database:
        lease: Any = database.execute(query, [file]).fetchone()
        if part is Part.WORKER_CHILD:
            os.kill(held_by, signal.SIGKILL)
        else:
            product.parts.kill(part)
        all_ready(client, [file])
        lost: Any = database.execute(
            "SELECT created_at FROM files_fileevent WHERE file_id = %s AND code = 'worker_lost'", [file]
        ).fetchall()
    assert len(lost) == 1
    assert lost[0][0] < lease[0], "before the lease ended by itself"
    assert_whole(product)


def test_a_zombie_that_wakes_up_changes_nothing(product: Product) -> None:
    client = Client(product.stack, "zombie")
    lost = codes(product, "worker_lost")
    visits = len(product.failpoints.visits("index.embedded"))
    product.failpoints.order(product.failpoints.next("index.embedded", "stop"))
    file = client.upload("long.txt", text("zombie", 200))
    product.failpoints.wait_for("index.embedded", visits + 1)
    zombie = product.failpoints.visits("index.embedded")[visits]
    product.failpoints.order("")
    all_ready(client, [file])
    assert codes(product, "worker_lost") == lost + 1
    woken = next(process for process in product.parts.processes(Part.WORKER_CHILD) if process.pid == zombie)
    woken.send_signal(signal.SIGCONT)
    wait_for("the zombie to be idle", lambda: not woken.is_running() or woken.status() == "sleeping", 60)
    another = client.upload("after.txt", text("after the zombie"))
    all_ready(client, [file, another])
    assert_whole(product)


def test_rolling_restarts_under_load_lose_and_double_nothing(product: Product) -> None:
    client = Client(product.stack, "rolling")
    lost, files = codes(product, "worker_lost"), []
    for turn in range(4):
        files += [client.upload(f"{turn}-{n}.txt", text(f"rolling {turn} {n}", 20)) for n in range(8)]
        old = wait_for("a worker", lambda: product.parts.processes(Part.WORKER_PARENT))[0]
        old.terminate()
        wait_for("it to stop", lambda gone=old: not gone.is_running(), 60)
    all_ready(client, files)
    assert codes(product, "worker_lost") == lost
    assert_whole(product)


def test_a_restart_of_postgresql_is_a_pause(product: Product) -> None:
    client = Client(product.stack, "pause")
    workers = wait_for("a worker", lambda: product.parts.processes(Part.WORKER_PARENT))
    files, recoveries = [], []
    for turn in range(3):
        files += [client.upload(f"{turn}-{n}.txt", text(f"pause {turn} {n}", 20)) for n in range(5)]
        product.parts.processes(Part.POSTGRES)[0].send_signal(signal.SIGQUIT)  # as `pg_ctl stop -m immediate`
        product.parts.start(Part.POSTGRES)
        back = time.monotonic()
        assert client.ask("GET", "/api/files").status_code == 200
        recoveries.append(time.monotonic() - back)
    all_ready(client, files)
    assert max(recoveries) <= 10, recoveries
    assert product.parts.processes(Part.WORKER_PARENT) == workers, "no worker needed a restart"
    assert_whole(product)


def test_a_deleted_file_leaves_nothing_within_five_seconds_and_may_come_again(product: Product) -> None:
    client = Client(product.stack, "deleter")
    visits = len(product.failpoints.visits("index.chunked"))
    product.failpoints.order("index.chunked=sleep:1")
    content = text("deleted", 200)
    file = client.upload("gone.txt", content)
    product.failpoints.wait_for("index.chunked", visits + 2)
    assert client.ask("DELETE", f"/api/files/{file}").status_code == 204
    deleted = time.monotonic()
    with product.stack.database() as database:
        for table in ("files_processingjob", "files_filesegment", "search_vectorchunk", "search_indexedfile"):
            assert database.execute(f"SELECT count(*) FROM {table} WHERE file_id = %s", [file]).fetchone() == (0,)
    again = client.upload("again.txt", content)
    wait_for("the worker to be free for it", lambda: client.status(again) == "processing", 30, 0.05)
    assert time.monotonic() - deleted < within(5)
    product.failpoints.order("")
    all_ready(client, [again])
    assert_whole(product)


def test_a_wedged_worker_is_noticed_and_restarted(product: Product) -> None:
    client = Client(product.stack, "wedged")
    worker = wait_for("a worker", lambda: product.parts.processes(Part.WORKER_PARENT))[0]
    pulse = next((product.stack.state / "pulses").glob("worker-*"))
    began = time.time()
    wait_for("a sign of life", lambda: pulse.stat().st_mtime > began, 60)
    product.parts.freeze(Part.WORKER_PARENT)
    frozen = time.monotonic()
    file = client.upload("waits.txt", text("wedged"))
    wait_for("the worker to be replaced", lambda: not worker.is_running() or worker.status() == "zombie", 120)
    assert time.monotonic() - frozen <= within(65)
    all_ready(client, [file])
