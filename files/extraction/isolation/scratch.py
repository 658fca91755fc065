"""Folders for what readers unpack: one per fork server, one in it per reading, none of them left behind.

A server holds a lock on its folder as long as it lives, so that whoever starts the next one can tell what a killed
server left and remove it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_PREFIX = "orchestra-reading-"
_START_SECONDS = 120  # a folder this young may belong to a server that has not come to its lock
_MOST_ENTRIES = 20_000


def make_folder() -> str:
    """Make a folder for a new fork server, and remove those of servers that were killed."""
    _sweep(Path(tempfile.gettempdir()))
    return tempfile.mkdtemp(prefix=_PREFIX)


def hold(folder: Path) -> int:
    """Mark `folder` as in use until the descriptor that is returned is closed, at the latest with the process."""
    held = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(held, fcntl.LOCK_SH)
    return held


def remove(folder: Path) -> None:
    """Remove a folder. Most are empty, and then one call does it."""
    try:
        folder.rmdir()
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)


def written_by(pid: int, folder: Path) -> int:
    """Return how many bytes a reading keeps on disk: in its folder, and in files it holds open without a name.

    More entries than anyone needs count as more bytes than any limit.
    """
    size = entries = 0
    waiting = [folder]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as found:
            for entry in found:
                entries += 1
                if entries > _MOST_ENTRIES:
                    return 1 << 62
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
    return size + _nameless(pid)


def _nameless(pid: int) -> int:
    size = 0
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found = entry.stat()
                size += found.st_blocks * 512 if stat.S_ISREG(found.st_mode) and not found.st_nlink else 0
    return size


def _sweep(parent: Path) -> None:
    for folder in parent.glob(_PREFIX + "*"):
        with suppress(OSError):
            found = folder.lstat()
            old = time.time() - found.st_mtime > _START_SECONDS
            if old and stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not _in_use(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _in_use(folder: Path) -> bool:
    probe = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(probe)
    return False
