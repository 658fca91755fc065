"""The search page in each mode, with no language model: answers, citations, steps, follow-ups, comparison, stopping."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from itertools import product
from typing import Any

import pytest

from tests.stack import Stack, wait_for

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(180)]

NAME, PASSWORD = "explorer", "correct horse battery"
QUESTION = "Who keeps the lighthouse of Brannock?"
MODES = ("Basic", "Deep", "Super deep", "Creative", "Private", "Uncensored")
_SECTIONS = "\n\n".join(f"## Ship {n}\n\nShip {n} came in with wool and left with salt." for n in range(1, 60))
TEXTS = {
    "keeper.md": f"# Log\n\n{_SECTIONS}\n\n## Keeper\n\nThe lighthouse of Brannock is kept by Ada Marlowe since 1911.",
    "rent.txt": "Ada Marlowe pays a rent of forty crowns for the lighthouse of Brannock. The rent is due in March.",
    "lamp.txt": "The lamp of the lighthouse of Brannock burns rape oil. Its lens was ground in Lyon.",
    "bakery.txt": "The bakery sells bread and rolls. Its oven was built in 1911.",
}


NAMELESS = """() => [...document.querySelectorAll("button, a[href], input:not([type=hidden]), select, summary")]
    .filter((e) => e.checkVisibility() && !(e.textContent.trim() || e.labels?.length || e.ariaLabel))
    .map((e) => e.outerHTML)"""


@pytest.fixture(scope="module")
def library(stack: Stack) -> None:
    """Searchable files of a user who may search in every mode."""
    code = (
        "from django.contrib.auth.models import Permission; from orchestra.accounts.models import User; "
        f"user = User.objects.create_user({NAME!r}, password={PASSWORD!r}); "
        "user.user_permissions.add(Permission.objects.get(codename='search_uncensored'))"
    )
    done = stack.manage("shell", "-v0", "-c", code)
    assert done.returncode == 0, done.stderr
    with closing(stack.client(NAME, PASSWORD)) as client:
        for name, text in TEXTS.items():
            client.post("/api/files/upload", files={"file": (name, text.encode())}).raise_for_status()
        wait_for("the files", lambda: client.get("/api/files").json()["counts"].get("ready", 0) >= len(TEXTS))


@pytest.fixture
def search(open_page: Callable[..., Any], stack: Stack, library: None) -> Any:
    """The search page."""
    page = open_page(NAME, PASSWORD)
    page.goto(f"{stack.url}/search")
    return page


def choose(page: Any, mode: str) -> None:
    page.get_by_role("navigation", name="How to search").get_by_role("link", name=re.compile(f"^{mode}")).click()


def ask(page: Any, question: str, mode: str) -> None:
    choose(page, mode)
    page.get_by_label("What are you looking for?").fill(question)
    page.keyboard.press("Enter")


def test_what_was_typed_is_asked_in_each_mode(search: Any) -> None:
    answer, box = search.locator("section.answer"), search.get_by_label("What are you looking for?")
    box.fill(QUESTION)
    for mode in MODES:
        choose(search, mode)
        if mode == "Uncensored":
            expect(box).to_have_value("")  # what was asked in private is asked in no other mode
            box.fill(QUESTION)
            search.keyboard.press("Enter")
        chosen = search.locator(".modes [aria-current]")
        expect(chosen).to_contain_text(mode)
        expect(search.locator(".hit").first).to_be_visible()
        expect(box).to_have_value(QUESTION)
        expect(search.locator(".ledger")).to_have_text("Nothing left this machine.")
        expect(search.locator("#live")).to_be_hidden()
        if mode == "Basic":
            expect(answer).to_have_count(0)
            continue
        expect(answer).to_contain_text("Ada Marlowe")
        expect(answer.locator(".cite").first).to_have_attribute("href", re.compile(r"^/files/.+#found$"))
        assert search.locator(".cite").first.bounding_box()["y"] < search.locator(".hit").first.bounding_box()["y"]
        assert ("q=" in search.url) == (mode != "Private"), search.url
        assert mode != "Private" or search.title() == "Search · Orchestra"


def test_steps_are_shown_where_a_mode_makes_several(search: Any) -> None:
    ask(search, "Brannock", "Super deep")
    steps = search.locator(".steps-made .steps li")
    expect(steps.first).to_be_visible()
    assert steps.count() >= 2
    assert search.locator(".steps-made").bounding_box()["y"] < search.locator("section.answer").bounding_box()["y"]


def test_a_citation_leads_to_the_cited_place(search: Any) -> None:
    ask(search, "Since when does Ada Marlowe keep the lighthouse?", "Deep")
    search.locator("section.answer").get_by_role("link", name="keeper.md").first.click()
    found = search.locator("#found")
    expect(found).to_be_in_viewport()
    expect(search.locator("[data-found]").filter(has_text="since 1911")).to_be_visible()


def test_a_follow_up_is_understood_kept_shown_again_and_deleted(search: Any, stack: Stack) -> None:
    ask(search, QUESTION, "Deep")
    search.get_by_label("Ask a follow-up question").fill("And the rent?")
    search.keyboard.press("Enter")
    expect(search.locator(".looked-for")).to_contain_text("lighthouse")
    expect(search.locator("section.answer").last).to_contain_text("forty crowns")
    expect(search.locator(".turns")).to_contain_text(QUESTION)
    expect(search).to_have_url(re.compile(r"\?conversation=[0-9a-f-]{36}&mode=deep$"))
    search.get_by_label("Ask a follow-up question").fill("And its lamp?")
    search.get_by_role("button", name="Ask", exact=True).click()
    expect(search.locator(".turns > li")).to_have_count(2)
    search.reload()
    expect(search.locator(".turns > li")).to_have_count(3)
    search.goto(f"{stack.url}/search")
    search.get_by_role("link", name=QUESTION).click()
    search.locator(".talk-bar summary").click()
    search.get_by_role("button", name="Delete the conversation").click()
    expect(search.locator(".message-success")).to_have_text("The conversation was deleted.")
    expect(search.get_by_role("link", name=QUESTION)).to_have_count(0)


def test_two_modes_stand_side_by_side(search: Any) -> None:
    search.get_by_role("link", name="Compare two modes").click()
    search.get_by_label("Question").fill(QUESTION)
    search.get_by_label("Another mode").select_option("private")
    search.get_by_role("button", name="Compare").click()
    expect(search.locator(".overlap")).to_contain_text("100 % of the passages")
    one, two = search.locator(".compared > section").all()
    assert one.bounding_box()["y"] == two.bounding_box()["y"]
    expect(one).to_contain_text("This mode writes no answer")
    expect(two.locator(".cite").first).to_be_visible()
    expect(search).to_have_url(re.compile("/search/compare$"))


def test_a_search_under_way_is_stopped_by_button_or_key(search: Any) -> None:
    for by in ("button", "key"):
        search.route("**/search", lambda route: None if route.request.method == "POST" else route.continue_())
        ask(search, QUESTION, "Deep")
        expect(search.get_by_role("region", name="Search under way")).to_be_visible()
        if by == "button":
            search.get_by_role("button", name="Stop").click()
        else:
            search.keyboard.press("Escape")
        expect(search.locator("#live-status")).to_have_text("Stopped.")
        expect(search.get_by_label("What are you looking for?")).to_have_value(QUESTION)
        search.unroute_all(behavior="ignoreErrors")
        search.get_by_role("button", name="Search", exact=True).click()
        expect(search.locator("section.answer")).to_contain_text("Ada Marlowe")


def test_what_is_wrong_is_said_where_the_answer_would_stand(search: Any) -> None:
    ask(search, "-lighthouse", "Deep")
    expect(search.locator("#live-status")).to_contain_text("There is nothing to search for.")
    ask(search, "lighthouse", "Deep")
    expect(search.locator("section.answer")).to_be_visible()
    search.get_by_text("Filters").click()
    search.get_by_label("Spreadsheet").check()
    search.get_by_role("button", name="Search", exact=True).click()
    expect(search.locator(".empty")).to_contain_text("fewer filters")


def test_answers_fit_and_every_control_has_a_name(search: Any, stack: Stack) -> None:
    for width, scheme in product((390, 1440), ("light", "dark")):
        search.set_viewport_size({"width": width, "height": 844})
        search.emulate_media(color_scheme=scheme)
        for path in ("/search?q=lighthouse+of+Brannock&mode=super_deep&kinds=text", "/search/compare"):
            search.goto(stack.url + path)
            assert search.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            assert search.locator("h1").count() == 1, path
            assert search.evaluate(NAMELESS) == [], path
