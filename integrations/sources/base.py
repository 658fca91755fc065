"""What a source is: it lists documents, reads them, and says of one whether it is gone. It knows nothing of files.

What comes before: `integrations.services.source`, which builds one of a connection; what comes after:
`files.importing`, which makes files of what is read. Everything that a source says is hostile: names, sizes, addresses.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import ClassVar

from integrations.base import Field, Verdict
from orchestra.common.errors import OrchestraError

LEAST_MINUTES = 15
_MOST_MINUTES = 7 * 24 * 60
_USUAL_MINUTES = 60
_QUIET_SECONDS = 420.0
_TEST_SECONDS = 20.0
SILENCE = 60.0
"""Seconds that may pass before a document begins to come, and before each piece of it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A document while it is read: its bytes, which come as they are asked for, and the documents inside it."""

    pieces: Iterator[bytes]
    parts: tuple[SourceItem, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceItem:
    """A document of a source.

    `key` names it there for ever, `version` changes with its content. `name` is what a file of it is called, `origin`
    its address for people: `https://` or `http://`, and without a secret. `size` in bytes; None: not known before it is
    read. `opens` begins to read it; leaving the block ends that. Raises SourceItemGone, SourceUnavailable or what is
    below it.
    """

    key: str
    name: str
    version: str
    origin: str
    opens: Callable[[], AbstractContextManager[Reading]] = field(repr=False, compare=False)
    size: int | None = None


class SourceUnavailable(OrchestraError):
    """The service does not answer, or not as it should. No message has a credential or an address."""

    code = "source_unavailable"
    status = 503
    transient = True
    default_message = "The service that the documents come from does not answer."
    default_hint = "It is tried again with the next import. If it stays so, test the connection."


class SourceKeyRefused(SourceUnavailable):
    """The service does not take the credentials, or they may not do what is needed."""

    code = "source_key_refused"
    transient = False
    default_message = "The service does not accept the credentials, or does not let them read."
    default_hint = "Enter new ones, and allow them to list and to read the documents."


class SourceUnknown(SourceUnavailable):
    """What the connection names is not there: a bucket, an address."""

    code = "source_unknown"
    transient = False
    default_message = "What the connection names is not there."
    default_hint = "Correct the connection's fields."


class SourceStrange(SourceUnavailable):
    """The service says what makes no sense."""

    code = "source_strange"
    transient = False
    default_message = "The service answers with something that cannot be understood."
    default_hint = "Check whether the address is the right one."


class SourceTooSlow(SourceUnavailable):
    """The service answers, and keeps whoever asks waiting for too long."""

    code = "source_too_slow"
    default_message = "The service that the documents come from answers too slowly."


class SourceItemGone(OrchestraError):
    """The document is not there, or no longer shown to us."""

    code = "source_item_gone"
    status = 404
    default_message = "The document is no longer there."


class Patience:
    """How long a source may work without a sign of life: a document, or the beginning of one.

    Whoever extends the lease of a run renews it. It is shorter than the lease by more than the request takes that is
    begun last, so that a service that keeps its caller waiting never holds a run that is another worker's already.
    """

    def __init__(self) -> None:
        """Begin to count."""
        self.renew()

    def renew(self, seconds: float = _QUIET_SECONDS) -> None:
        """Begin to count anew."""
        self._until = monotonic() + seconds

    def left(self) -> float:
        """Return how many seconds the next request may take. Raises SourceTooSlow where none are left."""
        left = self._until - monotonic()
        if left <= 0:
            raise SourceTooSlow
        return left


class Source(ABC):
    """A connection's documents. Made for one import and used by one thread; opens nothing before the first call.

    Each of its requests asks `patience` how long it may take.
    """

    name: ClassVar[str]

    @cached_property
    def patience(self) -> Patience:
        """Return what bounds its requests."""
        return Patience()

    @abstractmethod
    def items(self) -> Iterator[SourceItem]:
        """Yield every document; it ends only when all of them were listed.

        Raises SourceUnavailable or what is below it, also in the middle.
        """

    @abstractmethod
    def gone(self, key: str) -> bool:
        """Tell whether a document that was not listed is certainly no longer there. Raises as `items` does."""

    def test(self) -> Verdict:
        """Look for the first document, and say in words what works and what does not. Somebody waits for it."""
        self.patience.renew(_TEST_SECONDS)
        try:
            first = next(self.items(), None)
        except SourceUnavailable as exc:
            return Verdict(False, exc.code, exc.message, exc.hint)
        if first is None:
            return Verdict(True, "ok", "It answers, and shows no documents.", "Share some with this connection.")
        return Verdict(True, "ok", "It answers, and shows documents.")


def _check_minutes(value: str) -> None:
    if not (value.isascii() and value.isdecimal() and len(value) < 6 and LEAST_MINUTES <= int(value) <= _MOST_MINUTES):
        raise ValueError(f"Write a number of minutes, from {LEAST_MINUTES} to {_MOST_MINUTES}.")


EVERY_MINUTES = Field(
    "every_minutes",
    "Every so many minutes",
    default=str(_USUAL_MINUTES),
    check=_check_minutes,
    help=f"How often changes are looked for; {LEAST_MINUTES} at least.",
)
