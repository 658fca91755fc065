"""What of the logs may leave the installation: when which event happened, and values that can be no content.

Log lines hold no questions and no texts by intent, but errors of libraries and paths of requests are in them as they
came. So nothing is taken out here: only what is known to be harmless is taken in.
"""

from __future__ import annotations

import json
import re
from collections import deque
from pathlib import Path

OURS = ("orchestra.", "files.", "search.", "personas.", "integrations.", "django_structlog.")
HARMLESS = frozenset(
    {
        "code",
        "attempt",
        "stage",
        "mode",
        "hits",
        "store",
        "lost_workers",
        "hints_sent",
        "request_id",
        "file_id",
        "job_id",
    }
)
_LINE = re.compile(r"^(\S+Z) \[(\w+)\s*\] (.*?)\s+\[([\w.]+)\] ?(.*)$")
_PAIR = re.compile(r"(\w+)=(\S+)")
_EVENT = re.compile(r"^[A-Za-z0-9_ ,.:;()/'-]{1,120}$")
_VALUE = re.compile(r"^[A-Za-z0-9_.-]{1,40}$")


def last_lines(path: Path, most: int) -> list[str]:
    """Return the harmless part of the last lines of a log, oldest first."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        return [told for line in deque(lines, maxlen=most) if (told := harmless(line))]


def harmless(line: str) -> str:
    """Return time, level, logger, event and harmless values of a line of ours; nothing of any other."""
    parsed = _from_json(line) if line.startswith("{") else _from_words(line)
    if parsed is None:
        return ""
    at, level, event, logger, values = parsed
    if not logger.startswith(OURS) or not _EVENT.match(event):
        return ""
    told = (f"{key}={value}" for key, value in values.items() if key in HARMLESS and _VALUE.match(value))
    return " ".join((at, level, logger, event, *told))


Parsed = tuple[str, str, str, str, dict[str, str]]


def _from_words(line: str) -> Parsed | None:
    found = _LINE.match(line.rstrip())
    if found is None:
        return None
    at, level, event, logger, rest = found.groups()
    return at, level, event, logger, {key: value.strip("'") for key, value in _PAIR.findall(rest)}


def _from_json(line: str) -> Parsed | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    at, level, event, logger = (str(entry.get(key, "")) for key in ("timestamp", "level", "event", "logger"))
    return at, level, event, logger, {str(key): str(value) for key, value in entry.items()}
