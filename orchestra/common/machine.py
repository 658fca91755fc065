"""What this machine has, and what lives on it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def machine_memory() -> int:
    """Return the bytes of memory that this machine has, or that the container it runs in may use."""
    return min([os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *filter(None, map(_limit, _LIMITS))])


def _limit(path: Path) -> int:
    try:
        text = path.read_text("ascii").strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0


def living_children(pid: int) -> set[int]:
    """Return the processes that a process has started and that have not ended; none where it has ended itself."""
    import psutil

    try:
        children = psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return set()
    return {child.pid for child in children if _lives(child)}


def memory_in_use() -> int:
    """Return the bytes that this process and all that it has started take; what they share is counted once."""
    import psutil

    here = psutil.Process()
    return sum(map(_bytes_of, (here, *here.children(recursive=True))))


def _bytes_of(process: psutil.Process) -> int:
    import psutil

    try:
        return int(getattr(process.memory_full_info(), "pss", 0)) or int(process.memory_info().rss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)  # a reader that is kept from much is kept from our eyes, too
    except psutil.NoSuchProcess:
        return 0


def _lives(process: psutil.Process) -> bool:
    import psutil

    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
