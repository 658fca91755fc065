"""The home page: the first run of a newcomer, and what changes while the page is open."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.browser.conftest import PASSWORD
from tests.stack import Stack

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(180)]

SLOW = 120_000  # a worker reads files meanwhile


@pytest.fixture
def newcomer(stack: Stack, open_page: Callable[..., Any]) -> tuple[str, Any]:
    """The name of a user without files, and their page on Home."""
    name = f"newcomer-{uuid.uuid4().hex[:8]}"
    stack.create_user(name, PASSWORD)
    page = open_page(name)
    page.get_by_label("Main").get_by_role("link", name="Home").click()
    return name, page


def tile(page: Any, label: str) -> Any:
    return page.locator(".tile").filter(has_text=label).locator("dd")


def test_a_newcomer_comes_from_the_sample_set_to_a_found_passage(newcomer: tuple[str, Any]) -> None:
    _, page = newcomer
    expect(page.get_by_role("heading", name="Three steps to the first answer")).to_be_visible()
    page.get_by_role("button", name="Try it with a sample set").click()
    expect(page.locator(".message-success")).to_contain_text("5 sample files are being read.")
    expect(tile(page, "Searchable")).to_have_text("5 of 5", timeout=SLOW)
    expect(page.get_by_text("All files can be searched.")).to_be_visible()
    shown = page.locator("#home").inner_text()
    page.reload()
    assert page.locator("#home").inner_text() == shown
    page.get_by_role("link", name="when is the crane inspected").click()
    hit = page.locator(".hit").filter(has_text="Crane handbook.md").first
    hit.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Crane handbook.md")
    expect(page.locator("[data-found]").first).to_be_in_viewport()
    page.get_by_label("Main").get_by_role("link", name="Home").click()
    expect(page.get_by_label("Recent searches").get_by_role("link", name="when is the crane inspected")).to_have_count(
        2
    )


def test_an_open_home_page_follows_what_happens_elsewhere(newcomer: tuple[str, Any], stack: Stack) -> None:
    name, page = newcomer
    expect(page.locator("#connection")).to_have_text("Live")
    with closing(stack.client(name, PASSWORD)) as client:
        client.post("/api/files/upload", files={"file": ("tides.txt", b"High tide comes twice a day.")})
        expect(tile(page, "Searchable")).to_have_text("1 of 1", timeout=SLOW)
        expect(page.get_by_label("Recent files").get_by_role("link", name="tides.txt")).to_be_visible()
        sent = client.post("/api/files/upload", files={"file": ("broken.pdf", b"%PDF-1.4 cut off")})
        expect(page.get_by_role("heading", name="1 file could not be read")).to_be_visible(timeout=SLOW)
        page.get_by_role("button", name="Retry all").click()
        expect(page.locator(".message-success")).to_have_text("1 file will be read again.")
        expect(page.get_by_role("heading", name="1 file could not be read")).to_be_visible(timeout=SLOW)
        assert client.delete(f"/api/files/{sent.json()['id']}").status_code == 204
        expect(tile(page, "Failed")).to_have_text("0")


def test_a_file_dropped_on_home_is_uploaded_there(newcomer: tuple[str, Any], tmp_path: Any) -> None:
    _, page = newcomer
    path = tmp_path / "dropped.txt"
    path.write_text("Lighthouse keepers write a log.")
    page.locator("#pick-files").set_input_files(str(path))
    expect(tile(page, "Searchable")).to_have_text("1 of 1", timeout=SLOW)


def test_without_a_script_home_works_too(newcomer: tuple[str, Any], open_page: Callable[..., Any]) -> None:
    name, _ = newcomer
    page = open_page(name, java_script_enabled=False)
    page.get_by_label("Main").get_by_role("link", name="Home").click()
    page.get_by_role("button", name="Try it with a sample set").click()
    expect(page.locator(".file-row")).to_have_count(5)
    page.get_by_label("What are you looking for?").fill("dredging")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=dredging")
