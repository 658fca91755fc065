"""How often a provider that refuses is asked again, and how long is waited before."""

from __future__ import annotations

from random import SystemRandom
from time import monotonic

from integrations.llm.refusals import Refusal

TRIES = 4
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 20.0
_random = SystemRandom()


def pause_before_next(refused: Refusal, tried: int, until: float) -> float:
    """Return the seconds to wait before the next try; `tried` counts from 0, `until` is when all must be over.

    Raises the refusal's error where another try is of no use.
    """
    pause = _FIRST_PAUSE * 2**tried * _random.uniform(0.5, 1.0) if refused.after is None else refused.after
    if not refused.again or tried >= TRIES - 1 or pause > _LONGEST_PAUSE or monotonic() + pause >= until:
        raise refused.error
    return pause
