"""What checks found, kept: run from the status page, shown there until they are run again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models.functions import Now

from orchestra.monitoring.checks import CheckResult, registry
from orchestra.monitoring.models import CheckFinding

STALE_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Card:
    """A check as the page shows it; without `ran_at` it was never run."""

    name: str
    ok: bool | None = None
    message: str = ""
    remedy: str = ""
    milliseconds: float = 0.0
    ran_at: datetime | None = None
    stale: bool = True

    @property
    def slug(self) -> str:
        """Return its name as a part of an address."""
        return self.name.replace(" ", "-")

    @property
    def state(self) -> str:
        """Return how it is, in words."""
        return {None: "Not checked yet", True: "Works", False: "Needs attention"}[self.ok]


def cards() -> list[Card]:
    """Return every check in the order of doctor, with what it found last."""
    known = {found.name: found for found in CheckFinding.objects.annotate(now=Now())}
    return [_card(known[name]) if name in known else Card(name) for name in registry.names()]


def run(names: list[str]) -> None:
    """Run checks one after the other, and keep what they find."""
    for result in registry.run(names):
        keep([result])


def keep(results: Iterable[CheckResult]) -> None:
    """Keep what checks have just found."""
    for result in results:
        outcome = result.outcome
        told = {"ok": outcome.ok, "message": outcome.message, "remedy": outcome.remedy}
        values = {**told, "milliseconds": result.milliseconds, "ran_at": Now()}
        CheckFinding.objects.update_or_create(name=result.name, defaults=values)


def card_of(slug: str) -> Card | None:
    """Return one check by its part of an address; None where there is none."""
    return next((card for card in cards() if card.slug == slug), None)


def _card(found: CheckFinding) -> Card:
    now: datetime = found.now  # type: ignore[attr-defined]  # annotated above
    stale = now - found.ran_at > STALE_AFTER
    return Card(found.name, found.ok, found.message, found.remedy, found.milliseconds, found.ran_at, stale)
