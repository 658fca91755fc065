from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.errors import MalformedFile
from tests.files.extraction.contract import ExtractorContract, facts, read, segments
from tests.files.extraction.samples import write

ICS = "text/calendar"
SAMPLE = """BEGIN:VCALENDAR\r
X-WR-CALNAME:Work\r
BEGIN:VTIMEZONE\r
TZID:Europe/Berlin\r
BEGIN:STANDARD\r
DTSTART:19701025T030000\r
END:STANDARD\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
SUMMARY:Plan\\, and\r
  talk\r
DTSTART;TZID=Europe/Berlin:20260101T120000\r
DTEND:20260101T130000Z\r
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,-1FR;UNTIL=20261231T000000Z\r
ORGANIZER;CN=Ann:mailto:ann@example.org\r
ATTENDEE;CN="Doe, Jane":mailto:jane@example.org\r
DESCRIPTION:One\\nTwo\r
BEGIN:VALARM\r
DESCRIPTION:Reminder\r
END:VALARM\r
END:VEVENT\r
BEGIN:VTODO\r
SUMMARY:Buy paper\r
DUE;VALUE=DATE:20260203\r
END:VTODO\r
END:VCALENDAR\r
"""


class TestCalendar(ExtractorContract):
    media_type = ICS
    ending = "ics"
    sample = SAMPLE.encode()
    says = "Plan, and talk"


def test_an_event_is_a_passage_that_can_be_read_by_itself(tmp_path: Path) -> None:
    found = segments(read(write(tmp_path / "a.ics", SAMPLE), ICS))
    assert found[0].text == (
        "## Plan, and talk\n\nStart: 2026-01-01T12:00:00 (Europe/Berlin)\nEnd: 2026-01-01T13:00:00Z\n"
        "Repeats: every 2 weeks on Monday, last Friday until 2026-12-31\nOrganiser: Ann <ann@example.org>\n"
        "Attendees: Doe, Jane <jane@example.org>\n\nOne\nTwo"
    )
    assert (found[0].place.line, found[0].place.line_end) == (9, 21)
    assert found[1].text == "## Buy paper\n\nDue: 2026-02-03"


def test_metadata(tmp_path: Path) -> None:
    found = facts(read(write(tmp_path / "a.ics", SAMPLE), ICS))
    assert (found["title"], found["event_count"], found["task_count"]) == ("Work", 1, 1)


def test_what_holds_no_calendar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile):
        read(write(tmp_path / "a.ics", "SUMMARY:x\n"), ICS)
