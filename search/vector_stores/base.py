"""The vector store interface. pgvector's columns are the truth; other stores are indexes rebuilt from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.db import connection

from orchestra.monitoring.checks import Outcome
from search import metrics
from search.retrieval import EmbeddedQuery, Scope

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper


_ORDERED = "SELECT * FROM ({near}) AS n ORDER BY cosine DESC, passage"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A passage, by number (`search.passages`), and its cosine to the question."""

    passage: int
    cosine: float


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest passages as a subquery of the statement that also ranks by words: both sides in one round trip.

    `sql` selects `passage` and `cosine`; `settings` are PostgreSQL's, for this statement alone. `method` says in a word
    or two how they were found.
    """

    sql: str
    parameters: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    method: str = ""


class VectorStore(ABC):
    """Finds the passages whose vectors lie nearest to a question's."""

    @abstractmethod
    def nearest(self, query: EmbeddedQuery, scope: Scope, limit: int) -> Nearest:
        """Return up to `limit` passages of `scope`, to be selected within a statement that the caller makes.

        The passages that the caller then sees exist and are in `scope`, whatever a store beside PostgreSQL believes.
        """

    def check(self) -> Outcome:
        """Tell whether the store works; PostgreSQL has checks of its own."""
        return Outcome.passed("Vectors are searched in PostgreSQL.")

    def neighbours(self, query: EmbeddedQuery, scope: Scope, limit: int) -> list[Neighbour]:
        """Return up to `limit` passages of `scope`, nearest first."""
        near = self.nearest(query, scope, limit)
        metrics.vector_searches.add(near.method)
        with connection.cursor() as cursor:
            cursor.execute(statement(near, _ORDERED.format(near=near.sql)), near.parameters)
            return [Neighbour(passage, float(cosine)) for passage, cosine in rows(cursor)]


def statement(near: Nearest, sql: str) -> str:
    """Return `sql` with the settings that `near` wants for it, to be executed at once and read by `rows`."""
    return "".join(f"SET LOCAL {name} = '{value}';" for name, value in near.settings.items()) + sql


def rows(cursor: CursorWrapper) -> list[Any]:
    """Return the rows of a `statement`: the answers to its settings come first and are passed over."""
    while cursor.description is None:
        cursor.nextset()
    return list(cursor.fetchall())


_WITH_DOCUMENT = """
SELECT * FROM ({near}) AS n WHERE passage >> 24 <> %(including)s
UNION ALL
SELECT (document_id << 24) + ordinal, -(embedding <#> %(vector)s::halfvec) FROM search_chunkembedding
WHERE space_id = %(space)s AND owner_id = %(owner)s AND document_id = %(including)s
"""


def with_document(near: Nearest, document: int) -> Nearest:
    """Return the nearest and all passages of a document, wherever these stand."""
    if "vector" not in near.parameters:
        return near
    parameters = {**near.parameters, "including": document}
    return replace(near, sql=_WITH_DOCUMENT.format(near=near.sql), parameters=parameters)


def listed(neighbours: Sequence[Neighbour], method: str) -> Nearest:
    """Return neighbours that are known as a subquery."""
    sql = "SELECT * FROM unnest(%(near_passages)s::bigint[], %(near_cosines)s::float8[]) AS n (passage, cosine)"
    passages, cosines = [n.passage for n in neighbours], [n.cosine for n in neighbours]
    return Nearest(sql, {"near_passages": passages, "near_cosines": cosines}, method=method)


NOTHING_NEAR = Nearest("SELECT 0::bigint AS passage, 0::float8 AS cosine WHERE false", method="none")
"""For a question without a vector."""
