"""A hundred payloads wherever users, files and models write: no page takes one for markup, and all are shown as text.

One journey through every page, one as staff through every list of the admin, the sockets live meanwhile; then the
check itself, on pages of a product with a hole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from html import escape, unescape
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote

import pytest

from tests.abuse.xss import FOREIGN, PAYLOADS, Payload
from tests.browser import planting
from tests.browser.conftest import PASSWORD, Watch
from tests.browser.striking import LISTENER, Look, look_at, plain
from tests.openai_server import running_openai_server
from tests.stack import Stack

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(600)]

NAME = "planter"
SLOW = 120_000
EVERY = {one.number for one in PAYLOADS}
READ_IN_PART = ("xyz", "html")  # one cannot be read, the other swallows what follows an open comment
FEWEST_OF_A_MODEL = 20  # what its answer keeps of markup is words; the signs are


@pytest.fixture(scope="module")
def ids(stack: Stack) -> Iterator[dict[str, str]]:
    """What was planted, by name."""
    stack.create_user(NAME, PASSWORD)
    with running_openai_server() as model, closing(stack.client(NAME, PASSWORD)) as client:
        model.answer = planting.sampled_answer
        yield planting.planted(client, model)


class Visitor:
    """Goes from page to page and keeps what struck."""

    def __init__(self, page: Any, origin: str) -> None:
        page.context.add_init_script(LISTENER)
        self.page, self.origin = page, origin
        self.struck: list[str] = []

    def look(self, where: str) -> Look:
        found = look_at(self.page)
        self.struck += [f"{where}: {line}" for line in found.struck]
        return found

    def goto(self, path: str) -> Look:
        self.page.goto(self.origin + path, wait_until="load")
        return self.look(path)


def test_no_page_of_the_users_takes_a_payload_for_markup(
    open_page: Callable[..., Any], stack: Stack, watch: Watch, ids: dict[str, str]
) -> None:
    watch.expected += ["status of 404", "status of 400"]
    visitor = Visitor(open_page(NAME, PASSWORD), stack.url)
    names = [
        one for one in PAYLOADS if any(one.text in name for name in planting.NAMES[:-1])
    ]  # the last is in the trash
    assert len(names) > 40
    live(visitor, stack)
    listed = visitor.goto("/files")
    assert listed.shows(names) == {one.number for one in names}
    files(visitor, ids)
    searches(visitor)
    persona = visitor.goto(f"/personas/{ids['persona']}")
    assert persona.shows(PAYLOADS) == EVERY
    shown = [visitor.goto(path) for path in others(ids)]
    assert [look.text[:100] for look in shown if not re.search(r"xs\d\d\d[ /]", look.text)] == []
    for path in (
        "/nothing/%3Cimg%20struck%20src=x%20onerror=alert(1)%3E",
        "/search?q=a&mode=%3Cb%20struck%3E",
        "/docs",
    ):
        visitor.goto(path)
    assert visitor.struck == []


def live(visitor: Visitor, stack: Stack) -> None:
    """Look at Home and at the list while files with such names come in, by this page and from elsewhere."""
    page = visitor.page
    for path in ("/", "/files"):
        visitor.goto(path)
        name = f"{planting.NAMES[0][:200]} {len(path)}.txt"
        with closing(stack.client(NAME, PASSWORD)) as client:
            client.post("/api/files/upload", files={"file": (name, f"Came by {path}".encode())}).raise_for_status()
        expect(page.get_by_role("link", name=plain(name)).first).to_be_visible(timeout=SLOW)
        visitor.look(f"live {path}")
    picked = f"{planting.NAMES[1][:200]} picked.txt"
    page.locator("#pick-files").set_input_files(
        {"name": picked, "mimeType": "text/html", "buffer": b"Came by this page"}
    )
    row = page.locator("#file-rows .file-row").filter(has_text="picked.txt")
    expect(row.locator("[data-slot=status]")).to_have_text("Ready", timeout=SLOW)
    visitor.look("upload")


def files(visitor: Visitor, ids: dict[str, str]) -> None:
    """Look at every tab of every kind of file; the text has each payload."""
    for kind in planting.contents():
        for tab in ("", "/passages", "/metadata", "/timeline", "/origin"):
            look = visitor.goto(f"/files/{ids[kind]}{tab}")
            if not tab and kind not in READ_IN_PART:
                later = [visitor.goto(f"/files/{ids[kind]}?page={n}") for n in (2, 3)]
                shown = set[int]().union(*(each.shows(PAYLOADS, whole=kind == "txt") for each in (look, *later)))
                assert shown == EVERY, f"{kind}: {sorted(EVERY - shown)}"
    look = visitor.goto(f"/files/{ids['html']}?within=onerror")
    assert look.shows(PAYLOADS, whole=False)
    trashed = visitor.goto(f"/files/{ids['trashed']}")
    assert "in the trash" in trashed.text


def searches(visitor: Visitor) -> None:
    """Ask by the page, in a mode that shows passages and in one that a model answers, and go on with a question."""
    page = visitor.page
    found: set[int] = set()
    for mode in ("basic", "deep"):
        visitor.goto(f"/search?mode={mode}")
        page.get_by_label("What are you looking for?").fill(f"{planting.QUESTION} {PAYLOADS[1].text}")
        page.keyboard.press("Enter")
        expect(page.locator(".hit").first).to_be_visible(timeout=SLOW)
        look = visitor.look(f"search {mode}")
        assert plain(PAYLOADS[1].text) in look.text
        found |= look.shows(PAYLOADS)
    answer = page.locator("section.answer").last
    signs = set(re.findall(r"xs\d\d\d", answer.inner_text()))
    assert len(signs) >= FEWEST_OF_A_MODEL, answer.inner_text()[:500]
    assert found
    page.get_by_label("Ask a follow-up question").fill(PAYLOADS[18].text)
    page.keyboard.press("Enter")
    expect(page.locator(".turns > li").first).to_be_visible(timeout=SLOW)
    visitor.look("conversation")
    page.reload()
    assert plain(PAYLOADS[1].text) in visitor.look("conversation again").text


def others(ids: dict[str, str]) -> tuple[str, ...]:
    """Return the pages on which something planted stands."""
    quoted = "%3Cimg%20struck%20src=x%20onerror=alert(1)%3E"
    return (
        *("/", "/trash", "/personas", "/integrations", "/webhooks", "/account", "/search", "/api/files"),
        *("/api/personas", "/api/integrations", "/api/webhooks", "/api/conversations"),
        *(f"/integrations/{ids['refused']}", f"/integrations/{ids['model']}", f"/webhooks/{ids['webhook']}"),
        *(f"/search?q=xs002%20{quoted}&kinds={quoted}&tags={quoted}", f"/files?name=xs002%20{quoted}&tag={quoted}"),
    )


def test_no_list_of_the_admin_takes_a_payload_for_markup(
    open_page: Callable[..., Any], stack: Stack, ids: dict[str, str]
) -> None:
    page = open_page(*stack.administrator())
    visitor = Visitor(page, stack.url)
    for path in ("/system/status", "/evaluation?name=%3Cimg%20struck%20src=x%20onerror=alert(1)%3E"):
        visitor.goto(path)
    visitor.goto("/admin/")
    lists = page.eval_on_selector_all(
        "#content-main th a", "links => [...new Set(links.map((a) => a.getAttribute('href')))]"
    )
    assert len(lists) > 30
    records = []
    for path in lists:
        look = visitor.goto(path)
        if path == "/admin/search/searchquery/":
            assert len(look.shows(PAYLOADS)) > 80, sorted(EVERY - look.shows(PAYLOADS))
        hostile = page.locator("#result_list tbody tr").filter(has_text=re.compile(r"xs\d\d\d")).first
        if hostile.count():
            records.append(hostile.locator("th a").first.get_attribute("href"))
    assert len(records) > 5
    for path in filter(None, records):
        visitor.goto(path)
    assert visitor.struck == []


ENGINES = ("template", "markdown")
NUMBER = re.compile(r"\d+")
IN_FRAMES = """() => [...document.querySelectorAll("iframe")].filter((frame) => {
    const page = frame.contentDocument;  // null where it went to another host
    const runs = (link) => ["javascript:", "data:", "vbscript:"].includes(link.protocol);
    return page && (page.querySelector("[struck]") || [...page.querySelectorAll("a")].some(runs));
}).map((frame) => frame.name)"""
POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'"


@pytest.fixture
def shown(browser: Any) -> Iterator[Callable[..., tuple[Look, list[str]]]]:
    """Shows a page of a product that need not run, and returns what was found there."""
    contexts: list[Any] = []

    def show(body: str, **headers: str) -> tuple[Look, list[str]]:
        watch, context = Watch("http://product.example"), browser.new_context()
        contexts.append(context)
        watch.follow(context)
        whole = f"<!doctype html><title>T</title><body>{body}</body>"
        context.route("**/*", lambda route: route.fulfill(body="", content_type="text/plain"))
        context.route(
            "http://product.example/page",
            lambda route: route.fulfill(body=whole, content_type="text/html; charset=utf-8", headers=headers),
        )
        page = context.new_page()
        page.add_init_script(LISTENER)
        page.goto("http://product.example/page", wait_until="load")
        page.wait_for_timeout(100)
        return look_at(page), watch.lines

    yield show
    for context in contexts:
        context.close()


def test_payloads_that_are_escaped_strike_nothing_and_are_shown(shown: Callable[..., tuple[Look, list[str]]]) -> None:
    look, lines = shown("".join(f"<p>{escape(one.text)}</p>" for one in PAYLOADS))
    assert (look.struck, lines, look.shows(PAYLOADS)) == ([], [], EVERY)


def test_a_hole_is_found_by_its_elements_its_dialog_and_its_requests(
    shown: Callable[..., tuple[Look, list[str]]],
) -> None:
    look, lines = shown("".join(one.text for one in PAYLOADS[:2]) + f"<img src='//{FOREIGN}/1'>")
    assert any("struck" in line for line in look.struck)
    assert any(line.startswith("dialog: ") for line in lines)
    assert any(line.startswith(f"foreign: http://{FOREIGN}/") for line in lines)


def test_a_hole_is_found_behind_a_content_policy_too(shown: Callable[..., tuple[Look, list[str]]]) -> None:
    look, lines = shown(PAYLOADS[1].text, **{"Content-Security-Policy": POLICY})
    assert any(line.startswith("refused: script-src") for line in look.struck)
    assert any("Content Security Policy" in line for line in lines)


def test_what_is_not_shown_is_missed(shown: Callable[..., tuple[Look, list[str]]]) -> None:
    look, _ = shown("<p>62710561</p>")
    assert (look.shows(PAYLOADS), look.struck) == (set(), ["a template worked it out"])


def places(one: Payload) -> Iterator[str]:
    """Yield pages that take a payload for markup, each at another place or after another decoding."""
    text = bare(one)
    yield from (f'<p title="{text}">', f"<p title='{text}'>", f"<p title={text}>", f"<!-- {text}")
    yield from (f'<a href="{text}">', f'<img src="{text}">', f'<p style="color:{text}">')
    yield from (f"<{tag}>{text}" for tag in ("title", "textarea", "style", "select><option", "svg><![CDATA["))
    yield from (f"<script>v = {quote}{text}{quote}</script>" for quote in "'`")
    yield "<script>v = '" + text.replace("'", "\\'") + "'</script>"
    yield f"<div id=d>{text}</div><script>for (const x of [1, 2]) d.innerHTML = d.innerHTML</script>"
    for decoded in (unescape(text), unquote(text), text.encode().decode("unicode_escape"), normalize("NFKC", text)):
        yield from {decoded, unescape(decoded), unquote(decoded)} - {text}
    yield text.encode("ascii", "ignore").decode("utf-7", "ignore")


def bare(one: Payload) -> str:
    """Return a payload without its sign."""
    return one.text.partition(" ")[2]


@pytest.fixture
def striking(browser: Any) -> Iterator[Callable[[dict[Payload, list[str]]], set[int]]]:
    """Shows pages as frames and returns the numbers of the payloads that struck, in any of them."""
    context = browser.new_context()
    struck: set[int] = set()

    def dialog(shown: Any) -> None:
        struck.update(map(int, NUMBER.findall(shown.message)))
        shown.dismiss()

    def request(asked: Any) -> None:
        struck.update(map(int, NUMBER.findall(asked.url) if FOREIGN in asked.url else ()))

    context.on("dialog", dialog)
    context.on("request", request)
    context.route("**/*", lambda route: route.fulfill(body="", content_type="text/html"))
    page = context.new_page()
    page.goto("http://product.example/")

    def strike(shown: dict[Payload, list[str]]) -> set[int]:
        frames = [
            f'<iframe name="{one.number}" srcdoc="{escape(place)}"></iframe>'
            for one, made in shown.items()
            for place in made
        ]
        page.set_content("".join(frames))
        struck.update(map(int, page.evaluate(IN_FRAMES)))
        return struck

    yield strike
    context.close()


def test_each_payload_strikes_where_a_page_takes_it_for_markup(
    striking: Callable[[dict[Payload, list[str]]], set[int]],
) -> None:
    """Else a hundred of them prove nothing. Those of templates and of Markdown need an engine to strike."""
    struck = striking({one: [bare(one)] for one in PAYLOADS})
    others = [one for one in PAYLOADS if one.number not in struck and one.kind not in ENGINES]
    struck |= striking({one: list(places(one)) for one in others})
    assert [one.text for one in others if one.number not in struck] == []
