"""The oldest versions that the product starts with: `floors.toml` beside manage.py says which, and why.

Packages are compared by Django's system check, before any command that runs the product; servers by the health checks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Error

from orchestra.settings.server_variables import BASE_DIR

FLOORS = BASE_DIR / "floors.toml"
TOO_OLD = "orchestra.E001"


@dataclass(frozen=True, slots=True)
class Floor:
    """The first good version of each series of a package or server, the oldest series first; what was wrong before."""

    name: str
    versions: tuple[str, ...]
    reason: str

    def holds(self, found: str) -> bool:
        """Whether a version is the floor of its own series or newer, or newer than all series named."""
        own = parts(found)
        floors = [parts(one) for one in self.versions]
        return own >= floors[-1] or any(own >= floor and own[: len(floor) - 1] == floor[:-1] for floor in floors)

    def __str__(self) -> str:
        return f"{self.name} {' or '.join(self.versions)}"


def parts(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: `9.1.2.post2` is (9, 1, 2)."""
    leading = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in leading[0].split(".")) if leading else ()


@cache
def _all(path: Path) -> dict[str, dict[str, Floor]]:
    read: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        kind: {name: Floor(name, tuple(one["versions"]), one["reason"]) for name, one in floors.items()}
        for kind, floors in read.items()
    }


def packages() -> list[Floor]:
    """Return the floors of Python packages."""
    return list(_all(FLOORS)["packages"].values())


def server(name: str) -> Floor:
    """Return the floor of a server or an extension of one."""
    return _all(FLOORS)["servers"][name]


def check_packages(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """Return an error for each installed package below its floor; one that is not installed harms nobody."""
    return [
        Error(
            f"{floor.name} {found} is too old: {floor.reason}.",
            hint=f"Install {floor} or newer: `make install`.",
            id=TOO_OLD,
        )
        for floor in packages()
        if (found := _installed(floor.name)) and not floor.holds(found)
    ]


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
