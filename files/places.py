"""A place in words, "page 3, Results > Limits", and in an address."""

from __future__ import annotations

import json
from typing import Any


def describe_place(place: dict[str, Any]) -> str:
    """Return where a passage stands, for people; empty when nothing is known."""
    parts = [" > ".join(place["part"])] if place.get("part") else []
    parts += [f"{name} {place[name]}" for name in ("page", "slide", "sheet", "cell") if place.get(name)]
    if place.get("cells"):
        parts.append(f"cells {place['cells']}")
    for name in ("row", "line"):
        if first := place.get(name):
            last = place.get(f"{name}_end")
            parts.append(f"{name}s {first}-{last}" if last and last != first else f"{name} {first}")
    if (second := place.get("second")) is not None:
        parts.append(f"{int(second) // 60}:{int(second) % 60:02d}")
    if place.get("headings"):
        parts.append(" > ".join(place["headings"]))
    return ", ".join(parts)


def place_address(place: dict[str, Any]) -> str:
    """Return a place as a value for `?at=` of a file's page; empty when nothing is known."""
    known = {key: value for key, value in place.items() if value not in (None, "", [])}
    return json.dumps(known, separators=(",", ":"), ensure_ascii=False) if known else ""


def place_of_address(value: str) -> dict[str, Any]:
    """Return the place that `place_address` wrote; empty for anything else that an address may hold."""
    try:
        place = json.loads(value, parse_constant=_refuse)
        text = json.dumps(place, ensure_ascii=False)
        text.encode()
    except (ValueError, RecursionError):
        return {}
    # PostgreSQL's jsonb holds no NUL, and no half of a surrogate pair: the latter ended in `encode`.
    return place if isinstance(place, dict) and "\\u0000" not in text else {}


def _refuse(constant: str) -> None:
    raise ValueError(constant)
