"""Which system calls a reading process may not make: a seccomp filter, written here as the kernel's own byte code.

Called by `confinement` in each reading process, once, after Landlock. It lists what is refused, not what is allowed,
because readers in C, C++ and Rust change what they call from version to version; it takes away what a taken-over reader
would need to leave its process group, reach the network, touch other processes or talk to rare parts of the kernel.
Numbers are those of x86-64 and 64-bit ARM; on other machines there is no filter, and the level says so.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

_PR_SET_PDEATHSIG = 1
_PR_SET_SECCOMP = 22
_FILTER = 2
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in the kernel's struct seccomp_data, little-endian
_X32_CALLS = 0x40000000
_CLONE_THREAD = 0x00010000
_ABSENT = -1


@dataclass(frozen=True, slots=True)
class _Call:
    """A system call and its numbers on x86-64 and on 64-bit ARM."""

    name: str
    x86_64: int
    aarch64: int


def _same(name: str, number: int) -> _Call:
    return _Call(name, number, number)


# Refused to every reader.
_REFUSED = (
    # other processes
    _Call("ptrace", 101, 117),
    _Call("process_vm_readv", 310, 270),
    _Call("process_vm_writev", 311, 271),
    _Call("kcmp", 312, 272),
    _same("pidfd_getfd", 438),
    _same("process_madvise", 440),
    # leaving the process group, by which a reader and all it started are ended
    _Call("setsid", 112, 157),
    _Call("setpgid", 109, 154),
    # the network, also where there is no namespace without one
    _Call("socket", 41, 198),
    # mounts and namespaces
    _Call("mount", 165, 40),
    _Call("umount2", 166, 39),
    _Call("pivot_root", 155, 41),
    _Call("chroot", 161, 51),
    _Call("unshare", 272, 97),
    _Call("setns", 308, 268),
    _same("open_tree", 428),
    _same("move_mount", 429),
    _same("fsopen", 430),
    _same("fsconfig", 431),
    _same("fsmount", 432),
    _same("fspick", 433),
    _same("mount_setattr", 442),
    # rare parts of the kernel, where its holes were found
    _Call("bpf", 321, 280),
    _Call("perf_event_open", 298, 241),
    _Call("userfaultfd", 323, 282),
    _same("io_uring_setup", 425),
    _same("io_uring_enter", 426),
    _same("io_uring_register", 427),
    _Call("keyctl", 250, 219),
    _Call("add_key", 248, 217),
    _Call("request_key", 249, 218),
    _Call("open_by_handle_at", 304, 265),
    _Call("name_to_handle_at", 303, 264),
    _Call("fanotify_init", 300, 262),
    _Call("kexec_load", 246, 104),
    _Call("kexec_file_load", 320, 294),
    _Call("init_module", 175, 105),
    _Call("finit_module", 313, 273),
    _Call("delete_module", 176, 106),
    _Call("reboot", 169, 142),
    _Call("swapon", 167, 224),
    _Call("swapoff", 168, 225),
    _Call("acct", 163, 89),
    _Call("syslog", 103, 116),
    _Call("quotactl", 179, 60),
    _Call("personality", 135, 92),
    # memory that RLIMIT_AS does not count, or that outlives the process
    _Call("memfd_create", 319, 279),
    _same("memfd_secret", 447),
    _Call("shmget", 29, 194),
    _Call("msgget", 68, 186),
    _Call("semget", 64, 190),
    _Call("mq_open", 240, 180),
)
# Refused unless the reader may start programs.
_STARTING = (
    _Call("fork", 57, _ABSENT),
    _Call("vfork", 58, _ABSENT),
    _Call("execve", 59, 221),
    _Call("execveat", 322, 281),
)
# Refused, unless the reader may start programs, when they are sent to any process but itself.
_SIGNALS = (
    _Call("kill", 62, 129),
    _Call("tgkill", 234, 131),
    _Call("rt_sigqueueinfo", 129, 138),
    _Call("rt_tgsigqueueinfo", 297, 240),
)
_SIGNALS_TO_ANY = (_Call("tkill", 200, 130), _same("pidfd_send_signal", 424))
_CLONE = _Call("clone", 56, 220)
_CLONE3 = _same("clone3", 435)
_PRCTL = _Call("prctl", 157, 167)

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW… flag that clone() takes


def prepare_filters() -> None:
    """Build what is the same for all processes, so that children forked from here need not."""
    if (machine := platform.machine()) in _ARCHITECTURES:
        for programs in (False, True):
            _same_for_all(machine, programs=programs)


def refuse_system_calls(*, programs: bool) -> bool:
    """Install the filter for this process and what it starts; tell whether it holds.

    With `programs`, other processes may be started. Needs no_new_privs.
    """
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _ARCHITECTURES or sys.maxsize < 2**32 or sys.byteorder != "little":
        return False
    code = _same_for_all(machine, programs=programs) + b"".join(_last_steps(machine, programs=programs))
    buffer = ctypes.create_string_buffer(code, len(code))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer)))
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (AttributeError, OSError):
        return False
    return int(prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), head, ctypes.c_ulong(0), ctypes.c_ulong(0))) == 0


@cache
def _same_for_all(machine: str, *, programs: bool) -> bytes:
    """Return the instructions up to those that depend on the process."""
    return b"".join(_first_steps(machine, programs=programs))


def _first_steps(machine: str, *, programs: bool) -> Iterator[bytes]:
    """Yield instructions. Each test ends in a return or falls through to the next, so that no jump is long."""
    yield _step(_LOAD, _ARCHITECTURE)
    yield _step(_EQUAL, _ARCHITECTURES[machine], hit=1)
    yield _step(_RETURN, _KILL_PROCESS)
    yield _step(_LOAD, _NUMBER)
    if machine == "x86_64":
        yield from _returning(_step(_AT_LEAST, _X32_CALLS, miss=1), errno.ENOSYS)
    for call in (*_REFUSED, *(() if programs else (*_STARTING, *_SIGNALS_TO_ANY))):
        yield from _refused(getattr(call, machine))
    yield from _refused(getattr(_CLONE3, machine), errno.ENOSYS)  # its flags cannot be seen here; libc then takes clone
    yield from _by_argument(getattr(_PRCTL, machine), _step(_EQUAL, _PR_SET_PDEATHSIG, miss=1))
    allowed = _step(_ANY_BIT, _NEW_NAMESPACES, miss=1) if programs else _step(_ANY_BIT, _CLONE_THREAD, hit=1)
    yield from _by_argument(getattr(_CLONE, machine), allowed)


def _last_steps(machine: str, *, programs: bool) -> Iterator[bytes]:
    if not programs:
        for call in _SIGNALS:
            yield from _by_argument(getattr(call, machine), _step(_EQUAL, os.getpid(), hit=1))
    yield _step(_RETURN, _ALLOW)


def _refused(number: int, error: int = errno.EPERM) -> Iterator[bytes]:
    if number != _ABSENT:
        yield from _returning(_step(_EQUAL, number, miss=1), error)


def _by_argument(number: int, test: bytes) -> Iterator[bytes]:
    """Refuse `number` where `test` of its first argument, which skips one instruction to let it pass, does not."""
    yield _step(_EQUAL, number, miss=4)
    yield _step(_LOAD, _FIRST_ARGUMENT)
    yield from _returning(test, errno.EPERM)
    yield _step(_RETURN, _ALLOW)


def _returning(test: bytes, error: int) -> Iterator[bytes]:
    yield test
    yield _step(_RETURN, _ERRNO | error)


def _step(code: int, value: int, *, hit: int = 0, miss: int = 0) -> bytes:
    return struct.pack("=HBBI", code, hit, miss, value)
