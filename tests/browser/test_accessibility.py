"""Every page there is, as `make screenshots` lists them, looked at by axe-core: WCAG 2.2 AA, light and dark.

The watch over the pages (conftest) makes an error in the console, a breach of the content policy and a request to
another host fail the test too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.conftest import PASSWORD, Watch
from tests.openai_server import running_openai_server
from tests.s3_server import S3Server
from tests.screenshots import USER, connected, filled, pages_of, peopled
from tests.stack import Stack

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(600)]

LEVELS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
# Made by libraries: what stands in them is not ours to write.
LIBRARIES = {"admin", "api", "swagger"}


@pytest.fixture(scope="module")
def ids(stack: Stack, s3_server: S3Server) -> Iterator[dict[str, str]]:
    """What the pages are about, by name."""
    stack.create_user(USER, PASSWORD)
    with running_openai_server() as model:
        yield {**filled(stack), **connected(stack, model, s3_server), **peopled(stack)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_wcag_2_2_aa(
    open_page: Callable[..., Any], stack: Stack, ids: dict[str, str], watch: Watch, scheme: str
) -> None:
    watch.expected.append("status of 404")  # of the pages that are for what is not there
    name, password = stack.administrator()
    # Without motion: a colour half-way between two is not what people read.
    looks = {"color_scheme": scheme, "reduced_motion": "reduce"}
    tabs = {
        "": open_page(USER, PASSWORD, **looks),
        USER: open_page(USER, PASSWORD, **looks),
        "admin": open_page(name, password, **looks),
    }
    tabs[""].get_by_role("button", name="Sign out").click()
    found = []
    for page in pages_of(ids):
        tab = tabs[page.user]
        assert tab.goto(stack.url + page.path).status == page.status, page.path
        tab.wait_for_load_state("load")
        if page.name in LIBRARIES:
            continue
        result = axe.Axe().run(tab, options=LEVELS)
        found += [f"{page.name}: {result.generate_report()}"] if result.violations_count else []
    assert not found, "\n".join(found)


def test_axe_sees_what_is_wrong(page: Any) -> None:
    page.evaluate("document.querySelector('h1').innerHTML = '<img src=\"/static/favicon.svg\">'")
    assert "image-alt" in axe.Axe().run(page, options=LEVELS).generate_snapshot()
