"""How much an owner has: what decides how a search is done, read from the database and kept for some seconds.

A count that is half a minute old chooses the same way of searching. What is small is counted in each search anyway.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from django.core.signals import setting_changed
from django.db import connection

from search.retrieval import Scope, Space
from search.scopes import document_condition, parameters_of

MANY_DOCUMENTS = 2_000  # from here on, adding up their counts in each search takes milliseconds
_KNOWN_FOR = 30.0
_MOST_OWNERS = 10_000

_FACTS = """
SELECT count(*), coalesce(sum(chunk_count), 0), coalesce(sum(lexeme_count), 0),
       coalesce(array_agg(DISTINCT configuration), '{}'),
       EXISTS (SELECT FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
               WHERE c.relname = %(index)s AND i.indisvalid AND pg_table_is_visible(c.oid))
FROM search_indexedfile WHERE owner_id = %(owner)s
"""
_SIZE = """
SELECT coalesce(sum(chunk_count), 0) FROM (
    SELECT number AS document_id, owner_id, chunk_count FROM search_indexedfile
) d WHERE {documents}
"""


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """The sums over an owner's indexed files; `approximate`: whether an approximate index of the vectors is there."""

    documents: int
    passages: int
    lexemes: int
    configurations: tuple[str, ...]
    approximate: bool


class _Facts:
    """Facts of the owners that searched last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[UUID, int], tuple[float, OwnerFacts]] = OrderedDict()
        setting_changed.connect(lambda **_: self.forget())

    def __call__(self, owner_id: UUID, space: Space) -> OwnerFacts:
        key, now = (owner_id, space.id), time.monotonic()
        with self._lock:
            until, facts = self._known.get(key, (0.0, None))
        if facts is None or until < now:
            facts = _read(owner_id, space)
            with self._lock:
                self._known[key] = (now + _KNOWN_FOR, facts)
                self._known.move_to_end(key)
                while len(self._known) > _MOST_OWNERS:
                    self._known.popitem(last=False)
        return facts

    def forget(self) -> None:
        """Read them anew at the next search."""
        with self._lock:
            self._known.clear()


facts_of = _Facts()


def approximate_index(owner_id: UUID, space: Space) -> str:
    """Return the name of the approximate index over an owner's vectors, whether it exists or not."""
    return f"search_hnsw_{space.id}_{owner_id.hex}"


def size_of(scope: Scope) -> int:
    """Return how many passages a scope has, by a look at the files alone."""
    with connection.cursor() as cursor:
        cursor.execute(_SIZE.format(documents=document_condition(scope)), parameters_of(scope))
        return int(cursor.fetchone()[0])


def _read(owner_id: UUID, space: Space) -> OwnerFacts:
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, {"owner": owner_id, "index": approximate_index(owner_id, space)})
        documents, passages, lexemes, configurations, approximate = cursor.fetchone()
    return OwnerFacts(documents, int(passages), int(lexemes), tuple(configurations), approximate)
