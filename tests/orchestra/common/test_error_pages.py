"""The pages for what went wrong, and the content policy."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from rest_framework.test import APIClient

from orchestra.accounts.models import User
from orchestra.common.api_errors import server_error

pytestmark = pytest.mark.django_db


def test_an_unknown_address_is_a_page_for_people_and_json_for_programs(client: Client) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert b"There is nothing here" in answer.content
    assert client.get("/api/nowhere").json()["error"]["code"] == "not_found"


def test_a_refused_form_names_the_settings() -> None:
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post("/sign-in", {"username": "x"})
    assert answer.status_code == 403
    assert b"CSRF_TRUSTED_ORIGINS" in answer.content
    assert b"BEHIND_TLS_PROXY" in answer.content


def test_the_page_for_a_bug_needs_nothing_that_may_be_broken(rf: RequestFactory) -> None:
    answer = server_error(rf.get("/files"))
    assert answer.status_code == 500
    assert b"Something went wrong on our side" in answer.content


def away(*_: object, **__: object) -> None:
    raise OperationalError("the database system is shutting down")


def test_a_database_that_is_away_is_said_as_such_and_when_to_come_back(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(alice)
    client.raise_request_exception = False
    api, page = APIClient(), client
    api.force_authenticate(alice)
    monkeypatch.setattr("files.selectors.counts_by_status", away)
    monkeypatch.setattr("files.selectors.holdings_of", away)
    for answer in (api.get("/api/files"), page.get("/")):
        assert answer.status_code == 503
        assert int(answer["Retry-After"]) > 0
    assert api.get("/api/files").json()["error"]["code"] == "database_away"
    assert b"The database does not answer" in page.get("/").content


def test_forbidden_is_said(rf: RequestFactory) -> None:
    assert "You may not do this" in render_to_string("403.html", request=rf.get("/"))


def test_only_the_browsable_api_may_use_style_attributes(client: Client, alice: User) -> None:
    client.force_login(alice)
    for path, allowed in (("/api/files", True), ("/", False), ("/search", False), ("/docs", False)):
        policy = client.get(path, headers={"accept": "text/html"})["Content-Security-Policy"]
        assert ("style-src-attr 'unsafe-inline'" in policy) is allowed
        assert policy.count("unsafe") == int(allowed)


def test_docs_are_served_from_here(client: Client) -> None:
    html = client.get(reverse("docs")).content.decode()
    assert "//cdn" not in html
    assert "<style" not in html


def test_the_icon_is_found_where_browsers_look(client: Client) -> None:
    assert client.get("/favicon.ico")["Location"] == "/static/favicon.svg"
