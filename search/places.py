"""A place in words: "page 3, Results > Limits"."""

from __future__ import annotations

from typing import Any


def describe_place(place: dict[str, Any]) -> str:
    """Return where a passage stands, for people; empty when nothing is known."""
    parts = [f"{name} {place[name]}" for name in ("page", "slide", "sheet") if place.get(name)]
    if place.get("cells"):
        parts.append(f"cells {place['cells']}")
    if place.get("line"):
        last = place.get("line_end")
        parts.append(f"lines {place['line']}-{last}" if last and last != place["line"] else f"line {place['line']}")
    if (second := place.get("second")) is not None:
        parts.append(f"{int(second) // 60}:{int(second) % 60:02d}")
    if place.get("headings"):
        parts.append(" > ".join(place["headings"]))
    return ", ".join(parts)
