"""Refresh tokens as simplejwt keeps them: their id and end, without the token, which opens an account to who reads it.

Imported when the application is ready; what revokes and checks tokens compares ids alone.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import pre_save
from django.dispatch import receiver
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken


@receiver(pre_save, sender=OutstandingToken)
def _without_the_token(instance: OutstandingToken, **_: Any) -> None:
    instance.token = ""
