"""The harness does what it says: parts die and come back, failpoints strike once, clocks are off, bugs are in."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from tests.faults.client import Client
from tests.faults.hooks import sitecustomize
from tests.faults.parts import Part, leftovers
from tests.faults.product import Product, faulty_product
from tests.faults.small_disk import small_disk
from tests.faults.tracing import killed_at_call
from tests.stack import wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with faulty_product("harness", EMBEDDING_ENGINE="hashing") as running:
        yield running


def _await_ready(client: Client, file_id: str) -> None:
    wait_for("the file to be ready", lambda: client.status(file_id) == "ready", 180, 0.3)


@pytest.mark.parametrize("part", list(Part))
def test_each_part_can_be_killed_and_comes_back(product: Product, part: Part) -> None:
    before = wait_for(f"a {part}", lambda: {process.pid for process in product.parts.processes(part)})
    # More where a pool was just filling up; of a group, those that died with their parent are not counted.
    assert product.parts.kill(part) >= len(before) or part is Part.WORKER_GROUP
    product.parts.start(part)
    wait_for(f"another {part}", lambda: {p.pid for p in product.parts.processes(part)} - before, 60)


def test_after_all_of_that_a_file_becomes_ready(product: Product) -> None:
    client = Client(product.stack, "after")
    _await_ready(client, client.upload("notes.txt", b"The harbour opens before sunrise."))


def test_a_failpoint_kills_once_and_the_client_gets_through(product: Product) -> None:
    client = Client(product.stack, "pointed")
    web = product.parts.processes(Part.WEB)[0].pid
    product.failpoints.order(product.failpoints.next("chunk.recorded"))
    file_id = client.upload("killed.txt", b"Pilots come aboard at the outer buoy.")
    product.failpoints.order("")
    visits = product.failpoints.visits("chunk.recorded")
    assert web in visits
    assert product.parts.processes(Part.WEB)[0].pid != web
    _await_ready(client, file_id)


def test_a_frozen_part_is_silent_until_it_is_thawed(product: Product) -> None:
    frozen = product.parts.freeze(Part.WEB)
    try:
        with pytest.raises(httpx.TimeoutException):
            httpx.get(f"{product.stack.url}/api/health/live", timeout=1)
    finally:
        product.parts.thaw(frozen)
    assert httpx.get(f"{product.stack.url}/api/health/live", timeout=30).status_code == 200


def test_a_line_before_the_web_can_be_cut(product: Product) -> None:
    with product.web_line() as (proxy, url), httpx.Client(base_url=url) as client:
        assert client.get("/api/health/live").status_code == 200
        proxy.cut()
        wait_for("a new connection", lambda: client.get("/api/health/live").status_code == 200)
        assert proxy.connections == 2


def test_nothing_is_left_of_a_product_that_ended(tmp_path: Path) -> None:
    with faulty_product("harness-ended", EMBEDDING_ENGINE="hashing") as ended:
        state = ended.stack.state
        assert leftovers(state)
    wait_for("its processes to be gone", lambda: not leftovers(state), 30)


@pytest.mark.skipif(not sitecustomize.library(), reason="libfaketime is not installed")
def test_clocks_are_off_behind_proxies_with_a_bug_seeded() -> None:
    with faulty_product(
        "harness-odd",
        proxied=True,
        clocks="web=-7200 worker=+7200",
        bug="pipeline.bytes_not_moved_with_the_commit",
        EMBEDDING_ENGINE="hashing",
    ) as odd:
        date = httpx.get(f"{odd.stack.url}/api/health/live").headers["date"]
        assert 7000 < time.time() - parsedate_to_datetime(date).timestamp() < 7400
        assert "libfaketime" in Path(f"/proc/{odd.parts.processes(Part.WORKER_PARENT)[0].pid}/maps").read_text()
        assert odd.postgres_line is not None
        assert odd.redis_line is not None
        assert min(odd.postgres_line.connections, odd.redis_line.connections) > 0
        client = Client(odd.stack, "odd")
        file_id = client.upload("gone.txt", b"Nobody keeps these bytes.")
        wait_for("the bug to show", lambda: client.status(file_id) in ("failed", "queued"), 60)
        assert not list((odd.stack.state / "uploads" / "files").glob("*/*"))


def test_a_small_disk_is_soon_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=1) as disk:
        with pytest.raises(OSError, match="No space left"):
            (disk / "large").write_bytes(bytes(2 * 1024**2))
        assert shutil.disk_usage(disk).total == 1024**2
    assert not (tmp_path / "disk").is_mount()


def test_a_program_dies_at_the_system_call_that_is_named(tmp_path: Path) -> None:
    code = f"import os\nfor n in range(3):\n    os.fsync(os.open(r'{tmp_path}/' + str(n), os.O_CREAT | os.O_WRONLY))"
    assert killed_at_call("fsync", 2, code)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]
    assert not killed_at_call("fsync", 4, code)
