"""The page of one file: tabs by keyboard, the cited place, passages taken out of the search, previews."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from PIL import Image

from tests.browser.conftest import USER, Watch
from tests.stack import Stack, wait_for

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(180)]

WORD = f"quokka{uuid.uuid4().hex[:8]}"


def uploaded(stack: Stack, name: str, content: bytes) -> str:
    """The id of a file that has been read."""
    with closing(stack.client(USER)) as client:
        file_id: str = client.post("/api/files/upload", files={"file": (name, content)}).json()["id"]
        ended = ("ready", "partial", "failed")
        wait_for(f"{name} to be read", lambda: client.get(f"/api/files/{file_id}").json()["status"] in ended)
    return file_id


@pytest.fixture(scope="module")
def report(stack: Stack) -> str:
    """The id of a long file; one of its sections has a word that no other file has."""
    sections = [f"## Berth {n}\n\nThe crane at berth {n} stops when the wind is strong. " * 4 for n in range(1, 70)]
    sections[40] = f"## Animals\n\nA {WORD} was seen near the north jetty, and it was fed."
    return uploaded(stack, "berths.md", "\n\n".join([f"# Harbour {uuid.uuid4().hex}", *sections]).encode())


def test_the_keyboard_alone_goes_through_the_tabs(page: Any, stack: Stack, report: str) -> None:
    page.goto(f"{stack.url}/files/{report}")
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_text(["Text", "Passages", "Metadata", "Timeline", "Origin"])
    page.get_by_role("tab", name="Text").focus()
    for name, heading in (("Passages", "Passages"), ("Metadata", "Metadata"), ("Timeline", "Timeline")):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=name)).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tabpanel", name=name).get_by_role("heading", level=2, name=heading)).to_be_visible()
        expect(page).to_have_url(re.compile(f"/files/{report}/{name.lower()}$"))
    page.keyboard.press("End")
    page.keyboard.press("Space")
    expect(page.get_by_role("tabpanel", name="Origin")).to_contain_text("Uploaded")
    page.reload()
    expect(page.get_by_role("tab", name="Origin")).to_have_attribute("aria-selected", "true")
    page.go_back()
    expect(page.get_by_role("tab", name="Timeline")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".timeline")).to_contain_text("The file can be searched.")


def test_without_a_script_the_tabs_are_links(open_page: Callable[..., Any], stack: Stack, report: str) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"{stack.url}/files/{report}")
    page.get_by_role("navigation", name="About this file").get_by_role("link", name="Metadata").click()
    expect(page.get_by_role("heading", name="Metadata")).to_be_visible()
    expect(page.get_by_role("link", name="Metadata")).to_have_attribute("aria-current", "page")


def test_a_cited_place_is_highlighted_and_in_view(page: Any, stack: Stack, report: str) -> None:
    page.goto(f"{stack.url}/search?q={WORD}")
    page.locator(".hit").first.get_by_role("link").first.click()
    found = page.locator("[data-found]").first
    expect(found).to_be_in_viewport()
    expect(page.locator("[data-found]").filter(has_text=WORD)).to_have_count(1)


def test_words_are_found_within_a_file_and_lead_to_their_place(page: Any, stack: Stack, report: str) -> None:
    page.goto(f"{stack.url}/files/{report}")
    page.get_by_placeholder("Search within this file").fill(WORD.upper())
    page.keyboard.press("Enter")
    expect(page.locator(".segment mark")).to_have_text(WORD)
    page.locator(".segment-place a").click()
    expect(page.locator(":target")).to_contain_text(WORD)
    expect(page.locator(":target")).to_be_in_viewport()


def test_a_disabled_passage_is_found_no_more_and_comes_back(page: Any, stack: Stack, report: str) -> None:
    def hits() -> Any:
        page.goto(f"{stack.url}/search?q={WORD}")
        return page.locator(".hit").filter(has_text=WORD)

    expect(hits()).to_have_count(1)
    page.goto(f"{stack.url}/files/{report}/passages")
    passage = page.locator(".passage").filter(has_text=WORD)
    while not passage.count():
        page.get_by_role("link", name="Next").click()
    passage.get_by_role("button", name=re.compile("^Disable")).click()
    expect(page.locator(".message-success")).to_contain_text("no search finds it")
    expect(passage).to_contain_text("Disabled")
    place = page.url
    expect(hits()).to_have_count(0)
    page.goto(place)
    passage.get_by_role("button", name=re.compile("^Enable")).click()
    expect(page.locator(".message-success")).to_contain_text("searches find it again")
    expect(hits()).to_have_count(1)
    page.goto(f"{stack.url}/files/{report}/timeline")
    expect(page.locator(".timeline")).to_contain_text("was enabled again.")


def test_similar_passages_are_found_over_all_files(page: Any, stack: Stack, report: str) -> None:
    uploaded(stack, "twin.txt", f"The crane at berth 3 stops when the wind is strong. {uuid.uuid4().hex}".encode())
    page.goto(f"{stack.url}/files/{report}/passages")
    page.get_by_role("link", name="Find similar to passage 2", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Similar passages")
    expect(page.locator(".hit")).to_have_count(10)
    expect(page.locator(".hit").filter(has_text="berths.md").first).to_be_visible()


def test_pictures_tables_and_texts_have_a_preview(page: Any, stack: Stack, watch: Watch) -> None:
    pixels = io.BytesIO()
    Image.new("RGB", (40, 30), tuple(uuid.uuid4().bytes[:3])).save(pixels, "PNG")
    picture = uploaded(stack, "dot.png", pixels.getvalue())
    page.goto(f"{stack.url}/files/{picture}")
    assert page.locator(".preview-picture").evaluate("img => img.decode().then(() => img.naturalWidth)") > 0
    table = uploaded(stack, "boats.csv", f"boat,length\nAlbatross,11.2\nDunlin,{uuid.uuid4().int % 1000}\n".encode())
    page.goto(f"{stack.url}/files/{table}")
    preview = page.get_by_label("Preview")
    expect(preview.get_by_role("columnheader")).to_have_text(["boat", "length"])
    expect(preview.get_by_role("cell").first).to_have_text("Albatross")
    text = uploaded(stack, "note.txt", f"Gulls follow the ferry. {uuid.uuid4().hex}".encode())
    page.goto(f"{stack.url}/files/{text}")
    expect(preview).to_contain_text("Gulls follow the ferry.")


def test_a_file_in_the_trash_says_so_and_comes_back(page: Any, stack: Stack, watch: Watch) -> None:
    watch.expected.append("status of 404")
    file_id = uploaded(stack, "trashed.txt", f"Seals rest on the sandbank. {uuid.uuid4().hex}".encode())
    with closing(stack.client(USER)) as client:
        client.delete(f"/api/files/{file_id}")
    page.goto(f"{stack.url}/files/{file_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("This file is in the trash")
    page.get_by_role("button", name="Restore it").click()
    expect(page.locator(".message-success")).to_have_text("trashed.txt was restored.")
    page.goto(f"{stack.url}/files/{file_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("trashed.txt")
