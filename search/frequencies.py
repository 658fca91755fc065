"""How many of an owner's passages have a word, as searches counted them: which words can be left for later.

Adding up a word that a third of half a million passages have takes a tenth of a second, and it hardly tells these
passages apart. The rarer words of the question bring the candidates; the frequent ones are added to the scores of
these alone. For owners of very many files, a search counts how frequent a word is when it first meets it: a number
that is some minutes old weighs the same.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.core.signals import setting_changed

READ_AT_MOST = 50_000
"""Postings that one search adds up for all passages, as far as it can choose: about 30 ms."""

_KNOWN_FOR = 600.0
_MOST_OWNERS = 1_000
_MOST_WORDS = 20_000
_SAME = 0.1  # an owner who has grown or shrunk by more than this is counted anew


class _Known:
    """What was counted of one owner's words while they had so many passages."""

    def __init__(self, passages: int) -> None:
        self.passages = passages
        self.since = time.monotonic()
        self.counts: dict[str, int] = {}

    def holds(self, passages: int) -> bool:
        """Tell whether the counts are good enough for an owner who has so many passages now."""
        fresh = time.monotonic() - self.since < _KNOWN_FOR
        return fresh and abs(passages - self.passages) <= _SAME * self.passages


class Frequencies:
    """Counts of words of the owners that searched last, for this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owners: OrderedDict[UUID, _Known] = OrderedDict()
        setting_changed.connect(lambda **_: self.forget())

    def of(self, owner_id: UUID, passages: int) -> Mapping[str, int]:
        """Return what is known of an owner with so many passages: passages by lexeme."""
        with self._lock:
            known = self._owners.get(owner_id)
            return dict(known.counts) if known is not None and known.holds(passages) else {}

    def learn(self, owner_id: UUID, passages: int, counts: Mapping[str, int]) -> None:
        """Remember how many of the owner's passages have each of some lexemes."""
        with self._lock:
            known = self._owners.get(owner_id)
            if known is None or not known.holds(passages) or len(known.counts) > _MOST_WORDS:
                known = self._owners[owner_id] = _Known(passages)
            known.counts.update(counts)
            self._owners.move_to_end(owner_id)
            while len(self._owners) > _MOST_OWNERS:
                self._owners.popitem(last=False)

    def forget(self) -> None:
        """Count anew."""
        with self._lock:
            self._owners.clear()


counted = Frequencies()


def deferred(lexemes: Iterable[str], known: Mapping[str, int], candidates: int) -> dict[str, int]:
    """Return the lexemes that may wait until there are candidates, with how many passages have each.

    Words are taken from the rarest on, until READ_AT_MOST postings are read and one of them alone brings at least so
    many `candidates`.
    """
    later: dict[str, int] = {}
    read = largest = 0
    for lexeme in sorted(known.keys() & set(lexemes), key=lambda word: (known[word], word)):
        count = known[lexeme]
        if largest >= candidates and read + count > READ_AT_MOST:
            later[lexeme] = count
        else:
            read, largest = read + count, count
    return later
