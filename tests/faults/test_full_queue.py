"""A full queue when something breaks: Redis forgets it, files in it kill their workers, its worker falls silent.

`PROPERTIES=thorough` runs what takes many minutes.
"""

from __future__ import annotations

import os
import time

import pytest

from files.hints import QUEUE
from tests.faults.client import Client
from tests.faults.oracle import judge
from tests.faults.parts import Part
from tests.faults.product import faulty_product
from tests.faults.proxy import Weather
from tests.pace import within
from tests.samples import long_text, scan_of
from tests.stack import wait_for

THOROUGH = os.environ.get("PROPERTIES") == "thorough"
pytestmark = [pytest.mark.services, pytest.mark.timeout(3600 if THOROUGH else 600)]
thorough = pytest.mark.skipif(not THOROUGH, reason="takes many minutes: PROPERTIES=thorough runs it")

QUEUED = 200
REPUBLISHED_WITHIN = 60.0


def test_redis_forgets_two_hundred_queued_files_and_none_is_lost() -> None:
    with faulty_product("full-queue", EMBEDDING_ENGINE="hashing", PORT="23600") as product:
        client, redis = Client(product.stack, "many"), product.stack.redis()

        def hints() -> int:
            keys = redis.keys(f"*{QUEUE}")  # with the product's own prefix
            return sum(redis.llen(key) for key in keys if redis.type(key) == b"list")

        product.failpoints.order("job.claimed=sleep:1")
        files = [client.upload(f"{n}.txt", long_text(1, f"note {n}")) for n in range(QUEUED)]
        assert sum(client.status(file) == "queued" for file in files) > QUEUED // 2
        redis.flushall()
        emptied = time.monotonic()
        wait_for("hints to be sent again", lambda: hints() > QUEUED // 4, REPUBLISHED_WITHIN, 0.2)
        assert time.monotonic() - emptied <= REPUBLISHED_WITHIN
        product.failpoints.order("")
        wait_for("all to be ready", lambda: {file["status"] for file in client.files().values()} == {"ready"}, 300, 2)
        assert client.files().keys() == set(files)
        assert judge(product.stack, [client]).problems() == []


def test_a_cancelled_file_stops_in_the_middle_of_a_page() -> None:
    with faulty_product("cancelled-page", EMBEDDING_ENGINE="hashing", PORT="23600", WORKER_CONCURRENCY="1") as product:
        client = Client(product.stack, "canceller")
        scan = client.upload("scan.pdf", scan_of([f"Page {n} of a long scan.\n" * 40 for n in range(12)]))

        def recognising() -> bool:
            progress = client.ask("GET", f"/api/files/{scan}").json()["progress"] or {}
            return bool(progress.get("stage") == "extract" and progress.get("done", 0) >= 1)

        wait_for("the first page to be recognised", recognising, 200, 0.1)
        cancelled = time.monotonic()
        assert client.ask("POST", f"/api/files/{scan}/cancel").status_code == 202
        assert client.status(scan) == "cancelled"
        note = client.upload("note.txt", b"The only worker must be free for this one.")
        wait_for("the worker to be free", lambda: client.status(note) in ("processing", "ready"), 5, 0.05)
        assert time.monotonic() - cancelled <= within(5)
        wait_for("the note to be ready", lambda: client.status(note) == "ready", 60)
        assert judge(product.stack, [client]).problems() == []


@thorough
def test_files_that_kill_their_workers_fail_alone() -> None:
    with faulty_product("poison", bug="jobs.poison_kills_its_worker", EMBEDDING_ENGINE="hashing") as product:
        client = Client(product.stack, "poisoner")
        good, poison = [], []
        for n in range(200):
            good.append(client.upload(f"{n}.txt", long_text(1, f"note {n}")))
            if n % 10 == 0:
                poison.append(client.upload(f"poison {n}.txt", long_text(1, f"poison {n}")))
        wait_for("the good ones", lambda: {client.status(file) for file in good} == {"ready"}, 1800, 2)
        wait_for("the poison", lambda: {client.status(file) for file in poison} == {"failed"}, 1800, 2)
        reasons = {client.ask("GET", f"/api/files/{file}").json()["error"]["code"] for file in poison}
        assert reasons == {"worker_lost"}
        assert judge(product.stack, [client]).problems() == []


@thorough
def test_a_line_to_redis_that_froze_and_a_beat_that_froze_are_overcome() -> None:
    with faulty_product("frozen-line", proxied=True, EMBEDDING_ENGINE="hashing") as product:
        client, line = Client(product.stack, "frozen"), product.redis_line
        assert line is not None
        beat = wait_for("beat", lambda: product.parts.processes(Part.BEAT))[0]
        # While Redis is silent nobody is called wedged: everything waits for it.
        line.weather = Weather(frozen=True)
        time.sleep(30)
        line.weather = Weather()
        line.cut()
        files = [client.upload(f"{n}.txt", long_text(1, f"after the ice {n}")) for n in range(5)]
        wait_for("all to be ready", lambda: {client.status(file) for file in files} == {"ready"}, 120, 0.5)
        product.parts.freeze(Part.BEAT)
        wait_for("beat to be replaced", lambda: not beat.is_running() or beat.status() == "zombie", 125)
        assert judge(product.stack, [client]).problems() == []
