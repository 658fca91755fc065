"""The keyword side: BM25 over the owner's postings, inside PostgreSQL.

PostgreSQL's own query parsers join words with AND and find almost nothing for a natural question; here every word of
the question may match, and how rare it is among the owner's passages decides what it weighs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection

from search.retrieval import Scope
from search.scopes import condition

K1 = 1.2
B = 0.75

# `wanted` fills in the scores of passages that only the vectors found. Each step is shaped by what it costs at a
# hundred thousand passages: postings are read once; a word's weight is looked up per posting, not per passage (OFFSET 0
# keeps it there, and leaves the planner an estimate with which it groups by hash instead of sorting); and the wanted
# passages are looked up by their ids, not for each passage that has a word of the question.
_BM25 = """
WITH query AS MATERIALIZED (
    SELECT lexeme, cardinality(positions) AS weight FROM unnest(to_tsvector(%(config)s::regconfig, %(text)s))
), stats AS MATERIALIZED (
    SELECT sum(chunk_count)::float8 AS n, sum(lexeme_count)::float8 / NULLIF(sum(chunk_count), 0) AS mean
    FROM search_indexedfile WHERE {scope}
), postings AS MATERIALIZED (
    SELECT lexeme, file_id, ordinals, frequencies, lengths
    FROM search_keywordposting WHERE {scope} AND lexeme = ANY(ARRAY(SELECT lexeme FROM query))
), weights AS MATERIALIZED (
    SELECT p.lexeme, q.weight * (%(k1)s + 1) * ln(1 + (s.n - p.passages + 0.5) / (p.passages + 0.5)) AS weight
    FROM (SELECT lexeme, sum(cardinality(ordinals)) AS passages FROM postings GROUP BY lexeme) p
    JOIN query q USING (lexeme) CROSS JOIN stats s
), weighted AS (
    SELECT p.*, (SELECT w.weight FROM weights w WHERE w.lexeme = p.lexeme) AS weight FROM postings p OFFSET 0
), found AS (
    SELECT file_id, weight, unnest(ordinals) AS ordinal, unnest(frequencies)::float8 AS tf, unnest(lengths) AS length
    FROM weighted
), scored AS MATERIALIZED (
    SELECT file_id, ordinal,
           sum(weight * tf / (tf + %(k1)s * (1 - %(b)s) + length * (SELECT %(k1)s * %(b)s / mean FROM stats))) AS score
    FROM found GROUP BY file_id, ordinal
), best AS (
    SELECT c.id, s.score, true AS ranked
    FROM (SELECT * FROM scored ORDER BY score DESC, file_id, ordinal LIMIT %(limit)s) s
    JOIN search_vectorchunk c USING (file_id, ordinal)
), filled AS (
    SELECT c.id, s.score, false AS ranked
    FROM (SELECT id, file_id, ordinal FROM search_vectorchunk WHERE id = ANY(%(wanted)s) OFFSET 0) c
    JOIN scored s USING (file_id, ordinal)
)
SELECT id, score, bool_or(ranked) AS ranked FROM (SELECT * FROM best UNION ALL SELECT * FROM filled) AS both_sides
GROUP BY id, score ORDER BY score DESC, id
"""
_LEXEMES = "SELECT lexeme FROM unnest(to_tsvector(%s::regconfig, %s))"


@dataclass(frozen=True, slots=True)
class KeywordScores:
    """BM25 of passages: `ranked` are the best ones, best first; `scores` also covers those asked for."""

    ranked: tuple[UUID, ...]
    scores: dict[UUID, float]


def best_by_words(text: str, scope: Scope, limit: int, wanted: Sequence[UUID] = ()) -> KeywordScores:
    """Return the passages of `scope` that match the words of `text` best, and the scores of `wanted` passages."""
    sql, parameters = condition(scope)
    values = {
        **parameters,
        "config": settings.TEXT_SEARCH_CONFIG,
        "text": text,
        "k1": K1,
        "b": B,
        "limit": limit,
        "wanted": list(wanted),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BM25.format(scope=sql), values)
        rows = cursor.fetchall()
    return KeywordScores(
        ranked=tuple(chunk_id for chunk_id, _, ranked in rows if ranked),
        scores={chunk_id: float(score) for chunk_id, score, _ in rows},
    )


def lexemes_of(text: str) -> list[str]:
    """Return the stems of the words of `text` that count, for highlighting."""
    with connection.cursor() as cursor:
        cursor.execute(_LEXEMES, [settings.TEXT_SEARCH_CONFIG, text])
        return [row[0] for row in cursor.fetchall()]
