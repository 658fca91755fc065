"""What the lines of a log say about it: from when to when it goes, how many lines there are of each level."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from files.extraction.encoding import Line

_LOOKED_AT = 200
_TIME = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d"
)
_LEVEL = re.compile(
    r"\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|CRIT(?:ICAL)?|FATAL|ALERT|EMERG|SEVERE|PANIC)\b"
    r"|\b(?:level|lvl|severity)\W{1,3}([a-z]{4,8})\b|\[(trace|debug|info|notice|warn|error|crit|alert|emerg)\]"
)
_SAME = {"WARN": "WARNING", "ERR": "ERROR", "CRIT": "CRITICAL", "EMERG": "EMERGENCY"}


class LogFacts:
    """Counts while the lines pass through."""

    def __init__(self) -> None:
        self._levels: Counter[str] = Counter()
        self._first = ""
        self._last = ""

    def watching(self, lines: Iterator[Line]) -> Iterator[Line]:
        """Yield `lines` unchanged."""
        at_start = True
        for line in lines:
            if at_start:
                self._look_at(line.text[:_LOOKED_AT])
            at_start = line.whole
            yield line

    def facts(self) -> dict[str, object]:
        """Return the metadata."""
        facts: dict[str, object] = {"levels": dict(self._levels.most_common(20))} if self._levels else {}
        if self._first:
            facts |= {"first_timestamp": self._first, "last_timestamp": self._last}
        return facts

    def _look_at(self, text: str) -> None:
        if found := _TIME.search(text):
            self._first = self._first or found[0]
            self._last = found[0]
        if found := _LEVEL.search(text):
            level = (found[1] or found[2] or found[3]).upper()
            self._levels[_SAME.get(level, level)] += 1
