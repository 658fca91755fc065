"""Pages under docs/security/ that judge one thing a row and name the tests that show it: how such a page is checked.

`test_asvs.py` and `test_threats.py` say which rows there must be and how a row is written.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.tree import ROOT, parsed

TEST = re.compile(r"`(tests/[^`]*)`")
_SUM = re.compile(r"^\| ([a-z ]+) \|((?: \d+ \|)+)$", re.MULTILINE)
_SHORTEST_REASON = 2  # words


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the page has it. `group` is the column of the sums that it counts in, where there are several."""

    number: str
    verdict: str
    shown: str
    group: int = 0

    @property
    def tests(self) -> list[str]:
        """The tests that are named."""
        return TEST.findall(self.shown)

    @property
    def reason(self) -> str:
        """What is said besides the names of tests."""
        return TEST.sub("", self.shown).strip()


def faults_of(page: str, rows: Sequence[Row], required: Iterable[str], verdicts: tuple[str, ...]) -> list[str]:
    """Return what is wrong: rows that are missing or twice there, verdicts, reasons, names of tests, sums.

    The first verdict is the best one: it needs no reason where a test shows it.
    """
    times = Counter(row.number for row in rows)
    wanted = set(required)
    faults = [f"{number} is missing" for number in wanted - times.keys()]
    faults += [f"{number} is not asked for" for number in times.keys() - wanted]
    faults += [f"{number} is there {count} times" for number, count in times.items() if count > 1]
    for row in rows:
        if row.verdict not in verdicts:
            faults.append(f"{row.number}: {row.verdict} is no verdict")
        if not (row.verdict == verdicts[0] and row.tests) and len(row.reason.split()) < _SHORTEST_REASON:
            faults.append(f"{row.number} has no reason")
        faults += [f"{row.number}: {name} does not exist" for name in row.tests if not exists(name)]
    return faults + _wrong_sums(page, rows, verdicts)


def exists(name: str) -> bool:
    """Tell whether a test of this name, path::names, is in the tree."""
    path, *names = name.split("::")
    if not (ROOT / path).is_file() or not names or not names[-1].startswith("test_"):
        return False
    body: list[ast.stmt] = parsed(Path(path)).body
    for each in names[:-1]:
        body = next((node.body for node in body if isinstance(node, ast.ClassDef) and node.name == each), [])
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == names[-1] for node in body)


def _wrong_sums(page: str, rows: Sequence[Row], verdicts: tuple[str, ...]) -> list[str]:
    written = {name: [int(number) for number in numbers.split(" | ")] for name, numbers in _sums(page)}
    counted = Counter((verdict, row.group) for row in rows for verdict in (row.verdict, "all"))
    groups = sorted({row.group for row in rows})
    right = {name: [counted[name, group] for group in groups] for name in (*verdicts, "all")}
    if len(groups) > 1:
        right = {name: [*each, sum(each)] for name, each in right.items()}
    return [] if written == right else [f"the sums are {right}"]


def _sums(page: str) -> list[tuple[str, str]]:
    return [(name, numbers.strip(" |")) for name, numbers in _SUM.findall(page)]
