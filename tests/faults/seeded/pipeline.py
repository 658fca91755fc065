"""Bugs of the way from a queued file to a searchable one, and of what is kept of it."""

from __future__ import annotations

from typing import Any

from tests.faults.seeded.apps import Patch


def no_sweeper(patch: Patch) -> None:
    """J1, J2: nobody looks for lost workers and lost hints."""
    patch("files.jobs.sweep", lambda: {"lost": 0, "hints": 0})


def no_fencing(patch: Patch) -> None:
    """J3: whoever once had a job may write for it for ever."""
    from django.db.models import Q

    patch("files.jobs._owned", lambda claim: Q(pk=claim.job_id))


def bytes_not_moved_with_the_commit(patch: Patch) -> None:
    """U1, U5: the file is announced before its bytes are where it says."""
    patch("files.storage.local.LocalStorage.keep", lambda self, upload, key: None)


def bytes_kept_after_deletion(patch: Patch) -> None:
    """U9: the rows go, the bytes stay for ever."""
    patch("files.storage.local.LocalStorage.forget", lambda self, file_id: None)


def job_after_the_commit(patch: Patch) -> None:
    """U5, J1: file and job are two transactions; a death in between leaves a file that nobody will read."""
    patch("files.jobs.enqueue", lambda file: None)


def index_removed_at_once(patch: Patch) -> None:
    """J13: a file that is read again cannot be found until that has ended."""
    from django.db import transaction

    from files import jobs
    from search.indexing import writing

    retry = jobs.retry

    def hasty(file: Any, **more: Any) -> None:
        with transaction.atomic():
            writing.remove(file.pk)
            retry(file, **more)

    patch("files.jobs.retry", hasty)


def vectors_written_in_part(patch: Patch) -> None:
    """S1: a file is ready with half of its vectors."""
    from search.indexing import writing

    write = writing.write_vectors
    patch(
        "search.indexing.writing.write_vectors",
        lambda document, space, vectors: write(document, space, list(vectors)[::2]),
    )


def text_switched_without_its_rows(patch: Patch) -> None:
    """J3, J13: a batch of the text is lost, and the file is ready all the same."""
    from files import extraction_stage

    store = extraction_stage._Reading._store

    def forgetful(reading: Any) -> None:
        reading._rows[:] = reading._rows[1:]
        store(reading)

    patch("files.extraction_stage._Reading._store", forgetful)


def versions_stand_still(patch: Patch) -> None:
    """N1: a change that clients see gets no higher version, so that they ignore it."""
    from django.db.models import F

    from files.models import FileRecord

    def move(file_id: Any, target: Any, code: str, message: str, **changes: Any) -> Any:
        from files import states

        FileRecord.objects.filter(pk=file_id).update(status=target, version=F("version") - 1, **changes)
        file = FileRecord.objects.get(pk=file_id)
        states.record_event(file, code, message)
        return file

    patch("files.states.move", move)
