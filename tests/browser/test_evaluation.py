"""The evaluation pages: from a question to a measured run, on a desk and on a phone, without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.stack import Stack, wait_for

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(180)]

TEXTS = {
    "harbour.txt": "The crane at the berth stops when the wind is strong.",
    "a rather long name of a report that somebody once wrote about the tides of the harbour.txt": "Tides rise twice.",
    "tea.txt": "Green tea is steeped at eighty degrees.",
}


@pytest.fixture(scope="module")
def library(stack: Stack) -> None:
    """Searchable files of the administrator's."""
    with closing(stack.client(*stack.administrator())) as client:
        for name, text in TEXTS.items():
            client.post("/api/files/upload", files={"file": (name, text.encode())}).raise_for_status()
        wait_for("the files", lambda: client.get("/api/files").json()["counts"].get("ready", 0) >= len(TEXTS))


def add(page: Any, stack: Stack, question: str, part: str, file_name: str) -> None:
    page.goto(f"{stack.url}/evaluation")
    page.get_by_label("Question", exact=True).fill(question)
    page.get_by_label("Part of a file's name").fill(part)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Question", exact=True)).to_have_value(question)
    page.get_by_label(file_name).check()
    page.get_by_role("button", name="Add the question").click()
    expect(page.locator(".message-success")).to_have_text("The question was added.")


@pytest.mark.parametrize("script", [True, False])
def test_a_question_is_added_measured_and_deleted(
    open_page: Callable[..., Any], stack: Stack, library: None, script: bool
) -> None:
    page = open_page(*stack.administrator(), java_script_enabled=script)
    page.get_by_role("link", name="Evaluation").click()
    add(page, stack, "When does the crane stop?", "harb", "harbour.txt 5")
    add(page, stack, "How hot is green tea made?", "", "tea.txt")
    form = page.get_by_role("group", name="Compared with")
    form.get_by_label("Mode").select_option("basic")
    form.get_by_label("Weight").fill("0")
    page.get_by_role("button", name=re.compile("Measure with")).click()
    expect(page).to_have_url(re.compile("/evaluation/runs/"))
    row = page.get_by_role("row").filter(has_text="MRR@10").first
    expect(row.get_by_role("cell").nth(1)).to_have_text("1.000")
    expect(page.get_by_role("region", name="Table of questions")).to_contain_text("How hot is green tea made?")
    page.get_by_role("link", name="Evaluation").first.click()
    expect(page.get_by_role("region", name="Table of earlier runs")).to_contain_text("basic, weight 0, depth 100")
    for question in ("When does the crane stop?", "How hot is green tea made?"):
        entry = page.locator(".row").filter(has_text=question)
        entry.locator("summary").click()
        entry.get_by_role("button", name="Delete the question").click()
    expect(page.get_by_text("No questions yet.")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_and_every_control_has_a_name(
    open_page: Callable[..., Any], stack: Stack, library: None, width: int, scheme: str
) -> None:
    page = open_page(*stack.administrator(), viewport={"width": width, "height": 844}, color_scheme=scheme)
    question = f"What is told of the tides of the harbour, {scheme} at {width}?"
    add(page, stack, question, "somebody", "a rather long name")
    page.get_by_role("group", name="Compared with").get_by_label("Mode").select_option("basic")
    page.get_by_role("button", name=re.compile("Measure with")).click()
    expect(page).to_have_url(re.compile("/evaluation/runs/"))
    for path in (page.url, f"{stack.url}/evaluation"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert page.locator("h1").count() == 1, path
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("button, a[href], input:not([type=hidden]), select, summary")]
                .filter((e) => e.checkVisibility() && !(e.textContent.trim() || e.labels?.length || e.ariaLabel))
                .map((e) => e.outerHTML)"""
        )
        assert nameless == [], path


def test_who_is_no_staff_has_neither_link_nor_page(page: Any, stack: Stack, watch: Any) -> None:
    expect(page.get_by_role("link", name="Evaluation")).to_have_count(0)
    watch.expected.append("status of 403")
    page.goto(f"{stack.url}/evaluation")
    expect(page.get_by_role("heading", level=1)).to_have_text("You may not do this")
