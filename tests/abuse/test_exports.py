"""What is exported as a table has no cell that a spreadsheet would work out."""

from __future__ import annotations

import csv
import re
from io import StringIO

import structlog
from django.core.management import call_command

from orchestra.accounts import audit
from orchestra.accounts.models import AuditAction, User
from tests.abuse.hostile_names import NAMES
from tests.architecture.tree import sources, text_of

SIGNS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
WRITES = re.compile(r"csv\.(writer|DictWriter)|text/csv|text/tab-separated")
EXPORTS = {"orchestra/accounts/management/commands/export_audit.py"}


def test_the_exports_are_those_that_are_tested_here() -> None:
    reading = "extraction"  # what files hold, not what is written
    found = {str(path) for path in sources(tests=False) if reading not in path.parts and WRITES.search(text_of(path))}
    assert found == EXPORTS


def cells() -> list[str]:
    out = StringIO()
    call_command("export_audit", stdout=out)
    rows = list(csv.reader(out.getvalue().split("\n")))  # as a reader does that knows no line break in a cell
    assert {len(row) for row in rows if row} == {len(audit.COLUMNS)}
    return [cell for row in rows for cell in row]


def test_no_name_becomes_a_formula(alice: User) -> None:
    hostile = [f"{space}{sign}1+1" for sign in SIGNS for space in ("", " ", "\u00a0", "\t", "\r", "\n", "a\r", "a\n")]
    for name in (*NAMES, *hostile):
        text = name.encode("utf-8", "replace").decode().replace("\x00", "")
        with structlog.contextvars.bound_contextvars(request_id=text, ip=text):
            audit.record(AuditAction.KEY_CREATED, subject=text, owner_id=alice.pk)
    found = cells()
    assert len(found) > 3 * len(NAMES)
    assert [cell for cell in found if cell.strip().startswith(SIGNS) or "\r" in cell] == []
    assert any(cell.startswith("'=1+1") for cell in found)
