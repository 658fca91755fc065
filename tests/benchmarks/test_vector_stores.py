"""How long the FAISS store takes to find the nearest of one owner's passages, beside FAISS alone on the same files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.benchmarks.recording import load_average, record
from tests.stack import Stack

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

PASSAGES = 100_000
MOST_STORE = 1.5  # times FAISS alone, for the part that is FAISS's
LEAST_RECALL = 0.98


def test_the_faiss_store_beside_faiss_alone(product: Stack) -> None:
    """The graph, which is what so many passages get, and all vectors compared, which is what fewer get."""
    filled = product.python("-m", "tests.benchmarks.storing", "fill", str(PASSAGES), timeout=1800)
    assert filled.returncode == 0, filled.stderr[-2000:]
    for way, name in (("graph", "HNSW"), ("flat", "flat")):
        load = load_average()
        done = product.python("-m", "tests.benchmarks.storing", "measure", way, timeout=1800)
        assert done.returncode == 0, done.stderr[-2000:]
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        record("vector-stores", f"{PASSAGES:,} passages of one owner, {name}", figures, load)
        assert figures["of it FAISS"] <= MOST_STORE * figures["FAISS alone p50 ms"]
        assert figures["recall@10, store"] >= min(LEAST_RECALL, figures["recall@10, alone"])
