"""Messages arrive signed, are sent again on the database's clock, and are not lost with a hint or a process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import UUID

import pytest
from django.db.models import F
from django.db.models.functions import Now

from files import pipeline, tasks
from files.hints import publish_webhook_hints
from files.models import FileRecord, Webhook, WebhookDelivery, WebhookEvent
from files.webhooks import delivering, outbox, subscribing
from files.webhooks.delivering import PAUSES
from files.webhooks.subscribing import CreatedWebhook
from orchestra.accounts.models import User
from orchestra.common.identifiers import new_id
from tests.files.webhooks.test_messages import verified
from tests.orchestra.common.outbound.answering import Server, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hints")]
MakeFile = Callable[..., FileRecord]


def waiting(webhook: Webhook, count: int = 1) -> list[UUID]:
    """Write messages as a change of a file would; return the files' ids."""
    files = [new_id() for _ in range(count)]
    for file_id in files:
        outbox.tell(WebhookEvent.READY, webhook.owner_id, file_id, 3)
    return files


def the_delivery() -> Any:
    """Return the one message, with how long it is until it is due."""
    return WebhookDelivery.objects.annotate(left=F("next_at") - Now()).get()


def pass_time(**length: float) -> None:
    """Let everything lie further back on the database's clock."""
    for model, fields in ((WebhookDelivery, ("next_at", "occurred_at")), (Webhook, ("quiet_until", "failing_since"))):
        model._default_manager.update(**{field: F(field) - timedelta(**length) for field in fields})


def answers(status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: send(handler, b"an answer that nobody reads", status, **headers)


def test_a_message_arrives_signed(alice: User, created: CreatedWebhook, receiver: Server, make_file: MakeFile) -> None:
    file = make_file(alice, name="Very secret name.txt")
    assert pipeline.work("a worker")
    assert delivering.send_due(created.webhook.pk) == 1
    ((method, path, headers, body),) = receiver.asked
    assert (method, path, headers["content-type"]) == ("POST", "/hook", "application/json")
    verified(created.secret, headers, body)
    delivery = the_delivery()
    assert headers["webhook-id"] == str(delivery.event_id)
    message = json.loads(body)
    assert (message["type"], message["data"]["file"]) == ("file.ready", str(file.pk))
    assert b"secret" not in body
    assert (delivery.state, delivery.attempt, delivery.next_at, delivery.response_status) == ("delivered", 1, None, 200)
    assert delivery.finished_at is not None
    created.webhook.refresh_from_db()
    assert (created.webhook.quiet_until, created.webhook.failures) == (None, 0)


def test_messages_go_in_order_and_once(webhook: Webhook, receiver: Server) -> None:
    files = waiting(webhook, 3)
    assert delivering.send_due(webhook.pk) == 3
    assert delivering.send_due(webhook.pk) == 0
    assert [json.loads(body)["data"]["file"] for _, _, _, body in receiver.asked] == list(map(str, files))


def test_a_failure_is_tried_again_after_pauses_that_grow(webhook: Webhook, receiver: Server) -> None:
    receiver.answer = answers(500)
    waiting(webhook)
    for number, pause in enumerate(PAUSES, 1):
        assert delivering.send_due(webhook.pk) == 0
        delivery = the_delivery()
        assert (delivery.attempt, delivery.state, delivery.response_status) == (number, "waiting", 500)
        assert pause - timedelta(seconds=30) < delivery.left <= pause
        assert delivering.send_due(webhook.pk) == 0
        assert len(receiver.asked) == number, "not before its time"
        # Days of failures would switch it off, which is another test's matter.
        Webhook.objects.update(failing_since=Now(), quiet_until=None)
        WebhookDelivery.objects.update(next_at=Now())
    delivering.send_due(webhook.pk)
    delivery = the_delivery()
    assert (delivery.attempt, delivery.state, delivery.next_at) == (len(PAUSES) + 1, "failed", None)
    assert PAUSES[-1] == timedelta(days=1)
    assert list(PAUSES) == sorted(PAUSES)


def test_the_same_message_comes_again_with_the_same_id_and_a_new_time(
    created: CreatedWebhook, receiver: Server
) -> None:
    receiver.answer = answers(503)
    waiting(created.webhook)
    delivering.send_due(created.webhook.pk)
    pass_time(seconds=6)
    receiver.answer = answers(204)
    assert delivering.send_due(created.webhook.pk) == 1
    (first, second) = receiver.asked
    assert first[2]["webhook-id"] == second[2]["webhook-id"]
    for _, _, headers, body in (first, second):
        verified(created.secret, headers, body)
    created.webhook.refresh_from_db()
    assert (created.webhook.failures, created.webhook.failing_since) == (0, None)


def test_after_a_failure_the_others_wait_too(webhook: Webhook, receiver: Server) -> None:
    receiver.answer = answers(500)
    waiting(webhook, 3)
    delivering.send_due(webhook.pk)
    assert len(receiver.asked) == 1, "an address that fails is not asked for each message"
    webhook.refresh_from_db()
    assert webhook.failures == 1
    pass_time(seconds=6)
    receiver.answer = answers(200)
    assert delivering.send_due(webhook.pk) == 3


def test_a_webhook_that_always_fails_rests_a_quarter_of_an_hour_at_most(webhook: Webhook, receiver: Server) -> None:
    receiver.answer = answers(500)
    Webhook.objects.update(failures=100_000, failing_since=Now())
    waiting(webhook)
    delivering.send_due(webhook.pk)
    left = Webhook.objects.annotate(left=F("quiet_until") - Now()).get().left
    assert timedelta(minutes=14) < left <= delivering.LONGEST_REST


def test_a_lost_hint_is_made_good_by_the_sweep(webhook: Webhook, receiver: Server, hints: list[UUID]) -> None:
    """Whoever was killed between commit and hint, or an emptied Redis: the row is there, and the sweep finds it."""
    waiting(webhook, 2)
    hints.clear()
    assert delivering.sweep() == 1
    assert hints == [webhook.pk]
    tasks.send_webhook(str(webhook.pk))
    assert len(receiver.asked) == 2
    hints.clear()
    assert delivering.sweep() == 0


def test_a_dead_redis_fails_nobody(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []

    def dead(*sent: object, **__: object) -> None:
        tried.append(sent)
        raise ConnectionRefusedError

    monkeypatch.setattr("files.hints.app.send_task", dead)
    publish_webhook_hints([webhook.pk])
    assert tried == [("files.tasks.send_webhook", [str(webhook.pk)])]


def test_who_is_killed_while_sending_leaves_a_message_that_is_due_later(webhook: Webhook, receiver: Server) -> None:
    waiting(webhook)
    assert delivering._hold(webhook.pk) is not None
    attempt = delivering._begin(webhook.pk)
    assert attempt is not None
    assert delivering.send(attempt).delivered  # and then nobody writes it down
    assert delivering.send_due(webhook.pk) == 0, "it is still held"
    pass_time(seconds=61)
    assert delivering.send_due(webhook.pk) == 1
    delivery = the_delivery()
    assert (delivery.state, delivery.attempt) == ("delivered", 2)
    assert len({headers["webhook-id"] for _, _, headers, _ in receiver.asked}) == 1


def test_one_process_at_a_time_sends_to_a_webhook(webhook: Webhook, receiver: Server) -> None:
    waiting(webhook)
    assert delivering._hold(webhook.pk) is not None
    assert delivering._hold(webhook.pk) is None
    assert delivering.send_due(webhook.pk) == 0
    assert receiver.asked == []


def test_a_message_that_comes_meanwhile_gets_a_hint_of_its_own(
    webhook: Webhook, receiver: Server, hints: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = delivering._begin
    left = [1]

    def late(webhook_id: UUID) -> Any:
        attempt = begin(webhook_id)
        if attempt is None and left.pop():
            waiting(webhook)
        return attempt

    monkeypatch.setattr(delivering, "_begin", late)
    hints.clear()
    delivering.send_due(webhook.pk)
    assert hints == [webhook.pk]


def test_half_of_the_workers_stay_for_files_and_who_ends_hands_on(
    alice: User, webhook: Webhook, receiver: Server, hints: list[UUID]
) -> None:
    other = subscribing.create(alice, receiver.url(path="/other"), ["ready"]).webhook
    waiting(webhook)
    assert delivering._hold(other.pk) is not None
    assert delivering.send_due(webhook.pk) == 0
    assert receiver.asked == []
    Webhook.objects.update(quiet_until=None)
    hints.clear()
    assert delivering.send_due(other.pk) == 1
    assert hints == [webhook.pk]


def test_a_webhook_that_rests_takes_no_room(alice: User, webhook: Webhook, receiver: Server) -> None:
    other = subscribing.create(alice, receiver.url(path="/other"), ["ready"]).webhook
    waiting(webhook)
    Webhook.objects.filter(pk=other.pk).update(quiet_until=Now() + timedelta(minutes=5), failing_since=Now())
    assert delivering.send_due(webhook.pk) == 1


def test_gone_switches_it_off(webhook: Webhook, receiver: Server, hints: list[UUID]) -> None:
    receiver.answer = answers(410)
    waiting(webhook, 2)
    delivering.send_due(webhook.pk)
    webhook.refresh_from_db()
    assert (webhook.enabled, webhook.disabled_reason) == (False, "gone")
    pass_time(days=1)
    hints.clear()
    assert (delivering.send_due(webhook.pk), delivering.sweep()) == (0, 0)
    assert len(receiver.asked) == 1
    assert waiting(webhook)
    assert WebhookDelivery.objects.count() == 2, "nothing more is written for it"


def test_days_of_failures_switch_it_off_and_its_owner_switches_it_on(
    webhook: Webhook, receiver: Server, settings: Any
) -> None:
    receiver.answer = answers(500)
    waiting(webhook)
    delivering.send_due(webhook.pk)
    pass_time(days=settings.WEBHOOK_FAILING_DAYS - 0.1)
    delivering.send_due(webhook.pk)
    webhook.refresh_from_db()
    assert webhook.enabled
    pass_time(days=0.2)
    delivering.send_due(webhook.pk)
    webhook.refresh_from_db()
    assert (webhook.enabled, webhook.disabled_reason) == (False, "failing")
    receiver.answer = answers(200)
    subscribing.change(webhook, enabled=True)
    WebhookDelivery.objects.update(next_at=Now())
    assert delivering.send_due(webhook.pk) == 1
    webhook.refresh_from_db()
    assert (webhook.disabled_reason, webhook.failures, webhook.failing_since) == ("", 0, None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(webhook: Webhook, receiver: Server, status: int) -> None:
    receiver.answer = answers(status, Location=receiver.url(path="/elsewhere"))
    waiting(webhook)
    assert delivering.send_due(webhook.pk) == 0
    assert [path for _, path, _, _ in receiver.asked] == ["/hook"]
    assert the_delivery().response_status == status


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
def test_private_addresses_are_not_asked(alice: User, receiver: Server, settings: Any, host: str) -> None:
    settings.OUTBOUND_ALLOWED_PRIVATE = ()
    webhook = subscribing.create(alice, receiver.url(host), ["ready"]).webhook
    waiting(webhook)
    assert delivering.send_due(webhook.pk) == 0
    assert receiver.asked == []
    delivery = the_delivery()
    assert delivery.error_code in ("outbound_refused", "outbound_failed")
    assert delivery.response_status is None


def test_who_does_not_answer_is_a_failure(webhook: Webhook, receiver: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "_CALL_SECONDS", 0.2)
    receiver.answer = lambda _: time.sleep(1)
    waiting(webhook)
    assert delivering.send_due(webhook.pk) == 0
    assert the_delivery().error_code in ("outbound_too_slow", "outbound_failed")


def test_an_answer_of_any_length_is_not_read(webhook: Webhook, receiver: Server) -> None:
    receiver.answer = lambda handler: send(handler, b"x" * 10_000_000)
    waiting(webhook)
    assert delivering.send_due(webhook.pk) == 1


def test_a_secret_that_does_not_open_is_a_failure(webhook: Webhook, receiver: Server, settings: Any) -> None:
    waiting(webhook)
    settings.CREDENTIALS_KEYS = ("another key, of thirty-two signs or more",)
    assert delivering.send_due(webhook.pk) == 0
    assert the_delivery().error_code == "credentials_unreadable"
    assert receiver.asked == []


def test_nothing_is_sent_for_who_is_no_longer_active(webhook: Webhook, receiver: Server, hints: list[UUID]) -> None:
    waiting(webhook)
    User.objects.update(is_active=False)
    hints.clear()
    assert (delivering.send_due(webhook.pk), delivering.sweep()) == (0, 0)
    assert receiver.asked == []


def test_a_webhook_deleted_meanwhile_takes_its_messages_along(webhook: Webhook, receiver: Server) -> None:
    waiting(webhook)
    assert delivering._hold(webhook.pk) is not None
    attempt = delivering._begin(webhook.pk)
    assert attempt is not None
    subscribing.delete(webhook)
    assert not delivering._settle(attempt, delivering.Outcome(status=200))
    assert not WebhookDelivery.objects.exists()
    assert delivering.send_due(attempt.webhook.pk) == 0


def test_an_outcome_of_an_older_attempt_is_not_written(webhook: Webhook) -> None:
    waiting(webhook)
    older = delivering._begin(webhook.pk)
    assert older is not None
    WebhookDelivery.objects.update(next_at=Now())
    newer = delivering._begin(webhook.pk)
    assert newer is not None
    delivering._settle(older, delivering.Outcome(code="outbound_failed"))
    assert the_delivery().error_code == ""
    delivering._settle(newer, delivering.Outcome(status=200))
    assert the_delivery().state == "delivered"


def test_old_messages_are_forgotten(webhook: Webhook) -> None:
    waiting(webhook)
    assert delivering.forget_old() == 0
    pass_time(days=31)
    tasks.forget_deliveries()
    assert not WebhookDelivery.objects.exists()


def test_a_ping_is_sent_once_and_changes_nothing(created: CreatedWebhook, receiver: Server) -> None:
    receiver.answer = answers(410)
    delivery = delivering.ping(created.webhook)
    assert (delivery.event, delivery.state, delivery.response_status) == ("ping", "failed", 410)
    assert (delivery.attempt, delivery.next_at) == (1, None)
    created.webhook.refresh_from_db()
    assert (created.webhook.enabled, created.webhook.failures) == (True, 0)
    pass_time(days=1)
    assert delivering.send_due(created.webhook.pk) == 0
    ((_, _, headers, body),) = receiver.asked
    verified(created.secret, headers, body)
    assert json.loads(body)["type"] == "webhook.ping"
