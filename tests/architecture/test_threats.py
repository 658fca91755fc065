"""docs/security/threats.md has each threat once, with a defence whose files and tests exist, or says what is open."""

from __future__ import annotations

import re

import pytest

from tests.architecture.judged_pages import Row, faults_of
from tests.architecture.tree import ROOT

PAGE = "docs/security/threats.md"
VERDICTS = ("shown", "partly", "open")
THREATS = [f"T{number}" for number in range(1, 37)]
ROW = re.compile(r"^\| (T\d+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|([^|]*)\|$", re.MULTILINE)
FILE = re.compile(r"`([^` ]+\.[a-z]+)`")
OPEN = re.compile(r"\bOpen: \S")


def _faults(page: str) -> list[str]:
    found = [(defence, Row(number, verdict, shown)) for number, defence, verdict, shown in ROW.findall(page)]
    faults = faults_of(page, [row for _, row in found], THREATS, VERDICTS)
    for defence, row in found:
        files = FILE.findall(defence)
        faults += [f"{row.number}: {name} is no file" for name in files if not (ROOT / name).is_file()]
        if not files or not row.tests:
            faults.append(f"{row.number} has no file of a defence, or no test")
        if (row.verdict == VERDICTS[0]) == bool(OPEN.search(row.reason)):
            faults.append(f"{row.number} is {row.verdict} and does not say so")
    return faults


def test_every_threat_is_there_once_with_a_defence_and_tests_that_exist() -> None:
    assert _faults((ROOT / PAGE).read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("change", "with_", "fault"),
    [
        (r"^\| T8 .*\n", "", "T8 is missing"),
        (r"^\| T8 ", "| T37 ", "T37 is not asked for"),
        (r"^(\| T8 .*\n)", r"\1\1", "T8 is there 2 times"),
        (r"^(\| T29 .*\|) open \|", r"\1 shown |", "T29 is shown and does not say so"),
        (r"^(\| T3 .*) Open: .*", r"\1 |", "T3 is partly and does not say so"),
        (r"^(\| T8 .*\|) shown \|", r"\1 perhaps |", "T8: perhaps is no verdict"),
        (
            r"`orchestra/accounts/sign_in\.py`",
            "`orchestra/accounts/gone.py`",
            "T8: orchestra/accounts/gone.py is no file",
        ),
        (r"^(\| T8 .*\| shown \|).*", r"\1 It is so. |", "T8 has no file of a defence, or no test"),
        ("test_no_query_string_is_a_server_error", "test_gone", "T26: tests/abuse/test_odd_queries.py::test_gone does"),
        (r"^\| shown \| \d+", "| shown | 0", "the sums are"),
    ],
)
def test_what_is_wrong_on_the_page_is_noticed(change: str, with_: str, fault: str) -> None:
    page = (ROOT / PAGE).read_text("utf-8")
    changed = re.sub(change, with_, page, count=1, flags=re.MULTILINE)
    assert changed != page
    assert [found for found in _faults(changed) if fault in found]
