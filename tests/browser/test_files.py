"""The file list and the file page, as people use them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import USER, Watch
from tests.stack import Stack

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(180)]

SLOW = 120_000  # a worker reads the file meanwhile
MakeText = Callable[[str, str], Path]


def unique(text: str) -> str:
    """Return content that no other test has uploaded."""
    return f"{text} {uuid.uuid4().hex}"


def upload(page: Any, *paths: Path) -> None:
    page.locator("#pick-files").set_input_files([str(path) for path in paths])


def row_of(page: Any, name: str) -> Any:
    return page.locator("#file-rows .file-row").filter(has=page.get_by_role("link", name=name, exact=True))


def test_an_uploaded_file_becomes_ready_before_ones_eyes_and_is_right_after_a_reload(
    page: Any, make_text: MakeText
) -> None:
    expect(page.locator("#connection")).to_have_text("Live")
    upload(page, make_text("harbour.txt", unique("The harbour master stops the cranes when the wind rises.")))
    row = row_of(page, "harbour.txt")
    expect(row.locator("[data-slot=status]")).to_have_text("Ready", timeout=SLOW)
    expect(row.locator("[data-slot=detail]")).to_have_text("1 passage.")
    shown = row.locator(".file-state").inner_text()
    page.reload()
    assert row_of(page, "harbour.txt").locator(".file-state").inner_text() == shown
    expect(page.locator("#upload-cards li")).to_have_count(0)


def test_a_failed_file_says_why_and_what_to_do(page: Any, tmp_path: Path) -> None:
    broken = tmp_path / "picture.xyz"
    # What is different each time stands last: as a beginning it might now and then be that of some type.
    broken.write_bytes(bytes(range(256)) * 4 + uuid.uuid4().bytes)
    upload(page, broken)
    row = row_of(page, "picture.xyz")
    expect(row.locator("[data-slot=status]")).to_have_text("Failed", timeout=SLOW)
    expect(row.locator("[data-slot=detail]")).not_to_be_empty()
    expect(row.locator("[data-slot=hint]")).to_be_visible()
    expect(row.get_by_role("button", name="Read again")).to_be_visible()


def test_a_hostile_name_is_only_a_name(page: Any, make_text: MakeText) -> None:
    name = "<img src=x onerror=alert(1)>.txt"
    upload(page, make_text(name, unique("Lighthouses stand on the northern coast.")))
    row = row_of(page, name)
    expect(row.locator("[data-slot=status]")).to_have_text("Ready", timeout=SLOW)
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.goto(page.url.split("/files/")[0] + "/search?q=lighthouses+northern+coast")
    expect(page.locator(".hit-title").first).to_have_text(name)
    assert page.locator("img").count() == 0


def test_the_same_content_again_is_already_here(page: Any, make_text: MakeText) -> None:
    content = unique("A colony that loses its queen raises a new one.")
    upload(page, make_text("bees.txt", content))
    expect(row_of(page, "bees.txt").locator("[data-slot=status]")).to_have_text("Ready", timeout=SLOW)
    upload(page, make_text("bees again.txt", content))
    card = page.locator("#upload-cards li").filter(has_text="bees again.txt")
    expect(card.locator("[data-slot=sentence]")).to_contain_text("Already here")
    card.get_by_role("link", name="Open").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("bees.txt")


def test_a_file_deleted_elsewhere_vanishes(page: Any, stack: Stack, make_text: MakeText) -> None:
    upload(page, make_text("short-lived.txt", unique("Mayflies live for a day.")))
    row = row_of(page, "short-lived.txt")
    expect(row.locator("[data-slot=status]")).to_have_text("Ready", timeout=SLOW)
    with closing(stack.client(USER)) as client:
        assert client.delete(f"/api/files/{row.get_attribute('data-file')}").status_code == 204
    expect(row).to_have_count(0)


def test_deleting_asks_first_and_needs_no_script(open_page: Callable[..., Any], make_text: MakeText) -> None:
    page = open_page()
    upload(page, make_text("to-delete.txt", unique("Nobody needs this.")))
    expect(row_of(page, "to-delete.txt").locator("[data-slot=status]")).to_have_text("Ready", timeout=SLOW)
    plain = open_page(java_script_enabled=False)
    row = row_of(plain, "to-delete.txt")
    expect(row.get_by_role("button", name="Delete the file")).to_be_hidden()
    row.locator("summary").click()
    row.get_by_role("button", name="Delete the file").click()
    expect(plain.locator(".message-success")).to_have_text(
        "to-delete.txt is in the trash, and can be restored for 30 days."
    )
    expect(row_of(plain, "to-delete.txt")).to_have_count(0)
    expect(row_of(page, "to-delete.txt")).to_have_count(0)


def test_what_was_deleted_comes_back_from_the_trash(page: Any, make_text: MakeText) -> None:
    content = unique("Storks come back every spring.")
    upload(page, make_text("storks.txt", content))
    row = row_of(page, "storks.txt")
    expect(row.locator("[data-slot=status]")).to_have_text("Ready", timeout=SLOW)
    row.locator("summary").click()
    row.get_by_role("button", name="Delete the file").click()
    expect(row).to_have_count(0)
    page.locator(".message-success").get_by_role("link", name="trash").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Trash")
    trashed = page.locator(".trash-row").filter(has_text="storks.txt")
    trashed.get_by_role("button", name="Restore storks.txt").click()
    expect(page.locator(".message-success")).to_have_text("storks.txt was restored.")
    page.get_by_label("Where you are").get_by_role("link", name="Files").click()
    expect(row_of(page, "storks.txt").locator("[data-slot=status]")).to_have_text("Ready")


def test_uploading_what_is_in_the_trash_brings_it_back(page: Any, stack: Stack, make_text: MakeText) -> None:
    content = unique("Cranes come back every spring.")
    upload(page, make_text("cranes.txt", content))
    expect(row_of(page, "cranes.txt").locator("[data-slot=status]")).to_have_text("Ready", timeout=SLOW)
    with closing(stack.client(USER)) as client:
        assert client.delete(f"/api/files/{row_of(page, 'cranes.txt').get_attribute('data-file')}").status_code == 204
    expect(row_of(page, "cranes.txt")).to_have_count(0)
    upload(page, make_text("cranes.txt", content))
    card = page.locator("#upload-cards li").filter(has_text="cranes.txt").last
    expect(card.locator("[data-slot=sentence]")).to_contain_text("Back from the trash")
    expect(row_of(page, "cranes.txt")).to_have_count(1)


def test_without_a_socket_the_page_polls_and_says_so(page: Any, stack: Stack, make_text: MakeText) -> None:
    page.route_web_socket(re.compile("/ws/status/"), lambda socket: socket.close())
    page.reload()
    expect(page.locator("#connection")).to_have_text("Polling", timeout=SLOW)
    content = unique("Salmon return to the river of their birth.").encode()
    with closing(stack.client(USER)) as client:
        sent = client.post("/api/files/upload", files={"file": ("salmon.txt", content)})
        assert sent.status_code == 201
    expect(row_of(page, "salmon.txt").locator("[data-slot=status]")).to_have_text("Ready", timeout=SLOW)


def test_a_lost_socket_comes_back(page: Any) -> None:
    expect(page.locator("#connection")).to_have_text("Live")
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_have_text("Offline", timeout=SLOW)
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_have_text("Live", timeout=SLOW)


@pytest.fixture(autouse=True)
def _offline_is_expected(request: pytest.FixtureRequest, watch: Watch) -> None:
    if "lost_socket" in request.node.name or "without_a_socket" in request.node.name:
        watch.expected += ["ERR_INTERNET_DISCONNECTED", "WebSocket connection"]


def test_the_file_page_follows_its_file(page: Any, make_text: MakeText) -> None:
    upload(page, make_text("followed.txt", unique("Storks fly to Africa in August.")))
    row_of(page, "followed.txt").get_by_role("link").click()
    expect(page.locator("#file-page [data-slot=status]")).to_have_text("Ready", timeout=SLOW)
    expect(page.locator(".segment-text").first).to_contain_text("Storks fly to Africa")
    page.get_by_role("tab", name="Timeline").click()
    expect(page.locator(".timeline")).to_contain_text("The file can be searched.")
    page.get_by_role("button", name="Read again").click()
    expect(page.locator(".timeline")).to_contain_text("Processing was asked for again.")
    expect(page.locator("#file-page [data-slot=status]")).to_have_text("Ready", timeout=SLOW)


def test_filters_and_counts(page: Any, make_text: MakeText) -> None:
    upload(page, make_text("filtered.txt", unique("Ferries cross the strait.")))
    expect(row_of(page, "filtered.txt").locator("[data-slot=status]")).to_have_text("Ready", timeout=SLOW)
    expect(page.locator("#counts")).to_have_text(re.compile(r"\d+ of \d+ searchable"))
    page.get_by_role("searchbox").fill("FILTERED")
    page.keyboard.press("Enter")
    expect(page.locator("#file-rows > li")).to_have_count(1)
    page.get_by_role("searchbox").fill("no such name")
    page.keyboard.press("Enter")
    expect(page.locator("#no-files")).to_contain_text("No file matches this filter.")
