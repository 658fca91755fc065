"""`manage.py rotate_credentials`: seal all stored credentials with the first of CREDENTIALS_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.services import rotate_credentials


class Command(BaseCommand):
    """Seals anew."""

    help = "Encrypt all stored credentials with the first of CREDENTIALS_KEYS; then the others may go."

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say for how many. Ends with an error where credentials cannot be read."""
        done = rotate_credentials()
        self.stdout.write(f"{done.sealed} encrypted anew, {done.current} had the first key already.")
        if done.unreadable:
            ids = ", ".join(map(str, done.unreadable))
            raise CommandError(f"{len(done.unreadable)} cannot be read by any key and stay as they are: {ids}")
