"""Properties of Notion's pages as text: the facts of a page, the cells of a database's table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from integrations.sources.notion_client import Json, mapping, objects, text
from integrations.sources.notion_markdown import MOST_COLUMNS, one_line, plain

_MOST_PROPERTIES = 200
_DEEPEST = 3


def title_of(page: Json) -> str:
    """Return a page's title, in one line; empty where it has none."""
    for value in mapping(page.get("properties")).values():
        if mapping(value).get("type") == "title":
            return one_line(plain(mapping(value).get("title")))
    return ""


def facts_of(page: Json) -> Iterator[tuple[str, str]]:
    """Yield the names of a page's properties with their values as text; the title is none of them."""
    for name, value in [*mapping(page.get("properties")).items()][:_MOST_PROPERTIES]:
        if mapping(value).get("type") != "title":
            yield name, as_text(mapping(value))


def columns_of(source: Json) -> list[str]:
    """Return the names of a database's properties, its title first, as many as a table has columns."""
    properties = mapping(source.get("properties"))
    return sorted(properties, key=lambda name: mapping(properties[name]).get("type") != "title")[:MOST_COLUMNS]


def as_text(value: Json, depth: int = 0) -> str:
    """Return a property's value as text; empty for nothing, and for kinds that are not known."""
    kind = text(value.get("type"))
    if kind == "array" and depth < _DEEPEST:
        return ", ".join(filter(None, (as_text(each, depth + 1) for each in objects(value.get("array")))))
    if kind in ("formula", "rollup") and depth < _DEEPEST:
        return as_text(mapping(value.get(kind)), depth + 1)
    shown = _KINDS.get(kind)
    return shown(value.get(kind)) if shown is not None else ""


def _plain(value: object) -> str:
    return one_line(value) if isinstance(value, str) else ""


def _number(value: object) -> str:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _yes_or_no(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else ""


def _named(value: object) -> str:
    return one_line(text(mapping(value).get("name")))


def _all_named(value: object) -> str:
    return ", ".join(filter(None, map(_named, objects(value))))


def _date(value: object) -> str:
    start, end = one_line(text(mapping(value).get("start"))), one_line(text(mapping(value).get("end")))
    return f"{start} to {end}" if start and end else start


def _unique_id(value: object) -> str:
    number, prefix = _number(mapping(value).get("number")), one_line(text(mapping(value).get("prefix")))
    return f"{prefix}-{number}" if prefix and number else number


_KINDS: dict[str, Callable[[Any], str]] = {
    **dict.fromkeys(("title", "rich_text"), lambda value: one_line(plain(value))),
    **dict.fromkeys(("select", "status", "created_by", "last_edited_by"), _named),
    **dict.fromkeys(("multi_select", "people", "files"), _all_named),
    **dict.fromkeys(("url", "email", "phone_number", "string", "created_time", "last_edited_time"), _plain),
    **dict.fromkeys(("checkbox", "boolean"), _yes_or_no),
    "number": _number,
    "date": _date,
    "unique_id": _unique_id,
}
