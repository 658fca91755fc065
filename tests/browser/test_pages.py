"""Every page: signing in, searching, the account, phones, keyboards, the pages of libraries."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.browser.conftest import PASSWORD, USER, Watch, sign_in
from tests.stack import Stack, wait_for

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(180)]

PAGES = [
    "/",
    "/files",
    "/search",
    "/search?q=wind",
    "/account",
    "/account/password",
    "/trash",
    "/personas",
    "/personas/new",
]


@pytest.fixture(scope="module")
def report(stack: Stack) -> str:
    """The id of a searchable file with many sections."""
    sections = "\n\n".join(
        f"## Berth {n}\n\nThe crane at berth {n} stops when the wind is strong." for n in range(1, 90)
    )
    content = f"# Harbour {uuid.uuid4().hex}\n\n{sections}".encode()
    with closing(stack.client(USER, PASSWORD)) as client:
        file_id: str = client.post("/api/files/upload", files={"file": ("report.md", content)}).json()["id"]
        wait_for("the report", lambda: client.get(f"/api/files/{file_id}").json()["status"] == "ready")
        name = f"{'A long name of a file that is in the trash ' * 4}.txt"
        old: str = client.post("/api/files/upload", files={"file": (name, content + b"old")}).json()["id"]
        assert client.delete(f"/api/files/{old}").status_code == 204
    return file_id


def test_wrong_password_is_said_and_signing_out_locks(page: Any, stack: Stack) -> None:
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/sign-in"))
    page.get_by_label("User name").fill(USER)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is not right.")
    page.goto(f"{stack.url}/account")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=/account"))


def test_a_search_shows_passages_with_marked_words_and_leads_to_their_place(
    page: Any, stack: Stack, report: str
) -> None:
    page.goto(f"{stack.url}/search")
    page.get_by_label("What are you looking for?").fill("crane at berth 77 in strong wind")
    page.keyboard.press("Enter")
    hit = page.locator(".hit").filter(has_text="Berth 77")
    expect(hit.locator("mark").filter(has_text="crane").first).to_be_visible()
    hit.locator(".score summary").click()
    expect(hit.locator(".score-parts")).to_contain_text("cosine")
    hit.get_by_role("link").click()
    found = page.locator("#found")
    expect(found).to_be_in_viewport()
    expect(found).to_contain_text("Berth 77")


def test_nothing_found_and_nothing_asked_have_their_pages(page: Any, stack: Stack) -> None:
    page.goto(f"{stack.url}/search")
    expect(page.get_by_text("Finds passages by what they mean")).to_be_visible()
    page.goto(f"{stack.url}/search?q=%20%00")
    expect(page.get_by_role("searchbox")).to_be_visible()


def test_an_api_key_is_shown_once_and_works_until_revoked(page: Any, stack: Stack) -> None:
    import httpx

    page.goto(f"{stack.url}/account")
    page.get_by_label("Name of a new key").fill("nightly <b>import</b>")
    page.get_by_role("button", name="Make a key").click()
    key = page.locator("#key-text").inner_text()
    headers = {"Authorization": f"Api-Key {key}"}
    assert httpx.get(f"{stack.url}/api/files", headers=headers).status_code == 200
    page.goto(f"{stack.url}/account")
    assert key not in page.content()
    row = page.locator(".row").filter(has_text="nightly <b>import</b>").first
    row.locator("summary").click()
    row.get_by_role("button", name="Revoke the key").click()
    expect(page.locator(".message-success")).to_have_text("The key was revoked.")
    assert httpx.get(f"{stack.url}/api/files", headers=headers).status_code in (401, 403)


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_scrolls_sideways(
    open_page: Callable[..., Any], stack: Stack, report: str, width: int, scheme: str
) -> None:
    page = open_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    for path in [*PAGES, f"/files/{report}"]:
        page.goto(stack.url + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_every_control_has_a_name_and_every_page_one_heading(page: Any, stack: Stack, report: str) -> None:
    for path in [*PAGES, f"/files/{report}"]:
        page.goto(stack.url + path)
        assert page.locator("h1").count() == 1, path
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("button, a[href], input:not([type=hidden]), summary")]
                .filter((e) => e.checkVisibility() && !(e.textContent.trim() || e.labels?.length || e.ariaLabel))
                .map((e) => e.outerHTML)"""
        )
        assert nameless == [], path


def test_the_keyboard_reaches_content_first(page: Any, stack: Stack) -> None:
    page.goto(stack.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_an_unknown_page_says_so(page: Any, watch: Watch, stack: Stack) -> None:
    watch.expected.append("status of 404")
    page.goto(f"{stack.url}/files/00000000-0000-7000-8000-000000000000")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")


def test_pages_of_libraries_keep_the_content_policy(open_page: Callable[..., Any], stack: Stack, watch: Watch) -> None:
    watch.expected.append("status of 405")  # a browser's GET of what takes POST only
    name, password = stack.administrator()
    page = open_page(name, password)
    for path in ("/api/files", "/api/search", "/admin/", "/admin/files/filerecord/", "/docs"):
        page.goto(stack.url + path)
        page.wait_for_load_state("networkidle")
    page.locator(".opblock-summary").first.click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()


def test_a_session_that_ended_is_said(page: Any, stack: Stack, watch: Watch) -> None:
    watch.expected += ["status of 401", "status of 403"]
    expect(page.locator("#connection")).to_have_text("Live")
    page.context.clear_cookies()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#session-ended")).to_be_visible()
    sign_in(page, stack.url)
    expect(page.locator("#connection")).to_have_text("Live")
