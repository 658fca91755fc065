"""Takes secrets out of text that people elsewhere may read: log lines, with what exceptions say in them.

By value, what this installation has as settings; by its shape, what users and other servers bring. A net under the rule
that no secret is written at all, and no reason to write one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

MASK = "(hidden)"
SHORTEST = 6
"""Shorter values are words, and stay."""

_SHAPES = re.compile(
    r"(?<=://)[^\s/@'\"<>]*:[^\s/@'\"<>]+(?=@)"  # name and password in an address
    r"|(?P<scheme>\b(?i:bearer|basic|api-key)\s+)(?=[A-Za-z._~+/=-]*\d)[A-Za-z0-9._~+/=-]{12,}"
    r"|\b(?:sk-|orc_|whsec_|ntn_|secret_|xox[abp]-|gh[pousr]_|AKIA)(?=[A-Za-z_/+=-]*\d)[A-Za-z0-9_/+=-]{12,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"  # a signed token
)


class Scrubber:
    """Takes out secrets that are known by value, and what looks like one."""

    def __init__(self, known: Iterable[str]) -> None:
        """Take the values; those of fewer than SHORTEST signs are left out."""
        values = {value for value in known if len(value) >= SHORTEST}
        spelled = values | {json.dumps(value)[1:-1] for value in values}
        longest_first = sorted(map(re.escape, spelled), key=len, reverse=True)
        self._known = re.compile("|".join(longest_first)) if longest_first else None

    def scrubbed(self, text: str) -> str:
        """Return the text with each secret exchanged for MASK."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return _SHAPES.sub(lambda found: f"{found['scheme'] or ''}{MASK}", text)
