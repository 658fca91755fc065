"""Names that people give: one line of what can be seen."""

from __future__ import annotations

import unicodedata


def one_line(text: str) -> str:
    """Return a text without control, direction and other characters that nobody sees, and without outer spaces."""
    return "".join(sign for sign in text if unicodedata.category(sign)[0] != "C").strip()
