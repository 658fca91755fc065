"""docs/security/asvs.md has every requirement of ASVS 5.0.0 at levels 1 and 2 once, and names only tests that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.architecture.judged_pages import Row, faults_of
from tests.architecture.tree import ROOT

PAGE = "docs/security/asvs.md"
VERDICTS = ("met", "partly", "not met", "not applicable")
REQUIREMENTS = {
    1: """
1.2.1-5 1.3.1-2 1.5.1 2.1.1 2.2.1-2 2.3.1 3.2.1-2 3.3.1 3.4.1-2 3.5.1-3 4.1.1 4.4.1 5.2.1-2 5.3.1-2 6.1.1
6.2.1-8 6.3.1-2 6.4.1-2 7.2.1-4 7.4.1-2 8.1.1 8.2.1-2 8.3.1 9.1.1-3 9.2.1 10.4.1-5 11.3.1-2 11.4.1 12.1.1
12.2.1-2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1 15.3.1
""",
    2: """
1.1.1-2 1.2.6-9 1.3.3-11 1.4.1-3 1.5.2 2.1.2-3 2.2.3 2.3.2-4 2.4.1 3.3.2-4 3.4.3-6 3.5.4-5 3.7.1-2 4.1.2-3
4.2.1 4.3.1-2 4.4.2-4 5.1.1 5.2.3 5.4.1-3 6.1.2-3 6.2.9-12 6.3.3-4 6.4.3-4 6.5.1-5 6.6.1-3 6.8.1-4 7.1.1-3
7.3.1-2 7.4.3-5 7.5.1-2 7.6.1-2 8.1.2 8.2.3 8.4.1 9.2.2-4 10.1.1-2 10.2.1-2 10.3.1-4 10.4.6-11 10.5.1-5
10.6.1-2 10.7.1-3 11.1.1-2 11.2.1-3 11.3.3 11.4.2-4 11.5.1 11.6.1 12.1.2-3 12.3.1-4 13.1.1 13.2.1-5 13.3.1-2
13.4.2-5 14.1.1-2 14.2.2-4 14.3.2-3 15.1.2-3 15.2.2-3 15.3.2-7 16.1.1 16.2.1-5 16.3.1-4 16.4.1-3 16.5.1-3
17.1.1 17.2.1-4 17.3.1-2
""",
}
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (\d) \| [^|]+ \| ([^|]+) \|([^|]*)\|$", re.MULTILINE)


def _rows(page: str) -> list[Row]:
    return [Row(number, verdict, shown, int(level)) for number, level, verdict, shown in ROW.findall(page)]


def _required() -> dict[str, int]:
    """Return the level of each requirement."""
    return {number: level for level, numbers in REQUIREMENTS.items() for number in _numbers(numbers)}


def _numbers(compact: str) -> Iterator[str]:
    for part in compact.split():
        section, _, span = part.rpartition(".")
        first, _, last = span.partition("-")
        yield from (f"{section}.{number}" for number in range(int(first), int(last or first) + 1))


def _faults(page: str) -> list[str]:
    rows, levels = _rows(page), _required()
    elsewhere = [row for row in rows if levels.get(row.number) != row.group]
    wrong = [f"{row.number} is no requirement of level {row.group}" for row in elsewhere]
    return wrong + faults_of(page, rows, levels, VERDICTS)


def test_every_requirement_is_judged_once_with_tests_that_exist_or_a_reason() -> None:
    assert _faults((ROOT / PAGE).read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("change", "with_", "fault"),
    [
        (r"^\| 1\.2\.4 .*\n", "", "1.2.4 is missing"),
        (r"^(\| 1\.2\.4 .*\n)", r"\1\1", "1.2.4 is there 2 times"),
        (r"^\| 1\.2\.4 \| 1 ", "| 1.2.4 | 2 ", "1.2.4 is no requirement of level 2"),
        (r"^(\| 5\.4\.3 .*\|) not met \|.*", r"\1 not met | |", "5.4.3 has no reason"),
        (r"^(\| 5\.4\.3 .*\|) not met \|", r"\1 perhaps |", "5.4.3: perhaps is no verdict"),
        ("test_hostile_questions_are_only_questions", "test_gone", "test_services.py::test_gone does not exist"),
        ("::TestErrors::test_numbers_b", "::test_numbers_b", "::test_numbers_beyond_the_column does not exist"),
        (r"^\| met \| \d+", "| met | 0", "the sums are"),
    ],
)
def test_what_is_wrong_on_the_page_is_noticed(change: str, with_: str, fault: str) -> None:
    page = (ROOT / PAGE).read_text("utf-8")
    changed = re.sub(change, with_, page, count=1, flags=re.MULTILINE)
    assert changed != page
    assert [found for found in _faults(changed) if fault in found]
