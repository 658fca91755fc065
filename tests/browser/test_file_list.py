"""The list of files by keyboard alone: filter, choose, tag, save the view; and what stays true while it is open."""

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

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(300)]

SLOW = 60_000  # a worker reads files meanwhile
NAMES = ("yard rules.txt", "yard cranes.txt", "harbour.txt")


@pytest.fixture
def keeper(stack: Stack, open_page: Callable[..., Any]) -> tuple[str, Any]:
    """The name of a user with three files, and their page on Files."""
    name = f"keeper-{uuid.uuid4().hex[:8]}"
    stack.create_user(name, PASSWORD)
    with closing(stack.client(name, PASSWORD)) as client:
        for file in NAMES:
            client.post("/api/files/upload", files={"file": (file, f"About {file}.".encode())}).raise_for_status()
    page = open_page(name)
    page.goto(f"{stack.url}/files")
    expect(page.locator("#file-rows [data-slot=status]")).to_have_text(["Ready"] * 3, timeout=SLOW)
    return name, page


def test_many_files_are_tagged_and_a_view_is_saved_by_keyboard_alone(keeper: tuple[str, Any]) -> None:
    _, page = keeper
    keys = page.keyboard
    keys.press("/")
    keys.type("yard")  # the letters of shortcuts are only letters in a field
    keys.press("Enter")
    expect(page.locator("#file-rows > li")).to_have_count(2)
    expect(page.locator("#found")).to_contain_text("2 files match")
    expect(page.locator("#selection")).to_be_hidden()
    for key in ("j", "x", "ArrowDown", "x"):
        keys.press(key)
    expect(page.locator("#selection-count")).to_have_text("2 chosen")
    expect(page.locator("#announcer")).to_contain_text("2 chosen")
    page.locator("#selection summary", has_text="Tag").press("Enter")
    page.locator("#with-tag").press_sequentially("lift")
    page.get_by_role("button", name="Add the tag").press("Enter")
    expect(page.locator(".message-success")).to_have_text("2 files are tagged.")
    expect(page.locator("#file-rows .tag")).to_have_text(["lift", "lift"])
    page.locator("summary", has_text="Save this view").press("Enter")
    page.get_by_label("Name of the view").press_sequentially("The yard")
    keys.press("Enter")
    expect(page.locator(".message-success")).to_contain_text("was saved.")
    page.reload()
    view = page.get_by_label("Saved views").get_by_role("link", name="The yard")
    expect(view).to_have_attribute("aria-current", "true")
    expect(page.locator("#file-rows > li")).to_have_count(2)
    keys.press("k")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(NAMES[0])


def test_a_file_that_no_longer_matches_is_marked_and_stays(keeper: tuple[str, Any], stack: Stack) -> None:
    name, page = keeper
    page.goto(f"{stack.url}/files?name=yard")
    expect(page.locator("#connection")).to_have_text("Live")
    row = page.locator("#file-rows > li").filter(has=page.get_by_role("link", name=NAMES[0], exact=True))
    with closing(stack.client(name, PASSWORD)) as client:
        address = f"/api/files/{row.get_attribute('data-file')}"
        client.patch(address, json={"name": "moved.txt"}).raise_for_status()
    row = page.locator("#file-rows > li").filter(has_text="moved.txt")
    expect(row.locator("[data-slot=left]")).to_be_visible(timeout=SLOW)
    expect(page.locator("#left-files")).to_contain_text("1 file here no longer matches the filters.")
    page.get_by_role("link", name="Refresh the list").click()
    expect(page.locator("#file-rows > li")).to_have_count(1)


def test_the_shortcuts_of_a_page_are_listed_and_can_be_switched_off(keeper: tuple[str, Any]) -> None:
    _, page = keeper
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts on this page")
    expect(dialog.locator("dd")).to_contain_text(["Filter by name", "Next file", "This list"])
    dialog.get_by_label("Shortcuts are on in this browser").press("Space")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.reload()
    page.locator("#main").focus()
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    expect(page.locator("#main")).to_be_focused()
    page.get_by_role("button", name="Keyboard shortcuts").press("Enter")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Shortcuts are on in this browser")).not_to_be_checked()


def test_a_grid_shows_files_and_new_ones_come_in(keeper: tuple[str, Any], tmp_path: Any) -> None:
    _, page = keeper
    page.get_by_role("button", name="Grid").click()
    expect(page.locator("#file-rows")).to_have_attribute("data-layout", "grid")
    path = tmp_path / "new.txt"
    path.write_text(f"A new one. {uuid.uuid4()}")
    page.locator("#pick-files").set_input_files(str(path))
    expect(page.locator("#file-rows [data-slot=status]")).to_have_text(["Ready"] * 4, timeout=SLOW)
    row = page.locator("#file-rows > li").first
    expect(row.locator("[data-slot=ending]")).to_have_text("TXT")
    row.get_by_role("checkbox", name="Choose new.txt").check()
    expect(page.locator("#selection-count")).to_have_text("1 chosen")
    page.get_by_role("checkbox", name="All on this page").check()
    expect(page.locator("#selection-count")).to_have_text("4 chosen")
    page.get_by_label("Which files").select_option("matching")
    page.get_by_role("button", name="Read again").last.click()
    expect(page.locator(".message-success")).to_contain_text("4 files are queued again.")
