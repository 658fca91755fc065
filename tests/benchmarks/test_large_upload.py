"""2 GB through the chunk API, and by tus over a bad line: what it adds to the web process, and how fast it goes."""

from __future__ import annotations

import os
import random
from pathlib import Path
from time import perf_counter

import pytest

from tests.benchmarks.memory import MB, Sampler
from tests.benchmarks.peers import seconds_of
from tests.benchmarks.recording import record
from tests.benchmarks.uploading import CHUNK, upload
from tests.faults.large_upload import upload_through_faults
from tests.faults.product import faulty_product
from tests.stack import Stack

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

SIZE = int(os.environ.get("BENCHMARK_UPLOAD_BYTES", f"{2 * 1024**3}"))
MAY_GROW = 64 * MB


class _Content:
    """Deterministic bytes, no two chunks alike, that are never all in memory."""

    def __init__(self, seed: int, size: int) -> None:
        self._block = random.Random(seed).randbytes(CHUNK)
        self._size = size

    def part(self, index: int) -> bytes:
        length = min(CHUNK, self._size - index * CHUNK)
        return (index.to_bytes(8, "big") + self._block[8:])[:length]


def test_web_memory_stays_flat_during_an_upload_of_2_gb(product: Stack, tmp_path: Path, load: float) -> None:
    client = product.client("large")
    # What the first uploads load once is not growth.
    upload(client, "warm.bin", 4 * CHUNK, _Content(1, 4 * CHUNK).part)
    web = product.processes("orchestra.embedded.web")

    with Sampler(lambda: web, every=0.2) as sampler:
        content = _Content(2, SIZE)
        began = perf_counter()
        state = upload(client, "large.bin", SIZE, content.part)
        seconds = perf_counter() - began
    assert state["complete"] is True, state  # and with it the digest, which was declared before the first byte

    stored = next(product.state.glob(f"uploads/files/*/{state['id']}"))
    assert stored.stat().st_size == SIZE
    copy = seconds_of("copy", stored)
    client.delete(f"/api/files/{state['id']}")
    figures = {
        "web before, MB": sampler.first / MB,
        "growth, MB": sampler.growth / MB,
        "MB/s": SIZE / MB / seconds,
        "copy + fsync of the same file, MB/s": SIZE / MB / copy,
        "ratio": copy / seconds,
    }
    record("upload", f"{SIZE / 1024**3:.3g} GB in chunks of 8 MiB, 2 at a time", figures, load)
    assert sampler.growth <= MAY_GROW


def test_2_gb_with_20_cuts_and_3_kills_of_the_web_arrive_whole(load: float) -> None:
    with faulty_product("large-upload", EMBEDDING_ENGINE="hashing") as faulty:
        outcome = upload_through_faults(faulty, "large", SIZE, cuts=20, kills=3)
    figures = {
        "growth, MB": outcome.web_growth / MB,
        "sent twice, MB": outcome.sent_twice / MB,
        "seconds": outcome.seconds,
        "MB/s": SIZE / MB / outcome.seconds,
    }
    record("upload", f"{SIZE / 1024**3:.3g} GB by tus, 20 cuts, web killed 3 times", figures, load)
    assert outcome.stored_sha256 == outcome.sent_sha256
    assert outcome.web_growth <= MAY_GROW
