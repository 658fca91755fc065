"""Integrations in the browser: a bucket connected, imported and read; a model with a wrong key, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.openai_server import KEY, MODEL, OpenAIServer
from tests.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server
from tests.stack import Stack

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(240)]

NAME = "integrator"
PREFIX = "browser/"
OBJECTS = {"tides.txt": "High water at Brannock is at noon.", "moorings.md": "# Moorings\n\nThe yacht lies at buoy 7."}
FOCUSED = "() => (document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
SIDEWAYS = "() => document.documentElement.scrollWidth - window.innerWidth"
NAMELESS = """() => [...document.querySelectorAll("button, a[href], input:not([type=hidden]), select, summary")]
    .filter((e) => e.checkVisibility() && !(e.textContent.trim() || e.labels?.length || e.ariaLabel))
    .map((e) => e.outerHTML)"""


@pytest.fixture
def page(open_page: Callable[..., Any], stack: Stack) -> Any:
    """A page of a user who has no connections, signed in."""
    stack.create_user(NAME)
    return open_page(NAME)


@pytest.fixture
def bucket(s3_server: S3Server) -> S3Server:
    client = s3_server.client()
    for name, text in OBJECTS.items():
        client.put_object(Bucket=BUCKET, Key=PREFIX + name, Body=text.encode())
    return s3_server


def tab_to(page: Any, words: str) -> None:
    """Press Tab until what has the focus is called so."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == words:
            return
    raise AssertionError(f"no Tab leads to {words!r}")


def connect_bucket(page: Any, bucket: S3Server) -> Any:
    """Connect a bucket, with a wrong secret at first, and return its card."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Integrations").click()
    page.get_by_role("link", name="Connect S3 bucket").click()
    page.get_by_label("Name").fill("Harbour office")
    for label, value in {"Bucket": BUCKET, "Prefix": PREFIX, "Endpoint": bucket.url, "Access key": ACCESS_KEY}.items():
        page.get_by_label(label, exact=True).fill(value)
    secret, verdict = page.get_by_label("Secret key"), page.locator("#verdict")
    for typed, said in (("wrong", "does not accept the credentials"), (SECRET_KEY, "It answers, and shows documents.")):
        secret.fill(typed)
        page.get_by_role("button", name="Test what is typed").click()
        expect(verdict).to_contain_text(said)
        expect(secret).to_have_value(typed)
    page.get_by_role("button", name="Connect").click()
    page.wait_for_url("**/integrations")
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Harbour office"))


def test_a_bucket_is_connected_tested_imported_and_read(page: Any, stack: Stack, bucket: S3Server) -> None:
    card = connect_bucket(page, bucket)
    expect(card.locator(".status").first).to_have_text("Works")

    card.get_by_role("button", name="Import now").click()
    page.wait_for_url("**/imports/*")
    stop = page.get_by_role("button", name="Stop")
    if stop.count():
        stop.focus()  # what has the focus is not taken away, and keeps nothing else from being true
    expect(page.locator("#run .status")).to_have_text("Done", timeout=120_000)  # nobody reloads
    expect(page.locator("#run")).to_contain_text("2 looked at: 2 new")
    expect(page.locator("#announcer")).to_contain_text("ended")
    expect(page.locator("#log")).to_contain_text("moorings.md")
    page.locator("h1").click()
    expect(stop).to_have_count(0)
    before = page.locator("#run").inner_text()
    page.reload()
    assert page.locator("#run").inner_text() == before

    page.get_by_role("link", name="tides.txt", exact=True).click()
    page.get_by_role("tab", name="Origin").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("Imported from")
    page.get_by_role("tab", name="Text").click()
    expect(page.locator("#text")).to_contain_text("High water at Brannock", timeout=120_000)

    page.goto(f"{stack.url}/integrations")
    card.get_by_role("link", name="Edit").click()
    expect(page.get_by_label("Secret key")).to_have_value("")
    assert SECRET_KEY not in page.content()
    page.get_by_text("Remove", exact=False).first.click()
    page.get_by_role("button", name="Remove the connection").click()
    expect(page.locator(".message-success")).to_contain_text("Harbour office was removed")


def test_a_model_with_a_wrong_key_is_told_and_mended_by_keyboard(
    page: Any, stack: Stack, openai_server: OpenAIServer
) -> None:
    page.goto(f"{stack.url}/integrations")
    tab_to(page, "Connect OpenAI-compatible server")
    page.keyboard.press("Enter")
    page.wait_for_url("**/integrations/new?*")
    for label, value in {"Base URL": openai_server.base_url, "Model": MODEL, "Key": "sk-wrong"}.items():
        tab_to(page, label)
        page.keyboard.type(value)
    tab_to(page, "Test what is typed")
    page.keyboard.press("Enter")
    verdict = page.locator("#verdict")
    expect(verdict).to_contain_text("The model's provider does not accept the key.")
    expect(verdict).to_contain_text("Enter a new key under Integrations.")
    assert page.evaluate(FOCUSED) == "Test what is typed"

    page.keyboard.press("Shift+Tab")  # to Connect
    page.keyboard.press("Enter")
    expect(page.locator(".message-error").first).to_contain_text("was saved, but it does not work yet.")
    tab_to(page, "Key")
    page.keyboard.type(KEY)
    tab_to(page, "Save")
    page.keyboard.press("Enter")
    page.wait_for_url("**/integrations")
    expect(page.locator(".message-success")).to_contain_text(f"The model {MODEL} answers.")
    expect(page.get_by_role("list", name="Language models: connected").locator(".status")).to_have_text("Works")


def test_a_wrong_field_is_told_beside_it_without_losing_the_others(page: Any, stack: Stack) -> None:
    page.goto(f"{stack.url}/integrations/new?provider=notion")
    page.get_by_label("Integration secret").fill("ntn_typed")
    page.get_by_label("Every so many minutes").fill("1")
    page.get_by_role("button", name="Test what is typed").click()
    expect(page.locator("#id_value_every_minutes_error")).to_contain_text("from 15 to")
    expect(page.get_by_label("Every so many minutes")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Integration secret")).to_have_value("ntn_typed")
    expect(page.get_by_text("enter them again")).to_have_count(0)


def test_the_pages_fit_a_phone_and_name_their_controls(open_page: Callable[..., Any], stack: Stack) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    page.goto(f"{stack.url}/webhooks")
    page.get_by_label("Address").fill("https://example.org/" + "long/" * 40)
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.locator("#secret-text")).to_contain_text("whsec_")
    page.get_by_role("link", name="I have copied it").click()
    expect(page.locator("#secret-text")).to_have_count(0)
    one = page.url
    page.get_by_text("Delete", exact=True).click()
    question = page.locator(".confirm-box").bounding_box()
    assert question["x"] >= 0
    assert question["x"] + question["width"] <= 390
    for path in (
        one,
        "/webhooks",
        "/integrations",
        *(f"/integrations/new?provider={name}" for name in ("s3", "portkey")),
    ):
        page.goto(path if path == one else stack.url + path)
        assert page.evaluate(SIDEWAYS) <= 0, path
        assert page.evaluate(NAMELESS) == [], path
