"""The page of integrations and those of imports, without JavaScript."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from django.db.models import DateField
from django.db.models.functions import Now, TruncMonth
from django.test import Client
from django.test.utils import CaptureQueriesContext

from files import import_runs, import_views, importing
from files.errors import ConnectionOff, FileTooLarge
from files.import_runs import Ending, Entry
from files.models import ImportAction, ImportRun, ImportState
from files.webhooks import subscribing
from integrations import services
from integrations.models import ExternalIntegration, ModelUsage
from integrations.sources.base import SourceKeyRefused
from orchestra.accounts.models import User
from tests.shelf import Shelf

PATH = "/integrations"


def html_of(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(unescape(response.content.decode()).split())


def run_of(connection: ExternalIntegration) -> ImportRun:
    return ImportRun.objects.filter(integration=connection).latest("asked_at")


def test_a_newcomer_reads_that_nothing_has_to_be_connected(browser: Client) -> None:
    html = html_of(browser.get(PATH))
    assert "Nothing is connected, and nothing has to be" in html
    assert 'aria-current="page">Integrations</a>' in html
    for name in ("OpenAI", "OpenRouter", "Portkey", "OpenAI-compatible server", "Notion", "S3 bucket"):
        assert f'Connect<span class="visually-hidden"> {name}</span>' in html
    assert "http://testserver/mcp" in html
    assert "manage.py mcp" in html
    assert 'href="/account"' in html


def test_an_import_is_begun_watched_and_read(
    browser: Client, shelf: Shelf, connection: ExternalIntegration, alice: User
) -> None:
    shelf.held |= {"a": b"a", "b": FileTooLarge(limit=1)}
    assert "The next import begins within a minute." in html_of(browser.get(PATH))
    asked = browser.post(f"/integrations/{connection.pk}/import")
    run = run_of(connection)
    assert asked["Location"] == f"/imports/{run.pk}"
    waiting = html_of(browser.get(asked["Location"]))
    assert "Waiting for a free worker" in waiting
    assert 'data-live="2"' in waiting
    assert "Documents appear here as they come." in waiting

    importing.run(connection.pk)
    page = html_of(browser.get(asked["Location"]))
    assert "data-live" not in page
    assert "2 looked at: 1 new, 0 changed, 0 deleted, 0 unchanged" in page
    assert "1 failed" in page
    (entry,) = run.entries.filter(action="added")
    assert f'<a href="/files/{entry.file_id}">a.txt</a>' in page
    assert f'{FileTooLarge.default_message} <span class="muted">{FileTooLarge.default_hint}</span>' in page
    assert "b.txt" in page

    card = html_of(browser.get(PATH))
    assert "Last import" in card
    assert "Next import" in card
    log = html_of(browser.get(f"/integrations/{connection.pk}/imports"))
    assert f'href="/imports/{run.pk}"' in log


def test_progress_is_true_after_each_reload(browser: Client, connection: ExternalIntegration) -> None:
    current = import_runs.begin(connection.pk)
    assert current is not None
    for path in (PATH, f"/integrations/{connection.pk}/imports", f"/imports/{current.pk}"):
        import_runs.count(current, listed=1000, unchanged=900)
        html = html_of(browser.get(path))
        current.refresh_from_db()
        assert f"{current.listed:,} looked at" in html
        assert 'data-status="processing">Importing<' in html
        assert 'data-live="2"' in html


def test_a_run_whose_worker_was_lost_is_called_so(browser: Client, connection: ExternalIntegration) -> None:
    current = import_runs.begin(connection.pk)
    assert current is not None
    ImportRun.objects.update(lease_until=Now() - timedelta(seconds=1))
    html = html_of(browser.get(f"/imports/{current.pk}"))
    assert 'data-status="cancelled">Interrupted<' in html


def test_why_an_import_failed_stands_on_every_page(browser: Client, connection: ExternalIntegration) -> None:
    current = import_runs.begin(connection.pk)
    assert current is not None
    import_runs.end(current, Ending.failed(SourceKeyRefused()))
    for path in (PATH, f"/imports/{current.pk}"):
        html = html_of(browser.get(path))
        assert SourceKeyRefused.default_message in html
        assert SourceKeyRefused.default_hint in html


def test_the_log_is_paged_by_key_and_filtered(
    browser: Client, connection: ExternalIntegration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_views, "ENTRIES_SHOWN", 2)
    current = import_runs.begin(connection.pk)
    assert current is not None
    for number in range(3):
        import_runs.note(current, Entry(ImportAction.CHANGED, f"number-{number}.md"))
    import_runs.note(current, Entry(ImportAction.FAILED, "broken.md", error=FileTooLarge(limit=1)))
    path = f"/imports/{current.pk}"
    first = browser.get(path)
    html = html_of(first)
    assert ["number-0.md" in html, "number-1.md" in html, "number-2.md" in html] == [True, True, False]
    second = html_of(browser.get(f"{path}?after={first.context['log'].after}"))
    assert ["number-1.md" in second, "number-2.md" in second, "broken.md" in second] == [False, True, True]
    assert "Next page" not in second
    assert "First page" in second
    failed = html_of(browser.get(f"{path}?action=failed"))
    assert ["broken.md" in failed, "number-0.md" in failed] == [True, False]
    assert html_of(browser.get(f"{path}?action=unheard-of&after=x")).count("number-0.md") == 1


def test_stopping_ends_the_run(browser: Client, shelf: Shelf, connection: ExternalIntegration) -> None:
    current = import_runs.begin(connection.pk)
    assert current is not None
    assert "Stop: switch the connection off" in html_of(browser.get(f"/imports/{current.pk}"))
    browser.post(f"/integrations/{connection.pk}/actions/off")
    with pytest.raises(ConnectionOff):
        import_runs.beat(current)
    refused = browser.post(f"/integrations/{connection.pk}/import", follow=True)
    assert "This connection is switched off. Switch it on, then import." in html_of(refused)


def test_what_brings_no_documents_has_no_imports(browser: Client, alice: User) -> None:
    model = services.connect(alice, "openai", "A model", {"key": "sk-1"})
    assert browser.get(f"/integrations/{model.pk}/imports").status_code == 404
    assert browser.post(f"/integrations/{model.pk}/import").status_code == 404
    assert not ImportRun.objects.exists()


def test_another_user_sees_and_begins_nothing(client: Client, bob: User, connection: ExternalIntegration) -> None:
    current = import_runs.begin(connection.pk)
    assert current is not None
    client.force_login(bob)
    for path in (f"/integrations/{connection.pk}/imports", f"/imports/{current.pk}", f"/imports/{uuid4()}"):
        assert client.get(path).status_code == 404
    assert client.post(f"/integrations/{connection.pk}/import").status_code == 404
    assert "A shelf" not in html_of(client.get(PATH))


def test_links_and_names_of_a_source_are_shown_as_text(
    browser: Client, shelf: Shelf, connection: ExternalIntegration
) -> None:
    hostile = '"><script>alert(1)</script>'
    shelf.held["a"] = b"a"
    shelf.names["a"], shelf.origins["a"] = f"{hostile}.txt", f"https://shelf.example.org/{hostile}"
    services.change(connection, name=hostile)
    importing.run(connection.pk)
    for path in (PATH, f"/integrations/{connection.pk}/imports", f"/imports/{run_of(connection).pk}"):
        assert "<script>alert" not in browser.get(path).content.decode()


def test_the_month_is_shown_against_its_budget(browser: Client, alice: User, settings: Any) -> None:
    settings.LLM_MONTHLY_TOKENS, settings.LLM_MONTHLY_BUDGET_USD = 5_000, 2.0
    services.connect(alice, "openai", "Mine", {"key": "sk-1", "model": "small"})
    month = TruncMonth(Now(), output_field=DateField())
    took = {"user": alice, "model": "small", "input_tokens": 1_000, "output_tokens": 200, "cost": Decimal("0.5")}
    ModelUsage.objects.create(**took, month=month, calls=3)
    ModelUsage.objects.create(**{**took, "input_tokens": 70_000}, month=month, calls=9, own=True)
    ModelUsage.objects.create(**took, month="2020-01-01", calls=1)
    html = html_of(browser.get(PATH))
    assert "1,200 of 5,000 tokens of this installation's budget" in html
    assert "$0.50 of $2.00 of this installation's budget" in html
    assert "This month: 9 calls, 70,000 tokens read and 200 written, $0.50" in html


def test_many_connections_cost_no_more_queries(browser: Client, alice: User, shelf: Shelf) -> None:
    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            html_of(browser.get(PATH))
        return len(captured)

    def add(number: int) -> None:
        made = services.connect(alice, "shelf", f"Shelf {number}", {})
        ImportRun.objects.create(integration=made, state=ImportState.DONE, started_at=Now())
        services.connect(alice, "openai", f"Model {number}", {"key": "sk-1"})

    add(0)
    few = queries()
    for number in range(1, 8):
        add(number)
    assert queries() == few


def test_webhooks_that_fail_are_told_on_the_page(browser: Client, alice: User) -> None:
    webhook = subscribing.create(alice, "https://example.org/", ["ready"]).webhook
    assert "1 webhook, none of them failing." in html_of(browser.get(PATH))
    subscribing.change(webhook, enabled=False)
    assert "1 off or failing" in html_of(browser.get(PATH))


def test_staff_find_the_admins_record(client: Client, admin_user_record: User, shelf: Shelf) -> None:
    made = services.connect(admin_user_record, "shelf", "Staff's", {})
    current = import_runs.begin(made.pk)
    assert current is not None
    client.force_login(admin_user_record)
    for path, record in (
        (f"/integrations/{made.pk}", f"/admin/integrations/externalintegration/{made.pk}/change/"),
        (f"/imports/{current.pk}", f"/admin/files/importrun/{current.pk}/change/"),
    ):
        assert record in html_of(client.get(path))
        assert client.get(record).status_code == 200
