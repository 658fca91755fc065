"""The ledger of what left the machine while something was done: one entry per outbound request.

Whoever serves a request opens a ledger with `watched`; `orchestra.common.outbound.client` enters what it sends. Work
that is handed to another thread must run in a copy of the context (`contextvars.copy_context().run`), or its entries
are lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outbound:
    """One request to another machine: to which host, what for, bytes sent and received, and how long it took.

    `refused` says that it was not made: the host was not allowed, or nothing was.
    """

    host: str
    purpose: str
    sent: int = 0
    received: int = 0
    milliseconds: float = 0.0
    refused: bool = False


_open: ContextVar[list[Outbound] | None] = ContextVar("outbound_ledger", default=None)


@contextmanager
def watched() -> Iterator[list[Outbound]]:
    """Collect the requests that leave the machine meanwhile, in this context."""
    entries: list[Outbound] = []
    token = _open.set(entries)
    try:
        yield entries
    finally:
        _open.reset(token)


def enter(entry: Outbound) -> None:
    """Enter a request in the ledger that is open, if there is one."""
    entries = _open.get()
    if entries is not None:
        entries.append(entry)
