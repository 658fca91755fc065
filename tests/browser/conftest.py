"""Chromium on the running product.

A page that logs an error, breaks the content policy or asks a foreign host fails its test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.pace import within
from tests.stack import Stack, running_stack

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

USER, PASSWORD = "reader", "correct horse battery"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


def chromium_program() -> str:
    """Return Chromium's path; skip the test where there is none, except in CI, where it must be there."""
    named = os.environ.get("CHROMIUM", "")
    found = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
    if not found and os.environ.get("CI") == "true":
        pytest.fail("CI must have Chromium: apt-get install chromium")
    if not found:
        pytest.skip("no Chromium on this machine: apt-get install chromium, or set CHROMIUM")
    return found


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The product, with small chunks so that a short file is sent in several; it may ask servers on loopback."""
    chromium_program()
    chunk = str(64 * 1024)
    with running_stack(
        "browser", EMBEDDING_ENGINE="hashing", UPLOAD_CHUNK_SIZE=chunk, OUTBOUND_ALLOWED_PRIVATE="127.0.0.1"
    ) as running:
        running.create_user(USER, PASSWORD)
        yield running


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    """Playwright, ended with the module: its event loop would trouble tests that use the database."""
    sync_api.expect.set_options(timeout=within(5_000))
    with sync_api.sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Any) -> Iterator[Any]:
    """A browser for contexts that keep nothing."""
    launched = playwright.chromium.launch(executable_path=chromium_program(), args=ARGUMENTS)
    yield launched
    launched.close()


@dataclass
class Watch:
    """What went wrong in pages. `expected` are parts of lines that a test provokes itself."""

    origin: str
    lines: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def follow(self, context: Any) -> None:
        """Listen to every page of a context."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self.lines.append(f"error: {error.error}"))
        context.on("dialog", self._dialog)
        context.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.lines.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def _dialog(self, dialog: Any) -> None:
        self.lines.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.origin, "data:", "blob:")):
            self.lines.append(f"foreign: {request.url}")

    def check(self) -> None:
        """Fail when anything unexpected was seen."""
        assert [line for line in self.lines if not any(part in line for part in self.expected)] == []


@pytest.fixture
def watch(stack: Stack) -> Iterator[Watch]:
    """The watch over a test's pages, read at its end."""
    watching = Watch(stack.url)
    yield watching
    watching.check()


def sign_in(page: Any, url: str, name: str = USER, password: str = PASSWORD) -> None:
    """Sign in by the page, which leads home, and go on to the file list."""
    page.goto(f"{url}/sign-in")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")
    page.goto(f"{url}/files")


@pytest.fixture
def open_page(browser: Any, stack: Stack, watch: Watch) -> Iterator[Callable[..., Any]]:
    """Opens a page signed in as a user, in a context of its own."""
    contexts: list[Any] = []

    def open_one(name: str = USER, password: str = PASSWORD, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        context.set_default_timeout(within(15_000))
        watch.follow(context)
        page = context.new_page()
        sign_in(page, stack.url, name, password)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    """A signed-in page on the file list."""
    return open_page()


@pytest.fixture
def make_text(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a text file with a name."""

    def make(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return make
