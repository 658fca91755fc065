"""Paging of the API's lists, ``?page=2&page_size=50``, and of long logs by key, ``?after=1234``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from rest_framework import pagination


class PageNumberPagination(pagination.PageNumberPagination):
    """50 rows a page, at most 200."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


@dataclass(frozen=True, slots=True)
class KeyedPage:
    """Rows of a list from a key on. `after` is the key that the next page begins behind, None on the last one."""

    rows: list[Any]
    after: int | None
    is_first: bool


_KEY = re.compile(r"[0-9]{1,18}")


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
