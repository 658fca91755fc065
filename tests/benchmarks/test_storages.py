"""The same file through the chunk API into a folder and into a bucket on the same disk: how fast, and what it takes."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import pytest

from orchestra.embedded.ports import WEB_MODULE
from tests.benchmarks.memory import MB, Sampler
from tests.benchmarks.recording import record
from tests.benchmarks.uploading import CHUNK, upload
from tests.s3_server import S3Server
from tests.stack import Stack, running_stack

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

SIZE = int(os.environ.get("BENCHMARK_STORAGE_BYTES", f"{256 * MB}"))
ROUNDS = 3
MAY_GROW = 64 * MB


@contextmanager
def _product(kind: str, settings: dict[str, Any]) -> Iterator[Stack]:
    with running_stack(f"benchmark-storage-{kind}", PORT="25700", **settings) as running:
        yield running
    shutil.rmtree(running.state, ignore_errors=True)


def _measure(stack: Stack) -> tuple[float, float, int]:
    """Return MB/s of uploads and of downloads, both medians, and by how many bytes the web grew."""
    client = stack.client("storage")
    block = random.Random(1).randbytes(CHUNK)
    _round(client, block, 4 * CHUNK, 0)  # what the first one loads once is not growth
    with Sampler(lambda: stack.processes(WEB_MODULE), every=0.2) as sampler:
        rounds = [_round(client, block, SIZE, number + 1) for number in range(ROUNDS)]
    up, down = (sorted(seconds)[ROUNDS // 2] for seconds in zip(*rounds, strict=True))
    return SIZE / MB / up, SIZE / MB / down, sampler.growth


def _round(client: object, block: bytes, size: int, number: int) -> tuple[float, float]:
    import httpx

    assert isinstance(client, httpx.Client)

    def part(index: int) -> bytes:
        return bytes([number]) + index.to_bytes(8, "big") + block[9 : min(CHUNK, size - index * CHUNK)]

    began = perf_counter()
    state = upload(client, f"{number}.bin", size, part)
    stored = perf_counter()
    assert state["complete"] is True, state
    digest = hashlib.sha256()
    with client.stream("GET", f"/api/files/{state['id']}/download") as response:
        for piece in response.iter_bytes(MB):
            digest.update(piece)
    read = perf_counter()
    expected = hashlib.sha256(b"".join(map(part, range(-(-size // CHUNK)))))
    assert digest.hexdigest() == expected.hexdigest()
    client.delete(f"/api/files/{state['id']}")
    return stored - began, read - stored


def test_a_bucket_beside_a_folder(s3_server: S3Server, load: float) -> None:
    with _product("local", {}) as stack:
        local_up, local_down, local_growth = _measure(stack)
    with _product("s3", s3_server.settings()) as stack:
        up, down, growth = _measure(stack)

    name = f"{SIZE / MB:.0f} MB in chunks of 8 MiB, 2 at a time"
    for where, values in (("folder", (local_up, local_down, local_growth)), ("bucket", (up, down, growth))):
        figures = {"stored, MB/s": values[0], "downloaded, MB/s": values[1], "web's growth, MB": values[2] / MB}
        shares = {"stored, of the folder": values[0] / local_up, "downloaded, of the folder": values[1] / local_down}
        record("storages", f"{name}, {where}", {**figures, **shares}, load)
    assert growth <= MAY_GROW
