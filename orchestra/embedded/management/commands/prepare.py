"""`manage.py prepare`: what has to be done once before web, worker and beat run apart, at a first start and an upgrade.

Safe on several machines at once: they wait for each other, and later ones find it done.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestra.common.errors import OrchestraError
from orchestra.embedded.database import prepare_database
from orchestra.embedded.external import require_external_servers
from orchestra.embedded.services import embedded_servers


class Command(BaseCommand):
    """Bring the database to this version."""

    help = "Apply the migrations and make the first administrator; once before `run --only`, on any machine."
    requires_system_checks = []  # `migrate` runs them

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the administrator's password from a file, as containers get their secrets."""
        parser.add_argument(
            "--password-file", type=Path, help="file with the first administrator's password (default: generated)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Prepare, and say what was done."""
        try:
            password = _password(options["password_file"])
            require_external_servers()
            for server in embedded_servers():
                server.ensure()
            administrator = prepare_database(password)
        except OrchestraError as error:
            raise CommandError(f"{error.message}\n{error.hint}".strip()) from error
        self.stdout.write("Database is up to date.")
        if administrator:
            where = "the one in the file" if password else f"in {administrator.password_file}"
            self.stdout.write(f"Administrator: {administrator.username}, password: {where}.")
            if not password and sys.stdout.isatty():
                self.stdout.write(f"It is {administrator.password}")


def _password(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        password = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(f"{path} cannot be read: {exc}") from exc
    try:
        validate_password(password)
    except ValidationError as exc:
        raise CommandError(f"The password in {path} will not do: {' '.join(exc.messages)}") from exc
    return password
