"""Beat's schedule, with a sign of life: a beat that hangs would end the sweeps that put lost jobs right."""

from __future__ import annotations

import os
import time
from typing import Any

from celery.beat import PersistentScheduler
from celery.utils.nodenames import gethostname
from django.db import close_old_connections

from orchestra.monitoring import pulses
from orchestra.monitoring.models import ProcessRole

_SECONDS = 20.0


def beat_name() -> str:
    """Return the name under which this machine's beat shows its signs of life."""
    return f"beat@{gethostname()}"


class WatchedScheduler(PersistentScheduler):
    """Sends what is due, and shows at least every 20 seconds that it does."""

    _shown = -_SECONDS

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; return the seconds until the next look."""
        pause: float = super().tick(*args, **kwargs)
        if time.monotonic() - self._shown >= _SECONDS:
            self._shown = time.monotonic()
            pulses.show(pulses.Sign(beat_name(), ProcessRole.BEAT, os.getpid()))
            close_old_connections()
        return min(pause, _SECONDS / 2)
