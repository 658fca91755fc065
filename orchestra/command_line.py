"""What `manage.py` runs: Django's commands, and a sentence instead of a traceback where the database is away."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from django.core.management import execute_from_command_line
from django.db import InterfaceError, OperationalError

from orchestra.common.errors import DatabaseAway

_HINT = "Start it with `make run`, or the servers alone with `manage.py services start`. --traceback shows all."


def main(arguments: Sequence[str]) -> None:
    """Run a command. Exits with 1 and a sentence where the database does not answer."""
    try:
        execute_from_command_line(list(arguments))
    except (OperationalError, InterfaceError) as exc:
        if "--traceback" in arguments:
            raise
        reason = str(exc).strip().partition("\n")[0]
        sys.exit(f"orchestra: {DatabaseAway.default_message} {_HINT}\n{reason}")
