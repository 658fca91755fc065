"""The searches that were made: written at once, or, in the web process, some of them together a moment later.

Nobody who searches waits for the history, and a question that a crash takes from it is no loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

import structlog
from django.db import DatabaseError, IntegrityError

from orchestra.common.repeating import Repeating
from search.models import SearchQuery

logger = structlog.get_logger(__name__)

_EVERY = 0.5  # seconds
_MOST = 200


class _Later:
    """One thread that writes what the others hand over."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[SearchQuery] = SimpleQueue()
        self._thread = Repeating("search-history", _EVERY, self._write_all)

    @property
    def runs(self) -> bool:
        """Whether somebody writes what is handed over."""
        return self._thread.runs

    def start(self) -> None:
        """Write later from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Write what was handed over, and at once from now on."""
        self._thread.stop()

    def add(self, query: SearchQuery) -> None:
        """Hand over a search."""
        self._queue.put(query)

    def _write_all(self, last: bool) -> None:
        while batch := self._waiting():
            _write(batch)

    def _waiting(self) -> list[SearchQuery]:
        batch: list[SearchQuery] = []
        with suppress(Empty):
            while len(batch) < _MOST:
                batch.append(self._queue.get_nowait())
        return batch


later = _Later()


def remember(query: SearchQuery) -> None:
    """Keep a search for its user's history."""
    if later.runs:
        later.add(query)
    else:
        query.save(force_insert=True)


def _write(batch: Sequence[SearchQuery]) -> None:
    try:
        SearchQuery.objects.bulk_create(batch)
    except IntegrityError:
        # One of the users is gone. The others keep theirs.
        if len(batch) > 1:
            for query in batch:
                _write([query])
    except DatabaseError as error:
        logger.warning("searches not remembered", searches=len(batch), error=str(error))
