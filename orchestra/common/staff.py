"""Pages for those who run the installation."""

from __future__ import annotations

from django.contrib.auth.mixins import UserPassesTestMixin
from django.http import HttpRequest


class StaffOnly(UserPassesTestMixin):
    """Sends strangers to sign in and answers 403 to who is signed in and no staff."""

    request: HttpRequest

    def test_func(self) -> bool:
        """Tell whether the page is open to who asks."""
        return bool(self.request.user.is_authenticated and self.request.user.is_staff)
