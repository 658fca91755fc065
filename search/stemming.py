"""Words to lexemes, by PostgreSQL's own dictionaries: in one way for the words of passages and of questions.

A configuration maps words of letters to its language's stemmer, and words of plain ASCII perhaps to another: an English
word in a Russian text is stemmed as English.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

_STEMS = """
WITH dictionaries AS MATERIALIZED (
    SELECT m.maptokentype = 1 AS ascii, m.mapseqno AS place, m.mapdict AS dictionary
    FROM pg_ts_config c
    JOIN pg_namespace s ON s.oid = c.cfgnamespace
    JOIN pg_ts_config_map m ON m.mapcfg = c.oid AND m.maptokentype IN (1, 2)
    WHERE c.cfgname = substring(%(configuration)s from '[^.]*$')
      AND CASE WHEN strpos(%(configuration)s, '.') > 0 THEN s.nspname = substring(%(configuration)s from '^[^.]*')
          ELSE pg_ts_config_is_visible(c.oid) END
)
SELECT word, coalesce(
    (SELECT ts_lexize(d.dictionary, word) FROM dictionaries d
     WHERE d.ascii = (word ~ '^[a-z]+$') AND ts_lexize(d.dictionary, word) IS NOT NULL ORDER BY d.place LIMIT 1),
    ARRAY[word])
FROM unnest(%(words)s::text[]) AS w (word)
"""
_MOST_KNOWN = 50_000
_known: dict[tuple[str, str], tuple[str, ...]] = {}


def stems(configuration: str, words: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the lexemes of each word under a text search configuration; none for a stop word.

    The database is asked for words that this process did not meet lately: most questions need no look at it.
    """
    found = {word: lexemes for word in words if (lexemes := _known.get((configuration, word))) is not None}
    if len(found) == len(words):
        return found
    asked = [word for word in words if word not in found]
    with connection.cursor() as cursor:
        cursor.execute(_STEMS, {"configuration": configuration, "words": asked})
        new = {word: tuple(lexemes) for word, lexemes in cursor.fetchall()}
    if len(_known) + len(new) > _MOST_KNOWN:
        _known.clear()
    _known.update({(configuration, word): lexemes for word, lexemes in new.items()})
    return {**found, **new}
