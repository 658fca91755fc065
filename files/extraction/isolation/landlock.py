"""Landlock: the kernel's list of the files that one process may open, given up by that process itself.

Called by `confinement` in each reading process, once. Needs Linux 5.13 and no privilege. What newer kernels can hold
back besides files (TCP, signals, abstract sockets) is held back where the kernel knows it.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

# The same numbers on every architecture: they came after the tables were unified.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = (1 << bit for bit in range(4))
_REMOVE_DIR, _REMOVE_FILE = 1 << 4, 1 << 5
_MAKE_DIR, _MAKE_REGULAR = 1 << 7, 1 << 8
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
# Which rights a version knows: all bits below.
_FIRST_RIGHTS = (1 << 13) - 1
_RIGHTS_ADDED = {2: _REFER, 3: _TRUNCATE, 5: _IOCTL_DEVICE}

_TCP = 0b11  # bind and connect
_SCOPES = 0b11  # abstract sockets and signals

_READ = _READ_FILE | _READ_DIR
_READ_AND_RUN = _READ | _EXECUTE
_READ_AND_WRITE = _READ_FILE | _WRITE_FILE
_KEEP_FILES = _READ | _WRITE_FILE | _TRUNCATE | _REFER | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REGULAR


@dataclass(frozen=True, slots=True)
class FileAccess:
    """Which files a process may open: these and what lies below them. A path that is not there is passed over."""

    read: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    """Folders to make, write, read and remove files in."""


@cache
def version() -> int:
    """Return the version of Landlock's interface that this kernel has; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    with suppress(OSError):
        return _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))
    return 0


def restrict(access: FileAccess) -> bool:
    """Let this process, and what it starts, open nothing but `access` from now on; tell whether that holds."""
    if not version():
        return False
    try:
        rules = _new_ruleset(version())
        try:
            _fill(rules, access, _known_rights(version()))
            _call(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
        finally:
            os.close(rules)
    except OSError:
        return False
    return True


def _known_rights(at: int) -> int:
    return _FIRST_RIGHTS | sum(right for since, right in _RIGHTS_ADDED.items() if at >= since)


def _new_ruleset(at: int) -> int:
    handled = struct.pack("=Q", _known_rights(at))
    if at >= 4:
        handled += struct.pack("=Q", _TCP)
    if at >= 6:
        handled += struct.pack("=Q", _SCOPES)
    return _call(_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), ctypes.c_uint32(0))


def _fill(rules: int, access: FileAccess, known: int) -> None:
    _allow(rules, access.read, _READ & known)
    _allow(rules, access.run, _READ_AND_RUN & known)
    _allow(rules, access.devices, _READ_AND_WRITE & known)
    _allow(rules, access.keep, _KEEP_FILES & known)


def _allow(rules: int, paths: Iterable[str], rights: int) -> None:
    for path in paths:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            _add(rules, place, rights)
        except OSError:  # a file takes no rights of a folder
            with suppress(OSError):
                _add(rules, place, rights & _FILE_RIGHTS)
        finally:
            os.close(place)


def _add(rules: int, place: int, rights: int) -> None:
    rule = struct.pack("=Qi", rights, place)
    _call(_ADD_RULE, ctypes.c_int(rules), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))


def _call(number: int, *arguments: object) -> int:
    result = int(_syscall()(ctypes.c_long(number), *arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


@cache
def _syscall() -> ctypes._NamedFuncPointer:
    return ctypes.CDLL(None, use_errno=True).syscall
