"""Named places at which a test kills, stops, delays or breaks a process: the borders between the steps of the product.

Off in production: `reach` is then one look-up in an empty dictionary. `FAILPOINTS` arms them, as
`NAME=ACTION[:ARGUMENT]` with semicolons between, or as `@DIRECTORY`: then the same words are read anew from the file
`spec` in there each time, so that a test changes them while the product runs, and `reached/NAME` gets a line per visit.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

POINTS: dict[str, str] = {
    "upload.opening": "room is checked, rows of the new upload are not written",
    "upload.opened": "the new upload is committed, not answered",
    "chunk.received": "a chunk's bytes are in a file of their own, digest checked",
    "chunk.written": "a chunk's bytes are durable in the part, its row is not there",
    "chunk.recorded": "a chunk's row is committed, not answered",
    "complete.verified": "the whole file's digest is right, nothing is written",
    "complete.recorded": "file and job are written, not committed; the bytes lie where they were",
    "complete.moved": "the bytes are at their key, file and job are not committed",
    "store.sent": "bytes of an upload are at the S3 server, the row that says where is not there",
    "store.joined": "an upload's parts are one object at the S3 server, the digest is not verified",
    "complete.committed": "file and job are committed, not answered",
    "hint.publishing": "a job is committed, its hint is not sent",
    "hint.published": "the hint is sent",
    "job.claiming": "a job is taken, not committed",
    "job.claimed": "a job is taken and committed, no stage has begun",
    "job.beating": "the lease is about to be extended",
    "extract.begun": "what an earlier attempt left is removed, the reader is not started",
    "extract.stored": "a batch of segments is stored",
    "extract.switching": "the new segments are current, not committed",
    "extract.switched": "the new segments are current and committed",
    "index.chunked": "a batch of passages is cut, not embedded",
    "index.embedded": "a batch of passages is embedded",
    "index.writing": "the index is about to be exchanged, the job's row is locked",
    "index.removed": "what the index held of the file is removed, not committed",
    "index.vectors": "passages and vectors are written, words are not, nothing is committed",
    "index.written": "the index is exchanged, not committed",
    "job.finishing": "all stages ended, the status is not written",
    "job.finished": "the end is committed",
    "notify.sending": "a message to sockets is about to be sent",
    "delete.removing": "a file's rows are removed, not committed",
    "delete.removed": "a file's rows are gone, its bytes are not",
    "trash.hidden": "the index of a file that is deleted is on the shelf, not committed",
    "trash.shown": "the index of a file that is restored is back, not committed",
    "backup.dumped": "the tables of a backup are written, no bytes are copied yet",
    "backup.copied": "one more file's bytes are in the backup",
    "backup.named": "the manifest is written, the backup has no name yet",
    "restore.copied": "one more file's bytes are back",
    "restore.loaded": "the tables are loaded, not committed",
    "sweep.rescuing": "a lost worker's job is about to be given to another one",
    "upload.expiring": "an unfinished upload's rows are removed, not committed",
}


class FailpointReached(Exception):
    """What `raise` raises: an error that nothing expects."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to do at a place: at the `visit`-th visit, or at each one where that is 0."""

    action: str
    visit: int = 0
    seconds: float = 0.0

    def carry_out(self, visit: int) -> None:
        """Do it if it is this visit's turn; visits are counted from 1."""
        if self.visit in (0, visit):
            _ACTIONS[self.action](self.seconds)


def _raise(_: float) -> None:
    raise FailpointReached


def _disk_full(_: float) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _io_error(_: float) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


_ACTIONS: dict[str, Callable[[float], None]] = {
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "stop": lambda _: os.kill(os.getpid(), signal.SIGSTOP),
    "sleep": time.sleep,
    "raise": _raise,
    "disk_full": _disk_full,
    "io_error": _io_error,
}


def parse(text: str) -> dict[str, Order]:
    """Return what is asked for at which place. Raises ValueError in words for a person."""
    return dict(_parse_one(part.strip()) for part in text.split(";") if part.strip())


def _parse_one(text: str) -> tuple[str, Order]:
    name, _, rest = text.partition("=")
    action, _, argument = rest.partition(":")
    if name not in POINTS:
        raise ValueError(f"there is no failpoint {name!r}; docs/reliability.md lists them")
    if action not in _ACTIONS:
        raise ValueError(f"write {name}=ACTION with an action of {', '.join(_ACTIONS)}")
    try:
        if action == "sleep":
            return name, Order(action, seconds=float(argument))
        # A process that is killed at each visit would never get past the place.
        return name, Order(action, int(argument or (1 if action in ("kill", "stop") else 0)))
    except ValueError as exc:
        raise ValueError(f"{name}={action}: {argument!r} is no number") from exc


class _Counted:
    """One place's order, with the visits of this process counted."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._visits = itertools.count(1)

    def __call__(self) -> None:
        self._order.carry_out(next(self._visits))


class _Directed:
    """One place, whose order is read from a directory at each visit; visits of all processes are counted together.

    So a kill at the third visit happens once, whatever is restarted after it.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name

    def __call__(self) -> None:
        visit = self._count()
        order = parse((self._directory / "spec").read_text()).get(self._name)
        if order is not None:
            order.carry_out(visit)

    def _count(self) -> int:
        line = f"{os.getpid()} {time.monotonic():.3f}\n".encode()
        with (self._directory / "reached" / self._name).open("a+b") as visits:
            fcntl.flock(visits, fcntl.LOCK_EX)
            visits.write(line)
            visits.flush()
            visits.seek(0)
            return visits.read().count(b"\n")


_armed: dict[str, Callable[[], None]] = {}


def arm(text: str) -> None:
    """Do from now on in this process what `text`, as in the setting FAILPOINTS, asks for; empty: nothing."""
    _armed.clear()
    if text.startswith("@"):
        directory = Path(text[1:])
        (directory / "reached").mkdir(parents=True, exist_ok=True)
        (directory / "spec").touch()
        _armed.update((name, _Directed(directory, name)) for name in POINTS)
    else:
        _armed.update((name, _Counted(order)) for name, order in parse(text).items())


def are_armed() -> bool:
    """Say whether anything is asked for anywhere."""
    return bool(_armed)


def reach(name: str) -> None:
    """Do what is asked for at this place: nothing, at the price of one look-up, unless a test has armed it."""
    action = _armed.get(name)
    if action is not None:
        action()
