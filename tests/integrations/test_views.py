"""The pages of one connection, without JavaScript: made, tried, changed, switched off, removed."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from integrations import services
from integrations.base import Kind, Provider
from integrations.llm.connecting import KEY as KEY_FIELD
from integrations.models import ExternalIntegration
from integrations.registry import PROVIDERS
from orchestra.accounts.models import User
from orchestra.common.sealing import unseal
from tests.openai_server import KEY, MODEL, OpenAIServer, failure

NEW = "/integrations/new?provider=compatible"
HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
def form(openai_server: OpenAIServer, settings: Any) -> dict[str, str]:
    settings.OUTBOUND_ALLOWED_PRIVATE = (f"127.0.0.1:{openai_server.port}",)
    values = {"base_url": openai_server.base_url, "model": MODEL, "key": KEY, "alias": "default"}
    return {"name": "Mine", **{f"value_{name}": value for name, value in values.items()}}


@pytest.fixture
def connection(alice: User, form: dict[str, str]) -> ExternalIntegration:
    values = {name.removeprefix("value_"): value for name, value in form.items() if name != "name"}
    return services.connect(alice, "compatible", "Mine", values)


def html_of(response: Any) -> str:
    """Return the page's text; no page ever has the key in it."""
    text = unescape(response.content.decode())
    assert KEY not in text
    return text


def secrets_of(connection: ExternalIntegration) -> dict[str, str]:
    row = ExternalIntegration.objects.get(pk=connection.pk)
    return dict(unseal(bytes(row.credentials), row.pk).values)


def address(connection: ExternalIntegration, action: str = "") -> str:
    return f"/integrations/{connection.pk}" + (f"/actions/{action}" if action else "")


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda provider: provider.name)
def test_every_provider_has_a_form_with_its_fields(browser: Client, provider: Provider) -> None:
    html = html_of(browser.get(f"/integrations/new?provider={provider.name}"))
    assert f"Connect {provider.label}" in html
    assert provider.brings
    assert provider.brings in html
    for field in provider.fields:
        assert field.label in html
        tag = re.search(rf'<(?:input|select)[^>]*name="value_{field.name}"[^>]*>', html)
        assert tag is not None
        assert ('type="password"' in tag[0]) is field.secret
        assert (" required" in tag[0]) is (field.required and not field.choices)


def test_a_new_kind_of_provider_needs_no_code_of_the_pages(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Provider("post", "Post office", Kind.SOURCE, (KEY_FIELD,), lambda _: None, brings="Letters.")
    monkeypatch.setitem(PROVIDERS, "post", made)
    assert "Post office" in html_of(browser.get("/integrations"))
    assert "Letters." in html_of(browser.get("/integrations/new?provider=post"))


@pytest.mark.parametrize("query", ["", "?provider=", "?provider=nobody", "?provider=a%00b"])
def test_an_unknown_provider_is_no_page(browser: Client, query: str) -> None:
    assert browser.get(f"/integrations/new{query}").status_code == 404


def test_a_connection_is_made_tried_and_told_that_it_works(
    browser: Client, alice: User, form: dict[str, str], openai_server: OpenAIServer
) -> None:
    made = browser.post(NEW, form, follow=True)
    assert made.redirect_chain == [("/integrations", 302)]
    html = html_of(made)
    assert f"Mine is connected. The model {MODEL} answers." in html
    assert 'data-status="ready">Works<' in html
    row = ExternalIntegration.objects.get()
    assert (row.owner, row.config["model"], secrets_of(row)) == (alice, MODEL, {"key": KEY})
    assert len(openai_server.chats) == 1


def test_what_was_saved_and_does_not_work_is_shown_with_the_reason(
    browser: Client, form: dict[str, str], openai_server: OpenAIServer
) -> None:
    openai_server.key = "another"
    made = browser.post(NEW, form, follow=True)
    row = ExternalIntegration.objects.get()
    assert made.redirect_chain == [(address(row), 302)]
    html = html_of(made)
    assert "Mine was saved, but it does not work yet. The model's provider does not accept the key." in html
    assert html.count("Enter a new key under Integrations.") == 2  # said now, and after a reload
    assert 'data-status="failed">Failed<' in html


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (failure(401, "invalid_api_key"), "does not accept the key"),
        (failure(404, "model_not_found"), "does not know this model"),
        (failure(429, "insufficient_quota"), "no money left"),
        (None, "The model's address may not be asked."),
    ],
)
def test_what_is_typed_is_tried_and_nothing_is_kept(
    browser: Client, form: dict[str, str], openai_server: OpenAIServer, reply: Any, said: str
) -> None:
    if reply is None:
        form["value_base_url"] = "http://127.0.0.1:1/v1"
    else:
        openai_server.script.append(reply)
    tried = browser.post(NEW, {**form, "try": "yes"})
    html = html_of(tried)
    assert tried.status_code == 200
    assert said in html
    assert 'value="Mine"' in html
    assert f'value="{form["value_base_url"]}"' in html
    assert "enter them again before you save" in html
    assert not ExternalIntegration.objects.exists()


def test_a_trial_that_works_names_the_models(browser: Client, form: dict[str, str]) -> None:
    html = html_of(browser.post(NEW, {**form, "try": "yes"}))
    assert f"The model {MODEL} answers." in html
    assert "<code>large</code>" in html
    assert not ExternalIntegration.objects.exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\x00b"}, "Null characters are not allowed."),
        ({"value_base_url": ""}, "This field is needed."),
        ({"value_base_url": "ftp://x"}, "Write it as https://host/v1"),
        ({"value_model": "x" * 2001}, "or is too long."),
        ({"value_alias": "other"}, "Select a valid choice."),
        ({"value_key": "schlüssel"}, "signs that cannot be sent"),
    ],
)
@pytest.mark.parametrize("trial", [{}, {"try": "yes"}])
def test_a_wrong_field_is_told_beside_it(
    browser: Client, form: dict[str, str], changed: dict[str, str], said: str, trial: dict[str, str]
) -> None:
    answer = browser.post(NEW, {**form, **changed, **trial})
    html = html_of(answer)
    assert answer.status_code == (200 if trial else 400)
    (name,) = changed
    beside = re.search(rf'id="id_{name}_error" data-part>(.*?)</div>', html, re.DOTALL)
    assert beside is not None
    assert said in beside[1]
    assert not ExternalIntegration.objects.exists()


def test_hostile_texts_are_shown_as_text(browser: Client, connection: ExternalIntegration) -> None:
    services.change(connection, name=HOSTILE, values={"model": HOSTILE})
    for path in ("/integrations", address(connection)):
        assert "<script>alert(1)" not in browser.get(path).content.decode()
    assert "<script>alert(1)" not in browser.post(address(connection), {"name": HOSTILE}).content.decode()


def test_a_stored_secret_is_named_kept_and_exchanged(
    browser: Client, connection: ExternalIntegration, form: dict[str, str], openai_server: OpenAIServer
) -> None:
    page = html_of(browser.get(address(connection)))
    assert "It is stored, encrypted. Leave this empty to keep it." in page
    assert 'placeholder="Stored"' in page
    assert f'value="{MODEL}"' in page
    kept = {**form, "value_key": "", "value_model": "large"}
    assert browser.post(address(connection), kept).status_code == 302
    assert secrets_of(connection) == {"key": KEY}
    assert ExternalIntegration.objects.get().config["model"] == "large"
    openai_server.key = "sk-new"
    assert browser.post(address(connection), {**form, "value_key": "sk-new"})["Location"] == "/integrations"
    assert secrets_of(connection) == {"key": "sk-new"}


def test_a_secret_that_is_not_needed_can_be_removed(
    browser: Client, connection: ExternalIntegration, form: dict[str, str]
) -> None:
    assert "Remove the stored key" in html_of(browser.get(address(connection)))
    browser.post(address(connection), {**form, "value_key": "", "forget_key": "on"})
    assert secrets_of(connection) == {}


def test_a_trial_uses_the_stored_secret_but_not_at_another_address(
    browser: Client, connection: ExternalIntegration, form: dict[str, str], openai_server: OpenAIServer
) -> None:
    trial = {**form, "value_key": "", "try": "yes"}
    assert f"The model {MODEL} answers." in html_of(browser.post(address(connection), trial))
    moved = form["value_base_url"].replace("/v1", "/v1/elsewhere")
    openai_server.asked.clear()
    html_of(browser.post(address(connection), {**trial, "value_base_url": moved}))
    assert openai_server.asked
    assert all(KEY not in str(asked.headers) for asked in openai_server.asked)
    connection.refresh_from_db()
    assert (connection.tested_at, connection.config["base_url"]) == (None, form["value_base_url"])


def test_what_cannot_be_read_is_entered_anew(
    browser: Client, connection: ExternalIntegration, form: dict[str, str], settings: Any
) -> None:
    settings.CREDENTIALS_KEYS = ("another key than before",)
    assert "It is stored" not in html_of(browser.get(address(connection)))
    tested = html_of(browser.post(address(connection, "test"), follow=True))
    assert "The stored credentials cannot be read." in tested
    browser.post(address(connection), form)
    assert secrets_of(connection) == {"key": KEY}


def test_a_connection_is_tested_switched_and_removed(
    browser: Client, connection: ExternalIntegration, openai_server: OpenAIServer
) -> None:
    assert "Never tested" in html_of(browser.get("/integrations"))
    assert f"Mine: The model {MODEL} answers." in html_of(browser.post(address(connection, "test"), follow=True))
    assert "Switched off" in html_of(browser.post(address(connection, "off"), follow=True))
    assert "Mine is switched on." in html_of(browser.post(address(connection, "on"), follow=True))
    assert "was removed, with its credentials" in html_of(browser.post(address(connection, "remove"), follow=True))
    assert not ExternalIntegration.objects.exists()


def test_an_unknown_action_or_method_is_none(browser: Client, connection: ExternalIntegration) -> None:
    assert browser.post(address(connection, "explode")).status_code == 404
    assert browser.get(address(connection, "remove")).status_code == 405
    assert ExternalIntegration.objects.exists()


def test_too_many_connections_are_told_in_words(
    browser: Client, form: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "_MOST_CONNECTIONS", 0)
    answer = browser.post(NEW, form)
    assert answer.status_code == 409
    assert "There are as many connections as there may be." in html_of(answer)
    assert "Delete one that is not used any more." in html_of(answer)


@pytest.mark.parametrize("action", ["", "test", "on", "off", "remove"])
def test_anothers_connection_is_an_unknown_one(
    client: Client, bob: User, connection: ExternalIntegration, action: str
) -> None:
    client.force_login(bob)
    assert client.post(address(connection, action), {"name": "taken"}).status_code == 404
    assert client.get(address(connection)).status_code == 404
    assert "Mine" not in html_of(client.get("/integrations"))
    connection.refresh_from_db()
    assert (connection.name, connection.enabled) == ("Mine", True)


def test_staff_do_not_see_what_is_a_users_own(
    client: Client, admin_user_record: User, connection: ExternalIntegration
) -> None:
    client.force_login(admin_user_record)
    assert client.get(address(connection)).status_code == 404
    assert "Mine" not in html_of(client.get("/integrations"))


def test_the_installations_is_made_by_staff_and_seen_without_its_errors_by_others(
    client: Client, alice: User, admin_user_record: User, form: dict[str, str], openai_server: OpenAIServer
) -> None:
    openai_server.key = "another"
    client.force_login(alice)
    assert "For everybody" not in html_of(client.get(NEW))
    client.post(NEW, {**form, "installation": "on"})
    assert ExternalIntegration.objects.get().owner == alice, "who is no staff makes none for everybody"
    ExternalIntegration.objects.all().delete()
    client.force_login(admin_user_record)
    client.post(NEW, {**form, "name": "Everybody's", "installation": "on"})
    row = ExternalIntegration.objects.get(owner=None)
    assert "Record in Admin" in html_of(client.get(address(row)))
    record = html_of(client.get(f"/admin/integrations/externalintegration/{row.pk}/change/"))
    assert f'href="{address(row)}"' in record
    assert "does not accept the key" in html_of(client.get("/integrations"))
    client.force_login(alice)
    html = html_of(client.get("/integrations"))
    assert "Everybody's" in html
    assert 'data-status="failed">Failed<' in html
    assert "does not accept the key" not in html
    assert address(row) not in html
    for path in (address(row), address(row, "test"), address(row, "remove")):
        assert client.post(path, form).status_code == 403
    assert client.get(address(row)).status_code == 403


def test_what_brings_documents_is_nobodys_but_ones_own(client: Client, admin_user_record: User) -> None:
    client.force_login(admin_user_record)
    assert "For everybody" not in html_of(client.get("/integrations/new?provider=notion"))


def test_a_provider_of_another_version_can_be_removed(browser: Client, connection: ExternalIntegration) -> None:
    ExternalIntegration.objects.update(provider="forgotten")
    assert "Mine" in html_of(browser.get("/integrations"))
    assert browser.get(address(connection)).status_code == 404
    assert browser.post(address(connection, "remove")).status_code == 302
    assert not ExternalIntegration.objects.exists()


@pytest.mark.parametrize("path", ["/integrations", NEW, "/webhooks"])
def test_who_is_signed_out_is_asked_to_sign_in(client: Client, db: None, path: str) -> None:
    assert client.get(path)["Location"].startswith("/sign-in?next=")
