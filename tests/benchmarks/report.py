"""Sets the figures of var/benchmarks into docs/performance.md: `python -m tests.benchmarks.report`.

The document is written by people, but for what stands between `<!-- figures: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from itertools import groupby

from tests.benchmarks.recording import ROOT, Row, header_of, line_of, recorded

DOCUMENT = ROOT / "docs" / "performance.md"
_PLACE = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(document: str, rows: Sequence[Row]) -> str:
    """Return the document with the tables of `rows`; a table of which nothing was measured anew stays as it is."""

    def table(place: re.Match[str]) -> str:
        measured = rows if place[2] == "machine" else [row for row in rows if row.table == place[2]]
        if not measured:
            return place[0]
        return f"{place[1]}{_machines(measured) if place[2] == 'machine' else _table(measured)}\n{place[3]}"

    return _PLACE.sub(table, document)


def _table(rows: Sequence[Row]) -> str:
    parts = []
    for _, alike in groupby(rows, key=lambda row: tuple(row.figures)):
        group = list(alike)
        parts.append("\n".join([header_of(group[0].figures), *(line_of(row.name, row.figures) for row in group)]))
    taken = "; ".join(dict.fromkeys(f"{row.taken[:10]}, commit {row.commit}, load average {row.load}" for row in rows))
    return "\n\n".join(parts) + f"\n\nTaken {taken}."


def _machines(rows: Sequence[Row]) -> str:
    loads = [row.load for row in rows]
    machines = "\n".join(f"- {name}" for name in dict.fromkeys(row.machine for row in rows))
    return f"{machines}\n\nLoad average before the measurements: {min(loads)} to {max(loads)}."


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text(), recorded()))
    sys.stdout.write(f"{DOCUMENT.relative_to(ROOT)} holds the figures of {len(recorded())} measurements.\n")
