"""The product that is measured, with its own embedding model, and how busy the machine was before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.benchmarks.recording import RESULTS, load_average
from tests.stack import Stack, running_stack


@pytest.fixture(scope="module")
def product(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The real product, with an empty database for each module; nothing of it is left."""
    name = request.module.__name__.rpartition(".")[2].removeprefix("test_")
    with running_stack(f"benchmark-{name}") as running:
        yield running
    RESULTS.mkdir(parents=True, exist_ok=True)
    shutil.copy(running.log, RESULTS / f"{name}.log")
    shutil.rmtree(running.state, ignore_errors=True)


@pytest.fixture
def load() -> float:
    """The machine's load average before the measurement."""
    return load_average()
