"""Messages are written with the change that they tell, for the file's owner alone, and cost others nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from files import jobs, pipeline, services, trash
from files.jobs import Failure
from files.models import FileEvent, FileRecord, FileStatus, Webhook, WebhookDelivery
from files.uploads import NewUpload, initiate
from files.webhooks import subscribing
from orchestra.accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hints")]
MakeFile = Callable[..., FileRecord]


def read(file: FileRecord) -> FileRecord:
    while pipeline.work("a worker"):
        pass
    file.refresh_from_db()
    return file


def told(webhook: Webhook) -> list[tuple[str, UUID | None, int | None]]:
    return list(
        WebhookDelivery.objects.filter(webhook=webhook).order_by("id").values_list("event", "file_id", "version")
    )


def test_a_file_that_is_ready_is_told_with_its_version(alice: User, webhook: Webhook, make_file: MakeFile) -> None:
    file = read(make_file(alice))
    event = FileEvent.objects.get(file=file, code="ready")
    assert (event.status, event.message, event.details) == ("ready", "The file can be searched.", {})
    assert told(webhook) == [("ready", file.pk, event.version)]
    (delivery,) = WebhookDelivery.objects.all()
    assert (delivery.state, delivery.attempt, delivery.response_status, delivery.error_code) == ("waiting", 0, None, "")
    assert delivery.next_at is not None
    assert delivery.next_at >= delivery.occurred_at


def test_partial_and_failed_are_told(alice: User, webhook: Webhook, make_file: MakeFile) -> None:
    partial, failed = make_file(alice, b"one"), make_file(alice, b"two")
    FileRecord.objects.filter(pk=partial.pk).update(warnings=[{"code": "x", "message": "y", "place": {}}])
    for _ in range(2):
        claim = jobs.claim_next("a worker")
        assert claim is not None
        if claim.file_id == partial.pk:
            jobs.finish(claim, {})
        else:
            jobs.fail(claim, Failure("broken", "It is broken."))
    assert {(event, file_id) for event, file_id, _ in told(webhook)} == {("partial", partial.pk), ("failed", failed.pk)}


def test_states_on_the_way_are_not_told(alice: User, webhook: Webhook, make_file: MakeFile) -> None:
    file = make_file(alice)
    services.cancel(file)
    services.update(file, name="other.txt")
    assert told(webhook) == []


def test_deletion_is_told_once_whichever_way_it_goes(
    alice: User, webhook: Webhook, make_file: MakeFile, settings: Any
) -> None:
    trashed, purged, at_once = (read(make_file(alice, text)) for text in (b"one", b"two", b"three"))
    WebhookDelivery.objects.all().delete()
    services.delete(trashed)
    services.delete_completely(trashed)
    services.delete_completely(purged)
    settings.TRASH_DAYS = 0
    services.delete(at_once)
    assert [(event, file_id) for event, file_id, _ in told(webhook)] == [
        ("deleted", file.pk) for file in (trashed, purged, at_once)
    ]
    assert all(version is not None and version > 1 for _, _, version in told(webhook))


def test_a_file_that_comes_back_is_told_again(alice: User, webhook: Webhook, make_file: MakeFile) -> None:
    file = read(make_file(alice))
    services.delete(file)
    trash.restore(file)
    assert [event for event, _, _ in told(webhook)] == ["ready", "deleted", "ready"]
    versions = [version for _, _, version in told(webhook)]
    assert versions == sorted(set(versions))  # type: ignore[type-var]  # none is None


def test_nobody_is_told_of_an_upload_that_was_never_a_file(alice: User, webhook: Webhook) -> None:
    services.delete(initiate(alice, NewUpload("a.bin", 2 * 65536, chunk_size=65536)).file)
    assert told(webhook) == []


def test_another_users_webhook_is_told_nothing(alice: User, bob: User, webhook: Webhook, make_file: MakeFile) -> None:
    services.delete(read(make_file(bob, b"A file of bob's.")))
    assert told(webhook) == []


def test_webhooks_get_what_they_asked_for(alice: User, webhook: Webhook, make_file: MakeFile) -> None:
    deleted_only = subscribing.create(alice, "https://example.org/", ["deleted"]).webhook
    off = subscribing.change(subscribing.create(alice, "https://example.org/", ["ready"]).webhook, enabled=False)
    services.delete(read(make_file(alice)))
    assert [event for event, _, _ in told(webhook)] == ["ready", "deleted"]
    assert [event for event, _, _ in told(deleted_only)] == ["deleted"]
    assert told(off) == []
    ids = WebhookDelivery.objects.filter(event="deleted").values_list("event_id", flat=True)
    assert len(ids) == 2
    assert len(set(ids)) == 1, "one event, one id"


def test_a_change_that_is_taken_back_takes_its_message_along(
    alice: User, webhook: Webhook, make_file: MakeFile, hints: list[UUID]
) -> None:
    make_file(alice)
    claim = jobs.claim_next("a worker")
    assert claim is not None
    with transaction.atomic():
        jobs.finish(claim, {})
        assert len(told(webhook)) == 1
        transaction.set_rollback(True)
    assert told(webhook) == []
    assert hints == []
    assert FileRecord.objects.get().status == FileStatus.PROCESSING


def test_hints_go_on_commit(
    alice: User,
    webhook: Webhook,
    make_file: MakeFile,
    hints: list[UUID],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        read(make_file(alice))
        assert hints == []
    for callback in callbacks:
        callback()
    assert hints == [webhook.pk]


def test_without_webhooks_a_change_takes_no_query_more_and_no_message(
    alice: User, bob: User, webhook: Webhook, make_file: MakeFile
) -> None:
    """The message is written by the statement that writes the event, for who has a webhook and for who has none."""
    counts = []
    for owner in (alice, bob):
        make_file(owner)
        claim = jobs.claim_next("a worker")
        assert claim is not None
        with CaptureQueriesContext(connection) as queries:
            jobs.finish(claim, {})
        counts.append(len(queries))
        written = [query["sql"] for query in queries if "INSERT" in query["sql"]]
        assert len(written) == 1
        assert "files_fileevent" in written[0]
    assert counts[0] == counts[1]
    assert WebhookDelivery.objects.count() == 1
