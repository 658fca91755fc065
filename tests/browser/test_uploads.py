"""Uploads that are cut, paused, closed with the browser, and go on."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import ARGUMENTS, PASSWORD, USER, Watch, chromium_program, sign_in
from tests.stack import Stack

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(180)]

CHUNK = 64 * 1024
CHUNKS = 20
SLOW = 120_000


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    """A text of 20 chunks."""
    path = tmp_path / f"long-{uuid.uuid4().hex[:6]}.txt"
    line = f"The tide table of harbour {uuid.uuid4().hex} has many rows.\n"
    path.write_text((line * (CHUNKS * CHUNK // len(line) + 1))[: CHUNKS * CHUNK])
    return path


class Valve:
    """Lets a number of chunks through and holds the rest, as a slow line would."""

    def __init__(self, passing: int) -> None:
        self.passing = passing
        self.sent = 0

    def __call__(self, route: Any) -> None:
        """Handle one chunk."""
        if self.sent < self.passing:
            self.sent += 1
            route.continue_()


def persistent(playwright: Any, profile: Path, watch: Watch) -> Any:
    context = playwright.chromium.launch_persistent_context(
        str(profile), executable_path=chromium_program(), args=ARGUMENTS
    )
    context.set_default_timeout(15_000)
    watch.follow(context)
    return context


def card_of(page: Any, name: str) -> Any:
    return page.locator("#upload-cards li").filter(has_text=name)


def status_of(page: Any, name: str) -> Any:
    row = page.locator("#file-rows .file-row").filter(has=page.get_by_role("link", name=name, exact=True))
    return row.locator("[data-slot=status]")


def test_an_upload_goes_on_after_the_browser_was_closed(
    playwright: Any, stack: Stack, watch: Watch, tmp_path: Path, big_file: Path
) -> None:
    context = persistent(playwright, tmp_path / "profile", watch)
    page = context.new_page()
    sign_in(page, stack.url)
    page.route("**/api/files/*/upload", Valve(passing=7))
    page.locator("#pick-files").set_input_files(str(big_file))
    expect(card_of(page, big_file.name).locator("[data-slot=sentence]")).to_contain_text("448.0", timeout=SLOW)
    # What the user chose is gone from the disk: only the browser's own copy can go on.
    big_file.unlink()
    context.close()
    missing = CHUNKS - _chunks_received(stack, big_file.name)
    assert 0 < missing < CHUNKS

    context = persistent(playwright, tmp_path / "profile", watch)
    page = context.new_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    page.goto(f"{stack.url}/files")
    expect(status_of(page, big_file.name)).to_have_text("Ready", timeout=SLOW)
    assert len(sent) == missing, "what had arrived is not sent again"
    expect(page.locator("#upload-cards li")).to_have_count(0)
    context.close()


def _chunks_received(stack: Stack, name: str) -> int:
    """Ask the server: a chunk on its way when the browser closes may still arrive."""
    time.sleep(1)
    client = stack.client(USER, PASSWORD)
    [file] = client.get("/api/files", params={"name": name}).json()["results"]
    received = client.get(f"/api/files/{file['id']}/status").json()["upload"]["received"]
    return int(sum(end - start for start, end in received)) // CHUNK


def test_a_cut_line_is_waited_out(page: Any, watch: Watch, big_file: Path) -> None:
    watch.expected += ["ERR_CONNECTION_RESET"]
    cuts: list[str] = []

    def cut(route: Any) -> None:
        if len(cuts) < 4:
            cuts.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/api/files/*/upload", cut)
    page.locator("#pick-files").set_input_files(str(big_file))
    card = card_of(page, big_file.name)
    expect(card.locator("[data-slot=sentence]")).to_contain_text("The server cannot be reached. Trying again in")
    expect(status_of(page, big_file.name)).to_have_text("Ready", timeout=SLOW)


def test_pause_and_resume_send_nothing_twice(page: Any, big_file: Path) -> None:
    accepted = []
    valve = Valve(passing=5)
    page.on("response", lambda answer: accepted.append(answer) if answer.request.method == "PUT" else None)
    page.route("**/api/files/*/upload", valve)
    page.locator("#pick-files").set_input_files(str(big_file))
    card = card_of(page, big_file.name)
    expect(card.locator("[data-slot=sentence]")).to_contain_text("320.0", timeout=SLOW)
    card.get_by_role("button", name="Pause").click()
    expect(card.locator("[data-slot=sentence]")).to_have_text("Paused at 320.0\u00a0KB of 1.3\u00a0MB")
    valve.passing = 1000
    card.get_by_role("button", name="Resume").click()
    expect(status_of(page, big_file.name)).to_have_text("Ready", timeout=SLOW)
    assert len(accepted) == CHUNKS


def test_cancelling_removes_card_and_file(page: Any, big_file: Path) -> None:
    page.route("**/api/files/*/upload", Valve(passing=2))
    page.locator("#pick-files").set_input_files(str(big_file))
    card = card_of(page, big_file.name)
    expect(card.locator("[data-slot=sentence]")).to_contain_text("128.0", timeout=SLOW)
    card.get_by_role("button", name="Cancel").click()
    expect(card).to_have_count(0)
    expect(status_of(page, big_file.name)).to_have_count(0)
    page.reload()
    expect(page.locator("#upload-cards li")).to_have_count(0)


def test_uploads_go_on_while_one_searches(page: Any, stack: Stack, big_file: Path) -> None:
    page.route("**/api/files/*/upload", Valve(passing=3))
    page.locator("#pick-files").set_input_files(str(big_file))
    expect(card_of(page, big_file.name).locator("[data-slot=sentence]")).to_contain_text("192.0", timeout=SLOW)
    page.unroute("**/api/files/*/upload")
    page.get_by_role("link", name="Search", exact=True).click()
    expect(page.locator("#upload-chip")).to_be_visible()
    expect(page.locator("#upload-chip")).to_be_hidden(timeout=SLOW)
    page.goto(f"{stack.url}/files")
    expect(status_of(page, big_file.name)).to_have_text("Ready", timeout=SLOW)


def test_a_folder_brings_its_files(page: Any, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    (folder / "deep").mkdir(parents=True)
    for place in ("one.txt", "deep/two.txt", ".DS_Store"):
        (folder / place).write_text(f"Report {place} {uuid.uuid4().hex}")
    page.locator("#pick-folder").set_input_files(str(folder))
    for name in ("one.txt", "two.txt"):
        expect(status_of(page, name)).to_have_text("Ready", timeout=SLOW)
    expect(status_of(page, ".DS_Store")).to_have_count(0)


def test_many_files_are_dropped_at_once(page: Any) -> None:
    mark = uuid.uuid4().hex[:6]
    page.evaluate(
        """(mark) => {
          const data = new DataTransfer();
          for (let i = 0; i < 12; i++) data.items.add(new File([`Dropped ${i} ${mark}`], `dropped-${i}-${mark}.txt`));
          document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        mark,
    )
    for number in range(12):
        expect(status_of(page, f"dropped-{number}-{mark}.txt")).to_have_text("Ready", timeout=SLOW)


def test_a_server_that_answers_500_is_asked_again(page: Any, watch: Watch, big_file: Path) -> None:
    watch.expected += ["status of 503"]
    refused: list[Any] = []

    def refuse(route: Any) -> None:
        if len(refused) < 2:
            refused.append(route)
            route.fulfill(status=503, body="<html>Bad gateway</html>")
        else:
            route.continue_()

    page.route("**/api/files/*/upload", refuse)
    page.locator("#pick-files").set_input_files(str(big_file))
    expect(status_of(page, big_file.name)).to_have_text("Ready", timeout=SLOW)


def test_too_large_is_said_before_a_byte_is_sent(open_page: Callable[..., Any], watch: Watch, tmp_path: Path) -> None:
    page = open_page()
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "/upload" in request.url else None)
    huge = tmp_path / "huge.bin"
    with huge.open("wb") as sparse:
        os.truncate(sparse.fileno(), 2 * 1024**3 + 1)
    page.locator("#pick-files").set_input_files(str(huge))
    expect(card_of(page, "huge.bin").locator("[data-slot=sentence]")).to_have_text(
        "This file is larger than this server accepts."
    )
    assert sent == []
    card = card_of(page, "huge.bin")
    expect(card.get_by_role("button", name="Try again")).to_be_hidden()
    card.get_by_role("button", name="Dismiss").click()
    expect(card).to_have_count(0)


def test_a_pause_before_the_first_byte_holds(page: Any, big_file: Path) -> None:
    """The answer to `initiate` comes after the click on Pause."""
    held: list[Any] = []
    page.route("**/api/files/upload/initiate", lambda route: held.append(route))  # noqa: PLW0108  # playwright inspects it
    page.locator("#pick-files").set_input_files(str(big_file))
    card = card_of(page, big_file.name)
    card.get_by_role("button", name="Pause").click()
    held[0].continue_()
    expect(status_of(page, big_file.name)).to_have_text("Uploading")
    page.wait_for_timeout(500)
    expect(card.locator("[data-slot=sentence]")).to_have_text("Paused at 0 bytes of 1.3\u00a0MB")
    card.get_by_role("button", name="Resume").click()
    expect(status_of(page, big_file.name)).to_have_text("Ready", timeout=SLOW)


def test_cancelling_before_the_first_byte_leaves_nothing(page: Any, big_file: Path) -> None:
    held: list[Any] = []
    page.route("**/api/files/upload/initiate", lambda route: held.append(route))  # noqa: PLW0108  # playwright inspects it
    page.locator("#pick-files").set_input_files(str(big_file))
    card_of(page, big_file.name).get_by_role("button", name="Cancel").click()
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
        held[0].continue_()
    assert deleted.value.status == 204
    page.reload()
    expect(status_of(page, big_file.name)).to_have_count(0)


def test_a_file_that_the_browser_did_not_keep_is_asked_for(page: Any, big_file: Path) -> None:
    valve = Valve(passing=4)
    page.route("**/api/files/*/upload", valve)
    page.locator("#pick-files").set_input_files(str(big_file))
    expect(card_of(page, big_file.name).locator("[data-slot=sentence]")).to_contain_text("256.0", timeout=SLOW)
    page.evaluate(
        """() => new Promise((done) => {
          const asked = indexedDB.open("orchestra", 1);
          asked.onsuccess = () => {
            const store = asked.result.transaction("uploads", "readwrite").objectStore("uploads");
            store.getAll().onsuccess = ({ target }) => {
              for (const { file, ...bare } of target.result) store.put(bare);
              store.transaction.oncomplete = done;
            };
          };
        })"""
    )
    page.reload()
    valve.passing = 1000
    card = card_of(page, big_file.name)
    expect(card.locator("[data-slot=sentence]")).to_contain_text("Choose the same file again")
    other = big_file.with_name("other.txt")
    other.write_text("other")
    card.locator("[data-do=choose]").set_input_files(str(other))
    expect(card.locator("[data-slot=sentence]")).to_contain_text("That is another file.")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    card.locator("[data-do=choose]").set_input_files(str(big_file))
    expect(status_of(page, big_file.name)).to_have_text("Ready", timeout=SLOW)
    assert len(sent) == CHUNKS - 4
