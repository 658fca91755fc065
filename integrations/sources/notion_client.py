"""Notion's protocol: requests at the pace that it allows, lists by cursor, refusals in our words.

The version of the API is pinned: a later one gives other shapes. Every request goes over the guarded client.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

from integrations.sources.base import Patience, SourceItemGone, SourceKeyRefused, SourceStrange, SourceUnavailable
from orchestra.common.outbound import client
from orchestra.common.outbound.client import Answer, Call
from orchestra.common.outbound.errors import OutboundFailed, OutboundRefused, OutboundTooLong

BASE_URL = "https://api.notion.com/v1"
VERSION = "2025-09-03"
Json = dict[str, Any]

_PURPOSE = "import from Notion"
PAUSE = 0.34  # seconds: three requests in one of them
_TRIES = 4
_LONGEST_PAUSE = 60.0
_SECONDS = 30.0
_MOST_BYTES = 16 * 1024**2
_PAGE_SIZE = 100
_AGAIN = (409, 429, 500, 502, 503, 504, 529)
_LONGEST_CURSOR = 2_000


class NotionClient:
    """Asks one question after the other, at most three in a second; `pause` in seconds is what lies between two."""

    def __init__(self, token: str, patience: Patience, *, pause: float | None = None) -> None:
        self._token = token
        self._patience = patience
        self._pause = PAUSE if pause is None else pause
        self._next_at = 0.0
        self.received = 0
        """Bytes of all answers so far."""
        self.answered_at: datetime | None = None
        """Notion's own time at its last answer."""

    def get(self, path: str) -> Json:
        """Return an object. Raises SourceItemGone, SourceUnavailable or what is below it."""
        return self._asked("GET", path, None)

    def listed(self, path: str, body: Mapping[str, Any] | None = None, *, most: int) -> Iterator[Json]:
        """Yield the objects of a list, page after page; with `body` it is a question, sent by POST.

        A list that does not end after `most` objects, or comes back to a cursor, raises SourceStrange.
        """
        cursor, known, count = "", set[str](), 0
        while True:
            answer = self._page(path, body, cursor)
            for entry in objects(answer.get("results")):
                count += 1
                if count > most:
                    raise SourceStrange("The service's list is longer than is taken.")
                yield entry
            cursor = text(answer.get("next_cursor"))
            if answer.get("has_more") is not True or not cursor:
                return
            # Pages may be empty, so that the number of objects alone would let a list go on for ever.
            if cursor in known or len(cursor) > _LONGEST_CURSOR or len(known) * _PAGE_SIZE > most + _PAGE_SIZE * 10:
                raise SourceStrange("The service's list does not end.")
            known.add(cursor)

    def _page(self, path: str, body: Mapping[str, Any] | None, cursor: str) -> Json:
        if body is not None:
            start = {"start_cursor": cursor} if cursor else {}
            return self._asked("POST", path, {**body, "page_size": _PAGE_SIZE, **start})
        start_at = f"&start_cursor={quote(cursor, safe='')}" if cursor else ""
        return self._asked("GET", f"{path}?page_size={_PAGE_SIZE}{start_at}", None)

    def _asked(self, method: str, path: str, body: Json | None) -> Json:
        for tried in range(_TRIES):
            sleep(max(0.0, self._next_at - monotonic()))
            answer = self._answer(method, path, body)
            self.received += len(answer.body) if answer is not None else 0
            self._next_at = monotonic() + self._pause
            if answer is not None and answer.status == 200:
                self.answered_at = _time(answer.headers.get("date", ""))
                return _object_of(answer)
            if answer is not None and answer.status not in _AGAIN:
                raise _refused(answer.status)
            wait = _wait(answer, tried)
            if wait > min(_LONGEST_PAUSE, self._patience.left()):
                break
            self._next_at = monotonic() + max(wait, self._pause)
        raise SourceUnavailable

    def _answer(self, method: str, path: str, body: Json | None) -> Answer | None:
        """Return the answer, None where there is none and there may be one soon."""
        headers = {"Authorization": f"Bearer {self._token}", "Notion-Version": VERSION}
        content = b""
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        seconds = min(_SECONDS, self._patience.left())
        call = Call(BASE_URL + path, _PURPOSE, method, headers, content, seconds, _MOST_BYTES)
        try:
            return client.fetch(call)
        except OutboundRefused as exc:
            raise SourceUnavailable(exc.message, hint=exc.hint) from exc
        except OutboundTooLong as exc:
            raise SourceStrange from exc
        except OutboundFailed:
            return None

    def settled(self, edited: str) -> bool:
        """Tell whether an edit is so long ago that a later one has another time: Notion's times are whole minutes."""
        try:
            at = datetime.fromisoformat(edited)
        except ValueError:
            return True
        now = self.answered_at
        return now is None or at.tzinfo is None or now - at > timedelta(minutes=2)


def text(value: object) -> str:
    """Return a string of an answer; empty for whatever is none."""
    return value if isinstance(value, str) else ""


def mapping(value: object) -> Json:
    """Return an object of an answer; empty for whatever is none."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    """Return the objects of a list of an answer, without what is none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _object_of(answer: Answer) -> Json:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError) as exc:
        raise SourceStrange from exc
    if not isinstance(found, dict):
        raise SourceStrange
    return found


def _refused(status: int) -> Exception:
    if status in (401, 403):
        return SourceKeyRefused()
    return SourceItemGone() if status == 404 else SourceStrange(status=status)


def _wait(answer: Answer | None, tried: int) -> float:
    """Return how many seconds to wait: as long as the service says, else longer each time."""
    said = answer.headers.get("retry-after", "") if answer is not None else ""
    return float(said) if said.isascii() and said.isdecimal() and len(said) < 6 else 0.5 * 2**tried


def _time(said: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(said)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
