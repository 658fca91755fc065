"""Bugs of the way from a queued file to a searchable one."""

from __future__ import annotations

from tests.faults.seeded.apps import Patch


def no_sweeper(patch: Patch) -> None:
    """J1, J2: nobody looks for lost workers and lost hints."""
    patch("files.jobs.sweep", lambda: {"lost": 0, "hints": 0})


def bytes_not_moved_with_the_commit(patch: Patch) -> None:
    """U1, U5: the file is announced before its bytes are where it says."""
    patch("files.storage.local.LocalStorage.keep", lambda self, upload, key: None)
