"""`manage.py reset_two_factor NAME`: let somebody in by the password alone, after the device was lost."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestra.accounts import second_factor
from orchestra.accounts.models import User


class Command(BaseCommand):
    """Takes a second factor away."""

    help = "Take the second factor away from a user who lost the device and the recovery codes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the user's name."""
        parser.add_argument("username", help="whose it is")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        """Do it, and say whether there was one. Ends with an error where there is no such user."""
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        done = second_factor.reset(user)
        self.stdout.write(
            f"{username} signs in by the password alone now." if done else f"{username} has no second factor."
        )
