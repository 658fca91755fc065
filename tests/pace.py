"""How much time a test gives: a promise in seconds holds on a machine with nothing else to do, and tests share theirs.

`TEST_PATIENCE` is by how much a machine may be slower than an idle one; `tests.all`, which runs two halves side by
side, sets it. Without it (`make test ARGS=…`), the times are the promised ones.
"""

from __future__ import annotations

import os

PATIENCE = float(os.environ.get("TEST_PATIENCE", "1"))


def within(seconds: float) -> float:
    """Return how long something promised within so many seconds may take here."""
    return seconds * PATIENCE
