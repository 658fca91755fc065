"""The words in a recording's or picture's metadata as one piece of text, so that they are found by word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from files.extraction.document import Segment, SegmentKind

_LONGEST = 20_000


def caption(facts: Mapping[str, object], labels: Sequence[tuple[str, str]]) -> Segment | None:
    """Return a caption with a line for each of `labels` (key, what a person calls it) that `facts` has; None for none.

    A key without a label stands on its own line.
    """
    lines, seen = [], set()
    for key, label in labels:
        text = _as_text(facts.get(key))
        if text and text.casefold() not in seen:
            seen.add(text.casefold())
            lines.append(f"{label}: {text}" if label else text)
    return Segment("\n".join(lines), SegmentKind.CAPTION) if lines else None


def _as_text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(text for item in value if (text := _as_text(item)))
    return str(value).strip()[:_LONGEST] if isinstance(value, (str, int, float)) else ""
