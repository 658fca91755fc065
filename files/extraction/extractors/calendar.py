"""Calendars (ICS): a segment per event, task or note, with its times in ISO 8601 and its repetition in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Place, Segment
from files.extraction.errors import MalformedFile
from files.extraction.formats.mail.content_lines import ContentLine, read_content_lines
from files.extraction.limits import Limits

_KINDS = {"VEVENT": "event", "VTODO": "task", "VJOURNAL": "note", "VFREEBUSY": "busy time"}
_TIMES = {"DTSTART": "Start", "DTEND": "End", "DUE": "Due", "COMPLETED": "Completed"}
_TEXTS = {"LOCATION": "Location", "STATUS": "Status", "CATEGORIES": "Categories", "URL": "URL", "DURATION": "Duration"}
_LONG = {"DESCRIPTION": "", "COMMENT": "Comment: "}
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?")
_UNITS = {"SECONDLY": "second", "MINUTELY": "minute", "HOURLY": "hour", "DAILY": "day", "WEEKLY": "week"}
_UNITS |= {"MONTHLY": "month", "YEARLY": "year"}
_DAYS = {"MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday"}
_DAYS |= {"SU": "Sunday"}
_CALENDAR = {"X-WR-CALNAME": "title", "NAME": "title", "X-WR-CALDESC": "description", "PRODID": "application"}


class CalendarExtractor(Extractor):
    """Reads every event; time zones and alarms are passed over."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield a segment per entry. Raises MalformedFile when the file holds no calendar."""
        facts: dict[str, object] = {}
        counts = dict.fromkeys(_KINDS, 0)
        entry: _Entry | None = None
        depth = 0
        for line in read_content_lines(source.path):
            kind = line.value.strip().upper()
            if line.name == "BEGIN":
                facts.setdefault("format", "iCalendar")
                depth += 1
                if entry is None and kind in _KINDS:
                    entry, depth = _Entry(line.number), 0
            elif line.name == "END":
                if entry is not None and depth == 0:
                    counts[kind] = counts.get(kind, 0) + 1
                    yield from entry.segments(line.number)
                    entry = None
                depth -= 1
            elif entry is not None and depth == 0:
                entry.add(line)
            elif entry is None and line.name in _CALENDAR:
                facts.setdefault(_CALENDAR[line.name], line.text())
        if not facts:
            raise MalformedFile
        if entry is not None:
            yield from entry.segments(entry.start)
        yield Metadata(facts | {"event_count": counts["VEVENT"], "task_count": counts["VTODO"]})


class _Entry:
    """One event, task or note, while its lines are read."""

    def __init__(self, start: int) -> None:
        self.start = start
        self._title = ""
        self._facts: list[str] = []
        self._people: list[str] = []
        self._long: list[str] = []

    def add(self, line: ContentLine) -> None:
        """Take one property."""
        if line.name == "SUMMARY":
            self._title = self._title or " ".join(line.text().split())
        elif line.name in _TIMES:
            self._facts.append(f"{_TIMES[line.name]}: {_moment(line)}")
        elif line.name == "RRULE":
            self._facts.append(f"Repeats: {_repetition(line.value)}")
        elif line.name in _TEXTS and line.text():
            self._facts.append(f"{_TEXTS[line.name]}: {line.text()}")
        elif line.name in _LONG and line.text():
            self._long.append(_LONG[line.name] + line.text())
        elif line.name == "ORGANIZER":
            self._facts.append(f"Organiser: {_person(line)}")
        elif line.name == "ATTENDEE":
            self._people.append(_person(line))

    def segments(self, end: int) -> Iterator[Segment]:
        """Yield the entry as one passage that can be read by itself."""
        people = [f"Attendees: {', '.join(self._people)}"] if self._people else []
        blocks = [f"## {self._title}" if self._title else "", "\n".join(self._facts + people), *self._long]
        text = "\n\n".join(filter(None, blocks))
        if text:
            headings = (self._title,) if self._title else ()
            yield Segment(text, place=Place(line=self.start, line_end=max(end, self.start), headings=headings))


def _moment(line: ContentLine) -> str:
    """Return a time as ISO 8601, with the name of its zone where it has one."""
    found = _TIME.match(line.value.strip())
    if not found:
        return line.text()
    day = f"{found[1]}-{found[2]}-{found[3]}"
    if not found[4]:
        return day
    zone = line.parameter("TZID")
    moment = f"{day}T{found[4]}:{found[5]}:{found[6] or '00'}{'Z' if found[7] else ''}"
    return f"{moment} ({zone})" if zone and not found[7] else moment


def _person(line: ContentLine) -> str:
    address = re.sub(r"(?i)^mailto:", "", line.text())
    name = line.parameter("CN")
    return f"{name} <{address}>" if name and name != address else address


def _repetition(rule: str) -> str:
    """Return a rule of repetition in words; what has no word here stays as it is written."""
    parts = dict(part.upper().split("=", 1) for part in rule.split(";") if "=" in part)
    unit = _UNITS.get(parts.pop("FREQ", ""))
    if unit is None:
        return rule
    step = parts.pop("INTERVAL", "1")
    text = f"every {unit}" if step == "1" else f"every {step} {unit}s"
    if "BYDAY" in parts:
        text += " on " + ", ".join(_day(day.strip()) for day in parts.pop("BYDAY").split(","))
    if "COUNT" in parts:
        text += f", {parts.pop('COUNT')} times"
    if found := _TIME.match(parts.get("UNTIL", "")):
        del parts["UNTIL"]
        text += f" until {found[1]}-{found[2]}-{found[3]}"
    parts.pop("WKST", None)
    return text + (f" ({'; '.join(f'{key}={value}' for key, value in parts.items())})" if parts else "")


def _day(code: str) -> str:
    """Return a day of the week, with which one of the month it is: 2MO, -1FR."""
    name, which = _DAYS.get(code[-2:], code), code[:-2]
    return f"{'last' if which == '-1' else which} {name}".strip()
