"""The pages of webhooks, without JavaScript: made with a secret shown once, changed, tried, read, deleted."""

from __future__ import annotations

from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from files.models import DeliveryState, Webhook, WebhookDelivery, WebhookEvent
from files.webhooks import outbox, subscribing, views
from files.webhooks.subscribing import CreatedWebhook, secret_of
from orchestra.accounts.models import User
from orchestra.common.outbound.errors import OutboundFailed
from tests.orchestra.common.outbound.answering import Server

PATH = "/webhooks"


def html_of(response: Any) -> str:
    return " ".join(unescape(response.content.decode()).split())


def test_a_webhook_is_made_and_its_secret_shown_once(browser: Client, alice: User) -> None:
    assert "Add the first one" in html_of(browser.get(PATH))
    made = browser.post(PATH, {"url": "https://example.org/hook", "events": ["ready", "failed"]})
    webhook = Webhook.objects.get()
    assert (made.status_code, made["Cache-Control"]) == (200, "no-store")
    assert (webhook.owner, webhook.url, webhook.events) == (alice, "https://example.org/hook", ["ready", "failed"])
    secret = secret_of(webhook)
    assert secret in html_of(made)
    assert "shown this once" in html_of(made)
    for path in (PATH, f"{PATH}/{webhook.pk}"):
        assert "https://example.org/hook" in html_of(browser.get(path))
        assert secret not in html_of(browser.get(path))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": ""}, "This field is required."),
        ({"url": "ftp://example.org"}, "Write an address that begins with https:// or http://"),
        ({"url": "https://me:secret@example.org/"}, "without a name or password in it."),
        ({"url": "a\x00b"}, "Null characters are not allowed."),
        ({"url": "https://e.org/" + "x" * 2000}, "at most 2000 characters"),
        ({"events": []}, "This field is required."),
        ({"events": ["ping"]}, "Select a valid choice."),
    ],
)
def test_a_wrong_field_is_told_beside_it(browser: Client, alice: User, wrong: dict[str, Any], said: str) -> None:
    form = {"url": "https://example.org/hook", "events": ["ready"]}
    refused = browser.post(PATH, {**form, **wrong})
    assert refused.status_code == 400
    assert said in html_of(refused)
    assert not Webhook.objects.exists()
    webhook = subscribing.create(alice, "https://example.org/old", ["ready"]).webhook
    refused = browser.post(f"{PATH}/{webhook.pk}", {**form, **wrong})
    assert refused.status_code == 400
    assert said in html_of(refused)
    webhook.refresh_from_db()
    assert webhook.url == "https://example.org/old"


def test_too_many_are_told(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribing, "_MOST_WEBHOOKS", 0)
    refused = browser.post(PATH, {"url": "https://example.org/", "events": ["ready"]})
    assert refused.status_code == 409
    assert "There are as many webhooks as there may be. Delete one" in html_of(refused).replace("</p><p>", " ")


def test_a_webhook_is_changed_switched_and_deleted(browser: Client, webhook: Webhook) -> None:
    one = f"{PATH}/{webhook.pk}"
    browser.post(one, {"url": "https://example.org/new", "events": ["deleted"]})
    webhook.refresh_from_db()
    assert (webhook.url, webhook.events, webhook.enabled) == ("https://example.org/new", ["deleted"], True)
    assert "Switched off" in html_of(browser.post(f"{one}/off", follow=True))
    Webhook.objects.update(disabled_reason="gone")
    assert "says that it is gone (410)" in html_of(browser.get(one))
    assert "begins anew" in html_of(browser.post(f"{one}/on", follow=True))
    assert browser.post(f"{one}/explode").status_code == 404
    assert "was deleted, with its log" in html_of(browser.post(f"{one}/delete", follow=True))
    assert not Webhook.objects.exists()


def test_a_test_is_sent_and_told(browser: Client, webhook: Webhook, receiver: Server, settings: Any) -> None:
    one = f"{PATH}/{webhook.pk}"
    assert "Nothing was sent yet." in html_of(browser.get(one))
    html = html_of(browser.post(f"{one}/test", follow=True))
    assert "The test was delivered: it answered 200." in html
    assert 'data-status="ready">Delivered<' in html
    settings.OUTBOUND_ALLOWED_PRIVATE = ()
    html = html_of(browser.post(f"{one}/test", follow=True))
    assert "The test was not delivered." in html
    assert 'data-status="failed">Given up<' in html


def test_the_log_tells_attempts_and_when_the_next_is(
    browser: Client, webhook: Webhook, alice: User, hints: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = uuid4()
    for version in range(3):
        outbox.tell(WebhookEvent.READY, alice.pk, file, version)
    oldest = WebhookDelivery.objects.order_by("pk").first()
    assert oldest is not None
    WebhookDelivery.objects.filter(pk=oldest.pk).update(attempt=2, error_code=OutboundFailed.code)
    one = f"{PATH}/{webhook.pk}"
    html = html_of(browser.get(one))
    assert html.count('data-status="queued">Waiting<') == 3
    assert "2 attempts" in html
    assert "next attempt" in html
    assert OutboundFailed.default_message in html
    monkeypatch.setattr(views, "DELIVERIES_SHOWN", 2)
    first = browser.get(one)
    assert html_of(first).count('data-status="queued">Waiting<') == 2
    second = html_of(browser.get(f"{one}?after={first.context['log'].after}"))
    assert second.count('data-status="queued">Waiting<') == 1
    assert "2 attempts" in second


def test_a_failing_one_says_since_when(browser: Client, webhook: Webhook) -> None:
    Webhook.objects.update(failures=4, failing_since=webhook.created_at)
    html = html_of(browser.get(f"{PATH}/{webhook.pk}"))
    assert "4 attempts failed since" in html
    assert 'data-status="failed">Failing<' in html


@pytest.mark.parametrize("action", ["", "test", "on", "off", "delete"])
def test_anothers_webhook_is_an_unknown_one(client: Client, bob: User, created: CreatedWebhook, action: str) -> None:
    client.force_login(bob)
    one = f"{PATH}/{created.webhook.pk}"
    assert client.post(f"{one}/{action}" if action else one, {"url": "https://example.org/"}).status_code == 404
    assert client.get(one).status_code == 404
    assert created.webhook.url not in html_of(client.get(PATH))
    assert Webhook.objects.filter(enabled=True).exists()
    assert not WebhookDelivery.objects.filter(state=DeliveryState.DELIVERED).exists()


def test_staff_find_the_admins_record(client: Client, admin_user_record: User) -> None:
    webhook = subscribing.create(admin_user_record, "https://example.org/", ["ready"]).webhook
    client.force_login(admin_user_record)
    record = f"/admin/files/webhook/{webhook.pk}/change/"
    assert record in html_of(client.get(f"{PATH}/{webhook.pk}"))
    assert client.get(record).status_code == 200
