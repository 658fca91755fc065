"""What somebody who reports a fault copies: the state of every part, without secrets and without content."""

from __future__ import annotations

import platform
from typing import Any
from urllib.parse import urlsplit

from django import get_version
from django.conf import settings
from django.db import connection

from orchestra.common.scrubbing import MASK, SHORTEST
from orchestra.monitoring import findings, pulses
from orchestra.monitoring.models import ProcessRole, Resolution, SystemMetric
from orchestra.settings.env import environment
from orchestra.settings.secrets import secrets_of


def masked(text: str) -> str:
    """Return a text without any secret that this installation knows, wherever it stands in it."""
    for secret in sorted(_secrets(), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _secrets() -> set[str]:
    """Return what must not be told: keys, tokens, passwords in addresses; also those made at the start."""
    known = {settings.SECRET_KEY, settings.JWT_SIGNING_KEY, *settings.CREDENTIALS_KEYS}
    known |= set(secrets_of(environment()))
    known |= {
        str(settings.DATABASES["default"].get("PASSWORD") or ""),
        urlsplit(str(settings.REDIS_URL)).password or "",
    }
    return {secret for secret in known if len(secret) >= SHORTEST}


def report() -> dict[str, Any]:
    """Return the state of the system, to be read by people who do not know this installation."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now(), current_setting('server_version')")
        now, database = cursor.fetchone()
    last = SystemMetric.objects.filter(resolution=Resolution.MINUTE).first()
    return {
        "at": now.isoformat(timespec="seconds"),
        "versions": {
            "orchestra": settings.SPECTACULAR_SETTINGS["VERSION"],
            "python": platform.python_version(),
            "django": get_version(),
            "postgresql": database,
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        },
        "checks": [_check(card) for card in findings.cards()],
        "processes": [
            {"role": str(role), "heard_of_seconds_ago": round(pulse.age), "up_seconds": round(pulse.up)}
            for role in ProcessRole
            for pulse in pulses.known(role)
        ],
        "figures": last.figures if last is not None else {},
    }


def _check(card: findings.Card) -> dict[str, Any]:
    return {
        "name": card.name,
        "ok": card.ok,
        "message": masked(card.message),
        "remedy": masked(card.remedy),
        "milliseconds": card.milliseconds,
        "ran_at": card.ran_at.isoformat(timespec="seconds") if card.ran_at else None,
    }
