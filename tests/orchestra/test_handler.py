"""A request runs in one thread, from the first middleware to the view."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest, HttpResponse
from django.urls import path

from orchestra.handler import ThreadHandler

SEEN: list[tuple[str, threading.Thread]] = []


def noting(get_response: Any) -> Any:
    """Middleware that notes its thread before and after the view."""

    def middleware(request: HttpRequest) -> HttpResponse:
        SEEN.append(("before", threading.current_thread()))
        response: HttpResponse = get_response(request)
        SEEN.append(("after", threading.current_thread()))
        return response

    return middleware


def view(request: HttpRequest) -> HttpResponse:
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    SEEN.append(("view", threading.current_thread()))
    return HttpResponse(b"here")


MEETING = threading.Barrier(2, timeout=10)


def meeting(request: HttpRequest) -> HttpResponse:
    """Answer when two requests are here."""
    MEETING.wait()
    SEEN.append(("met", threading.current_thread()))
    return HttpResponse(b"met")


urlpatterns = [path("here", view), path("meeting", meeting)]


async def _get(address: str, handler: ThreadHandler | None = None) -> list[dict[str, Any]]:
    scope = {
        "type": "http",
        "method": "GET",
        "path": address,
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "http_version": "1.1",
    }
    communicator: Any = ApplicationCommunicator(handler or ThreadHandler(), scope)  # type: ignore[no-untyped-call]  # as it comes
    await communicator.send_input({"type": "http.request", "body": b""})
    answer = [await communicator.receive_output(10), await communicator.receive_output(10)]
    await communicator.wait(10)
    return answer


def test_middleware_and_view_share_a_thread(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        f"{__name__}.noting",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
    SEEN.clear()
    start, body = asyncio.run(_get("/here"))
    assert (start["status"], body["body"]) == (200, b"here")
    assert [what for what, _ in SEEN] == ["before", "view", "after"]
    assert len({thread for _, thread in SEEN}) == 1
    assert SEEN[0][1] is not threading.main_thread()
    assert (b"X-Frame-Options", b"DENY") in start["headers"]


def test_the_product_answers(db: None) -> None:
    start, _ = asyncio.run(_get("/api/health/live"))
    assert start["status"] == 200


def test_threads_are_used_again_and_never_by_two_requests_at_once(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [f"{__name__}.noting"]
    SEEN.clear()
    handler = ThreadHandler()

    async def one_after_another() -> None:
        for _ in range(3):
            await _get("/here", handler)
        await asyncio.gather(*(_get("/meeting", handler) for _ in range(2)))

    asyncio.run(one_after_another())
    assert len({thread for what, thread in SEEN if what == "view"}) == 1
    assert len({thread for what, thread in SEEN if what == "met"}) == 2
