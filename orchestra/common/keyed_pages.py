"""Pages by key, for people: of long logs, ``?after=1234``, and of lists with a choice of sorts, ``?after=WzQyLCAi…``.

The API's lists: `orchestra.common.pagination`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Expression, F, Q, QuerySet


@dataclass(frozen=True, slots=True)
class KeyedPage:
    """Rows of a list from a key on. `after` is the key that the next page begins behind, None on the last one."""

    rows: list[Any]
    after: int | None
    is_first: bool


_KEY = re.compile(r"[0-9]{1,18}")
_MARK = re.compile(r"[A-Za-z0-9_-]{1,4000}")


def page_by_key(rows: QuerySet[Any], after: str, size: int, *, newest_first: bool = False) -> KeyedPage:
    """Return a page of rows by their whole-number primary key; what is no key begins at the start.

    However long the list is, a page costs the same, and what is added meanwhile moves nothing.
    """
    key = int(after) if _KEY.fullmatch(after) else None
    if key is not None:
        condition: dict[str, Any] = {"pk__lt" if newest_first else "pk__gt": key}
        rows = rows.filter(**condition)
    found = list(rows.order_by("-pk" if newest_first else "pk")[: size + 1])
    more = len(found) > size
    return KeyedPage(found[:size], found[size - 1].pk if more else None, key is None)


@dataclass(frozen=True, slots=True)
class Order:
    """A sort: by a field or an expression, then by id, so that rows of equal keys have an order too.

    `read` makes a key of what an address holds, text or a number; it raises ValueError or TypeError where that is none.
    """

    by: F | Expression
    read: Callable[[Any], Any]
    descending: bool = False

    def sorted(self, rows: QuerySet[Any], *, backwards: bool = False) -> QuerySet[Any]:
        """Return rows in this order, each with its `page_key`."""
        sign = "-" if self.descending != backwards else ""
        keyed: QuerySet[Any] = rows.annotate(page_key=self.by)
        return keyed.order_by(f"{sign}page_key", f"{sign}pk")


@dataclass(frozen=True, slots=True)
class OrderedPage:
    """Rows of a sorted list. `before` and `after` are marks of its ends, empty where nothing comes there."""

    rows: list[Any]
    before: str
    after: str


def page_in_order(rows: QuerySet[Any], order: Order, size: int, *, after: str = "", before: str = "") -> OrderedPage:
    """Return the page behind one mark or before another; what is no mark begins at the start.

    However long the list is, a page costs the same where an index has the order, and what is added meanwhile moves
    nothing. Rows have UUIDs as ids.
    """
    if not after and (mark := _read_mark(before, order)):
        found = list(order.sorted(_beyond(rows, order, mark, backwards=True), backwards=True)[: size + 1])
        if len(found) <= size:  # the start is nearer than a page
            return page_in_order(rows, order, size)
        shown = found[size - 1 :: -1]
        return OrderedPage(shown, _mark_of(shown[0]), _mark_of(shown[-1]))
    mark = _read_mark(after, order)
    found = list(order.sorted(_beyond(rows, order, mark) if mark else rows)[: size + 1])
    shown = found[:size]
    back = _mark_of(shown[0]) if shown else after
    return OrderedPage(shown, back if mark else "", _mark_of(shown[-1]) if len(found) > size else "")


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a page begins: behind this key and this id."""

    key: Any
    pk: UUID


def _beyond(rows: QuerySet[Any], order: Order, mark: _Mark, *, backwards: bool = False) -> QuerySet[Any]:
    less = "lt" if order.descending != backwards else "gt"
    # The first condition is implied by the second; an index is used for the first alone.
    within = Q(**{f"page_key__{less}e": mark.key})
    keyed: QuerySet[Any] = rows.annotate(page_key=order.by)
    return keyed.filter(within, Q(**{f"page_key__{less}": mark.key}) | Q(**{f"pk__{less}": mark.pk}))


def _mark_of(row: Any) -> str:
    """Return the mark of a row that `Order.sorted` returned."""
    key = row.page_key.isoformat() if isinstance(row.page_key, datetime) else row.page_key
    return base64.urlsafe_b64encode(json.dumps([key, row.pk.hex]).encode()).decode().rstrip("=")


def _read_mark(text: str, order: Order) -> _Mark | None:
    """Return what a mark says; None for what is none, whoever made it."""
    if not _MARK.fullmatch(text):
        return None
    try:
        key, pk = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return _Mark(order.read(key), UUID(pk))
    except (ValueError, TypeError, AttributeError, RecursionError):  # binascii.Error is a ValueError
        return None
