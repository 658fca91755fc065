"""Digests, syncing, and a disk that is full."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from orchestra.common.disk import digest_of, full_disk_as, sync
from orchestra.common.errors import OrchestraError


class Full(OrchestraError):
    """No room."""


def test_a_digest_is_that_of_the_whole_file(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9_000
    (tmp_path / "file").write_bytes(content)

    assert digest_of(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_files_and_directories_are_forced_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    opened = Path("/proc/self/fd")
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(str((opened / str(descriptor)).readlink())))
    (tmp_path / "file").touch()

    sync(tmp_path / "file")
    sync(tmp_path)

    assert synced == [str(tmp_path / "file"), str(tmp_path)]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_space_becomes_an_error_for_a_person(number: int) -> None:
    with pytest.raises(Full), full_disk_as(Full):
        raise OSError(number, os.strerror(number))


def test_another_error_of_the_system_stays_what_it_is() -> None:
    with pytest.raises(PermissionError), full_disk_as(Full):
        raise PermissionError(errno.EACCES, "denied")
