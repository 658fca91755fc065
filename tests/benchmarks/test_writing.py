"""How fast vectors are stored, beside Django's own way."""

from __future__ import annotations

import json

import pytest

from tests.benchmarks.recording import load_average, record
from tests.stack import Stack

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1200)]

ROWS = 10_000


def test_copy_beside_bulk_create(product: Stack) -> None:
    """Vectors of one document."""
    load = load_average()
    done = product.python("-m", "tests.benchmarks.copying", str(ROWS), timeout=1000)
    assert done.returncode == 0, done.stderr[-2000:]
    rates = json.loads(done.stdout.splitlines()[-1])
    figures = {
        "COPY, rows/s": rates["copy"],
        "bulk_create, rows/s": rates["bulk_create"],
        "ratio": rates["copy"] / rates["bulk_create"],
    }
    record("writing", f"{ROWS:,} vectors", figures, load)
