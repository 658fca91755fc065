"""`manage.py mcp`: the MCP server for a program on this machine, which starts it and talks to it by its streams."""

from __future__ import annotations

import asyncio

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections

from orchestra.accounts.models import User
from orchestra.accounts.selectors import user_for_command
from orchestra.common.errors import OrchestraError
from search.mcp.wires import serve_standard_streams


class Command(BaseCommand):
    """Serves until standard input ends."""

    help = "Serve one user's files to a program that speaks MCP over standard input and output."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the user."""
        parser.add_argument("--user", default="", help="whose files (default: the first administrator's)")

    def handle(self, *args: object, **options: str) -> None:
        """Serve. The user is looked for at each call: who was switched off meanwhile gets nothing."""
        username = options["user"]
        try:
            user_for_command(username)
        except OrchestraError as exc:
            raise CommandError(f"{exc.message} {exc.hint}") from exc
        asyncio.run(serve_standard_streams(lambda: _find(username)))


def _find(username: str) -> User:
    # No request begins and ends here, which is when Django looks whether a connection still holds.
    close_old_connections()
    return user_for_command(username)
