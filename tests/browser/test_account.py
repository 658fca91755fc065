"""Signing in with a code of a telephone, and by an invitation, as people do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyotp
import pytest

from tests.browser.conftest import PASSWORD, Watch
from tests.stack import Stack

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(300)]

USED = "UPDATE accounts_secondfactor SET last_step = 0"
SIDEWAYS = "() => document.documentElement.scrollWidth - window.innerWidth"


def give_password(page: Any, stack: Stack, name: str) -> None:
    page.goto(f"{stack.url}/sign-in")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/sign-in/code")


def set_up(page: Any, stack: Stack) -> tuple[pyotp.TOTP, list[str]]:
    """Set the second factor up, with a wrong code at first; return the telephone and the recovery codes."""
    page.goto(f"{stack.url}/account")
    page.get_by_role("navigation", name="Parts of this page").get_by_role("link", name="Two-factor").click()
    page.locator("#two-factor").get_by_role("link", name="Set it up").click()
    page.get_by_role("button", name="Set it up").click()
    picture = page.get_by_role("img", name="QR code")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.naturalWidth") > 100, "the content policy lets the picture in"
    totp = pyotp.TOTP(page.locator("#key-text").inner_text().replace(" ", ""))

    code = page.get_by_label("Code that it shows")
    code.fill("000000")
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("alert")).to_contain_text("This code is not right")
    code.fill(totp.now())
    page.get_by_role("button", name="Switch it on").click()
    recovery = page.locator("#codes-text").inner_text().split()
    assert len(recovery) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator("#two-factor .status")).to_have_text("On")
    return totp, recovery


def test_a_second_factor_is_set_up_used_replaced_and_switched_off(open_page: Callable[..., Any], stack: Stack) -> None:
    stack.create_user("frida", PASSWORD)
    page = open_page("frida", PASSWORD)
    totp, recovery = set_up(page, stack)

    page.get_by_role("button", name="Sign out", exact=True).click()
    give_password(page, stack, "frida")
    page.goto(f"{stack.url}/files")
    page.wait_for_url("**/sign-in?next=/files")
    give_password(page, stack, "frida")
    page.get_by_label("Code").fill(recovery[0])
    page.keyboard.press("Enter")
    page.wait_for_url(f"{stack.url}/")

    page.get_by_role("button", name="Sign out", exact=True).click()
    give_password(page, stack, "frida")
    with stack.database() as database:
        database.execute(USED)  # the code of these thirty seconds switched it on
    page.get_by_label("Code").fill(totp.now())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{stack.url}/")

    page.goto(f"{stack.url}/account/two-factor")
    expect(page.locator("main")).to_contain_text("9 of your recovery codes are left.")
    page.locator("#off-password").fill(PASSWORD)
    page.locator("#off-code").fill(recovery[1])
    page.get_by_role("button", name="Switch off").click()
    expect(page.locator(".message-success")).to_contain_text("The second factor is off.")


def test_somebody_who_is_invited_makes_an_account_and_is_shut_out_again(
    open_page: Callable[..., Any], stack: Stack, watch: Watch
) -> None:
    staff = open_page(*stack.administrator())
    staff.get_by_role("navigation", name="Main").get_by_role("link", name="People").click()
    staff.get_by_label("Whom it is for").fill("Nina of the yard")
    staff.get_by_label("Storage in GB").fill("2")
    staff.get_by_role("button", name="Make the link").click()
    link = staff.locator("#link-text").inner_text()
    expect(staff.get_by_role("list")).to_contain_text(["Nina of the yard"])

    guest = open_page()  # a telephone, in which somebody else was signed in
    guest.get_by_role("button", name="Sign out", exact=True).click()
    guest.set_viewport_size({"width": 390, "height": 844})
    guest.goto(link)
    assert guest.evaluate(SIDEWAYS) <= 0
    assert "#" not in guest.url
    expect(guest.get_by_label("Invitation code")).to_have_value(link.split("#")[1])
    guest.get_by_label("User name").fill("nina")
    guest.get_by_label("Password", exact=True).fill(PASSWORD)
    guest.get_by_label("Password confirmation").fill(PASSWORD)
    guest.get_by_role("button", name="Make the account").click()
    guest.wait_for_url(f"{stack.url}/")
    guest.goto(f"{stack.url}/account")
    expect(guest.locator("#storage")).to_contain_text("of 2.0")
    expect(guest.locator("#sessions")).to_contain_text("this one")

    staff.goto(f"{stack.url}/people?q=nina")
    staff.get_by_role("link", name="nina").click()
    staff.get_by_text("Deactivate", exact=True).click()
    staff.get_by_role("button", name="Deactivate the account").click()
    expect(staff.locator(".message-success")).to_contain_text("The account is off")
    watch.expected.append("status of 401")  # the guest's page goes on asking, and is told
    guest.goto(f"{stack.url}/account")
    guest.wait_for_url("**/sign-in?next=/account")
