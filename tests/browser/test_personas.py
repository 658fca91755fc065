"""Personas in the browser: written, looked at before it is saved, kept, deleted after a question."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stack import Stack

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(180)]


def test_a_persona_from_the_first_word_to_its_deletion(page: Any, stack: Stack) -> None:
    page.goto(f"{stack.url}/personas")
    page.get_by_role("link", name="New persona").click()
    page.get_by_label("Name").fill("Reviewer")
    page.get_by_label("Instructions").fill("Be exact.\nQuote clauses.")
    page.get_by_label("Document").check()
    page.get_by_role("button", name="Show the prompt").click()
    expect(page.locator(".prompt")).to_contain_text("| Quote clauses.")
    expect(page.get_by_label("Document")).to_be_checked()

    page.get_by_label("Question").fill("What stands in clause 1?")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("region", name="Trial answer")).to_contain_text("In mode Deep")
    expect(page.get_by_label("Instructions")).to_have_value("Be exact.\nQuote clauses.")

    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/personas/*-*")
    expect(page.locator(".message-success")).to_have_text("Reviewer was saved.")
    page.get_by_role("button", name="Make it my default").click()
    expect(page.locator(".persona", has_text="Reviewer")).to_contain_text("Your default")

    page.get_by_role("link", name="Reviewer", exact=True).click()
    page.get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name="Delete the persona").click()
    expect(page.locator(".message-success")).to_have_text("Reviewer was deleted.")
    expect(page.get_by_role("link", name="Reviewer", exact=True)).to_have_count(0)
