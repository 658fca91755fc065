"""The product that is measured, with its own embedding model, and how busy the machine was before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.benchmarks.recording import load_average
from tests.stack import Stack, running_stack


@pytest.fixture(scope="module")
def product() -> Iterator[Stack]:
    """The real product, with an empty database for each module; nothing of it is left."""
    with running_stack("benchmark") as running:
        yield running
    shutil.rmtree(running.state, ignore_errors=True)


@pytest.fixture
def load() -> float:
    """The machine's load average before the measurement."""
    return load_average()
