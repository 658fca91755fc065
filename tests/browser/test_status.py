"""The system status page: checks, the socket from this browser, the copied report, charts, widths."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.stack import Stack

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(180)]


def opened(open_page: Callable[..., Any], stack: Stack, **options: Any) -> Any:
    """Return the page, with every check run."""
    page = open_page(*stack.administrator(), **options)
    page.get_by_role("link", name="Status", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("System status")
    expect(page.get_by_role("button", name="Run all again")).to_be_enabled(timeout=120_000)
    expect(page.locator(".check .status", has_text=re.compile("Not checked yet|Checking"))).to_have_count(
        0, timeout=120_000
    )
    return page


def test_every_part_and_the_socket_work_and_the_report_can_be_pasted(
    open_page: Callable[..., Any], stack: Stack
) -> None:
    page = opened(open_page, stack, permissions=["clipboard-read", "clipboard-write"])
    socket = page.get_by_role("article", name="Socket from this browser")
    expect(socket.locator(".status")).to_have_text("Works")
    expect(socket).to_contain_text("/ws/status/ opened")
    for name in ("Database", "Queue", "Worker", "Redis", "Storage", "Sandbox", "Disk", "Vector store"):
        expect(page.get_by_role("article", name=name, exact=True).locator(".status")).to_have_text("Works")

    page.get_by_role("button", name="Copy as JSON for a bug report").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    report = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert report["socket_from_browser"]["ok"]
    assert {check["name"] for check in report["checks"]} >= {"database", "queue", "worker", "disk"}
    assert all(check["ok"] is not None for check in report["checks"])


def test_a_check_is_run_by_keyboard_and_its_time_changes_and_stays(open_page: Callable[..., Any], stack: Stack) -> None:
    page = opened(open_page, stack)
    card = page.get_by_role("article", name="Disk", exact=True)
    before = card.locator("time").get_attribute("datetime")
    page.wait_for_timeout(1100)  # times are shown to the second
    card.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(card.locator("time")).not_to_have_attribute("datetime", before)
    expect(card.get_by_role("button")).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("disk: Works.")
    after = card.locator("time").get_attribute("datetime")
    page.reload()
    expect(card.locator("time")).to_have_attribute("datetime", after)


def test_a_proxy_that_blocks_sockets_is_named(open_page: Callable[..., Any], stack: Stack, watch: Any) -> None:
    watch.expected.append("WebSocket connection to")
    page = open_page(*stack.administrator())
    # An address that answers and opens no socket, as a proxy does that knows of none.
    page.add_init_script(
        "const Real = WebSocket;"
        "WebSocket = class extends Real { constructor(url) { super(url.replace('/ws/status/', '/favicon.ico')); } };"
    )
    page.goto(f"{stack.url}/system/status")
    socket = page.get_by_role("article", name="Socket from this browser")
    expect(socket.locator(".status")).to_have_text("Needs attention", timeout=120_000)
    expect(socket).to_contain_text("does not pass WebSockets on")
    expect(page.locator("#overall")).to_contain_text("attention")


def test_a_proxy_that_holds_messages_back_is_named(open_page: Callable[..., Any], stack: Stack) -> None:
    page = open_page(*stack.administrator())
    page.route_web_socket("**/ws/status/", lambda socket: None)
    page.goto(f"{stack.url}/system/status")
    socket = page.get_by_role("article", name="Socket from this browser")
    expect(socket).to_contain_text("nothing came over it", timeout=120_000)
    expect(socket).to_contain_text("holds messages back")


def test_without_a_script_the_buttons_work(open_page: Callable[..., Any], stack: Stack) -> None:
    page = open_page(*stack.administrator(), java_script_enabled=False)
    page.goto(f"{stack.url}/system/status")
    page.get_by_role("button", name="Run again: disk").click()
    expect(page).to_have_url(f"{stack.url}/system/status#check-disk")
    expect(page.get_by_role("article", name="Disk", exact=True).locator(".status")).to_have_text("Works")


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_fits_and_every_control_has_a_name(open_page: Callable[..., Any], stack: Stack, width: int) -> None:
    page = open_page(*stack.administrator(), viewport={"width": width, "height": 844})
    page.goto(f"{stack.url}/system/status?span=hour")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, a[href], summary, [role=img], [role=region]")]
            .filter((e) => e.checkVisibility() && !(e.textContent.trim() || e.ariaLabel)).map((e) => e.outerHTML)"""
    )
    assert nameless == []


def test_who_is_no_staff_has_neither_link_nor_page(page: Any, stack: Stack, watch: Any) -> None:
    expect(page.get_by_role("link", name="Status", exact=True)).to_have_count(0)
    watch.expected.append("status of 403")
    page.goto(f"{stack.url}/system/status")
    expect(page.get_by_role("heading", level=1)).to_have_text("You may not do this")
