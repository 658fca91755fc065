"""What the kernel lets a reading process do. Every layer is best effort, and `SandboxLevel` tells which ones hold.

Order: the fork server calls `confine_server` once, each of its children calls `confine_reader` before it touches the
file. Landlock (files the reader may open) belongs in `confine_reader`, after the limits and before the file is
opened; `SandboxLevel.filesystem` is its place in the report.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass

from files.extraction.limits import Limits

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True)
class SandboxLevel:
    """Which protections stand around a reading process. A process of its own and the clock always do."""

    limits: bool
    dies_with_parent: bool
    no_new_privileges: bool
    no_network: bool
    filesystem: bool = False


def confine_server() -> SandboxLevel:
    """Give up, once and for all children, the network and the ways to gain privileges."""
    linux = sys.platform == "linux"
    return SandboxLevel(
        limits=_can_limit_memory(),
        dies_with_parent=linux,
        no_new_privileges=linux and _prctl(_PR_SET_NO_NEW_PRIVS, 1),
        no_network=linux and _leave_network(),
    )


def confine_reader(limits: Limits, server_pid: int) -> None:
    """Set the limits of this process, which must be a fresh child of `server_pid`."""
    with suppress(OSError):
        os.setpgid(0, 0)
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server_pid:  # the server died before the line above
            os._exit(1)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, limits.written_bytes)
    _limit(resource.RLIMIT_NOFILE, limits.open_files)
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds, hard=limits.cpu_seconds + 2)
    _limit(resource.RLIMIT_AS, limits.memory_bytes)


def _limit(what: int, value: int, *, hard: int | None = None) -> None:
    _, ceiling = resource.getrlimit(what)
    top = value if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        top = min(top, ceiling)
    with suppress(OSError, ValueError):  # macOS refuses RLIMIT_AS; the wall clock still holds
        resource.setrlimit(what, (min(value, top), top))


def _can_limit_memory() -> bool:
    return sys.platform == "linux"


def _leave_network() -> bool:
    return _libc_call("unshare", _CLONE_NEWUSER | _CLONE_NEWNET) or _libc_call("unshare", _CLONE_NEWNET)


def _prctl(option: int, value: int) -> bool:
    return _libc_call("prctl", option, value, 0, 0, 0)


def _libc_call(name: str, *arguments: int) -> bool:
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (AttributeError, OSError):
        return False
    return int(function(*(ctypes.c_ulong(argument) for argument in arguments))) == 0
