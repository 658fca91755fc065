"""What the kernel lets a reading process do. Every layer is best effort, and `SandboxLevel` tells which ones hold.

Order: the fork server calls `confine_server` once; each of its children calls `confine_reader` before it touches the
file: limits first, then capabilities, then `landlock` (files) and last `system_calls`.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass, fields

from files.extraction.isolation import landlock
from files.extraction.isolation.landlock import FileAccess
from files.extraction.isolation.system_calls import prepare_filters, refuse_system_calls
from files.extraction.limits import Limits

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWIPC = 0x08000000
_CLONE_NEWNET = 0x40000000
_CAPABILITY_VERSION = 0x20080522
_PROCESSES = 256  # of all readers of one server: threads count as well


@dataclass(frozen=True, slots=True)
class ServerLevel:
    """Which protections a fork server has put on itself and thereby on its children."""

    limits: bool
    dies_with_parent: bool
    no_new_privileges: bool
    no_network: bool
    counts_processes: bool


@dataclass(frozen=True, slots=True)
class SandboxLevel:
    """Which protections stand around a reading process. A process of its own and the clock always do."""

    limits: bool
    dies_with_parent: bool
    no_new_privileges: bool
    no_network: bool
    filesystem: bool = False
    no_capabilities: bool = False
    system_calls: bool = False
    processes: bool = False
    landlock_version: int = 0

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the names of the protections that do not hold."""
        return tuple(f.name for f in fields(self) if f.type == "bool" and not getattr(self, f.name))


@dataclass(frozen=True, slots=True)
class Confinement:
    """What one reading process may use."""

    limits: Limits
    files: FileAccess
    programs: bool
    """Whether it may start programs of this machine, such as a recogniser of text in pictures."""


def confine_server() -> ServerLevel:
    """Give up, once and for all children, the network and the ways to gain privileges."""
    linux = sys.platform == "linux"
    no_new_privileges = linux and _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    prepare_filters()
    root = os.geteuid() == 0
    own_users = linux and _libc_call("unshare", _CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC)
    return ServerLevel(
        limits=_can_limit_memory(),
        dies_with_parent=linux,
        no_new_privileges=no_new_privileges,
        no_network=own_users or (linux and _libc_call("unshare", _CLONE_NEWNET)),
        # The kernel exempts root; outside a namespace it would count what the account runs besides.
        counts_processes=own_users and not root,
    )


def confine_reader(confinement: Confinement, server_pid: int, server: ServerLevel) -> SandboxLevel:
    """Confine this process, which must be a fresh child of `server_pid`, for good; return what holds."""
    with suppress(OSError):
        os.setpgid(0, 0)
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server_pid:  # the server died before the line above
            os._exit(1)
    _set_limits(confinement.limits, processes=server.counts_processes)
    no_capabilities = sys.platform == "linux" and _drop_capabilities()
    filesystem = landlock.restrict(confinement.files)
    system_calls = refuse_system_calls(programs=confinement.programs)
    return SandboxLevel(
        limits=server.limits,
        dies_with_parent=server.dies_with_parent,
        no_new_privileges=server.no_new_privileges,
        no_network=server.no_network or system_calls,
        filesystem=filesystem,
        no_capabilities=no_capabilities,
        system_calls=system_calls,
        processes=server.counts_processes or (system_calls and not confinement.programs),
        landlock_version=landlock.version() if filesystem else 0,
    )


def _set_limits(limits: Limits, *, processes: bool) -> None:
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, limits.written_bytes)
    _limit(resource.RLIMIT_NOFILE, limits.open_files)
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds, hard=limits.cpu_seconds + 2)
    _limit(resource.RLIMIT_AS, limits.memory_bytes)
    if processes:
        _limit(resource.RLIMIT_NPROC, _PROCESSES)


def _limit(what: int, value: int, *, hard: int | None = None) -> None:
    _, ceiling = resource.getrlimit(what)
    top = value if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        top = min(top, ceiling)
    with suppress(OSError, ValueError):  # macOS refuses RLIMIT_AS; the wall clock still holds
        resource.setrlimit(what, (min(value, top), top))


def _can_limit_memory() -> bool:
    return sys.platform == "linux"


def _drop_capabilities() -> bool:
    """Give up what root, or the first account of a namespace, may do beyond any other."""
    head = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION, 0))
    none = ctypes.create_string_buffer(24)
    try:
        return int(ctypes.CDLL(None, use_errno=True).capset(head, none)) == 0
    except (AttributeError, OSError):
        return False


def _prctl(option: int, value: int) -> bool:
    return _libc_call("prctl", option, value, 0, 0, 0)


def _libc_call(name: str, *arguments: int) -> bool:
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (AttributeError, OSError):
        return False
    return int(function(*(ctypes.c_ulong(argument) for argument in arguments))) == 0
