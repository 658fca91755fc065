"""Where a benchmark's figures go: one JSON file per row in var/benchmarks, and a Markdown row on the screen.

`python -m tests.benchmarks.report` sets them into docs/performance.md, so that no figure is typed by hand.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "var" / "benchmarks"

Cell = str | float


@dataclass(frozen=True)
class Row:
    """One line of a table of docs/performance.md: what was measured, where, when, and beside how much other work."""

    table: str
    name: str
    figures: dict[str, Cell]
    machine: str
    commit: str
    taken: str
    load: float
    """The machine's one-minute load average before the measurement began."""


def record(table: str, name: str, figures: Mapping[str, Cell], load: float) -> None:
    """Keep one row of a table and print it."""
    row = Row(table, name, dict(figures), machine(), _commit(), datetime.now(UTC).isoformat(timespec="minutes"), load)
    RESULTS.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    (RESULTS / f"{table}.{slug}.json").write_text(json.dumps(asdict(row), indent=1))
    sys.stdout.write(f"\n{header_of(figures)}\n{line_of(name, figures)}\n")
    sys.stdout.flush()


def recorded() -> list[Row]:
    """Return all rows kept, oldest first."""
    rows = [Row(**json.loads(path.read_text())) for path in RESULTS.glob("*.json")]
    return sorted(rows, key=lambda row: row.taken)


def header_of(figures: Mapping[str, Cell]) -> str:
    """Return a Markdown table's head."""
    return f"| | {' | '.join(figures)} |\n|---|{'---:|' * len(figures)}"


def line_of(name: str, figures: Mapping[str, Cell]) -> str:
    """Return a row of a Markdown table."""
    return f"| {name} | {' | '.join(map(_shown, figures.values()))} |"


def _shown(value: Cell) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def load_average() -> float:
    """Return how many processes wanted a processor during the last minute."""
    return round(os.getloadavg()[0], 2)


def machine() -> str:
    """Return processor, cores, memory, system and Python of this machine in one line."""
    memory = psutil.virtual_memory().total / 1024**3
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (found := re.search(r"model name\s*: (.+)", cpuinfo.read_text())):
        name = found[1].strip()
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GB, {system}, Python {platform.python_version()}"


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=9"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
