"""Words to lexemes, by PostgreSQL's own dictionaries: the same SQL for the words of passages and of questions.

A configuration maps words of letters to its language's stemmer, and words of plain ASCII perhaps to another: an English
word in a Russian text is stemmed as English.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from django.db import connection

# Two fragments. The first needs an array of configuration names; one that does not exist (any more) has no row.
DICTIONARIES = """
    SELECT names.name AS configuration, m.maptokentype = 1 AS ascii, m.mapseqno AS place, m.mapdict AS dictionary
    FROM unnest({configurations}) AS names (name)
    JOIN pg_ts_config c ON c.cfgname = substring(names.name from '[^.]*$')
    JOIN pg_namespace s ON s.oid = c.cfgnamespace
    JOIN pg_ts_config_map m ON m.mapcfg = c.oid AND m.maptokentype IN (1, 2)
    WHERE CASE WHEN strpos(names.name, '.') > 0 THEN s.nspname = substring(names.name from '^[^.]*')
          ELSE pg_ts_config_is_visible(c.oid) END
"""
_KNOWN = """
SELECT c.cfgname, m.maptokentype = 1, m.mapseqno, m.mapdict::oid::bigint
FROM pg_ts_config c JOIN pg_ts_config_map m ON m.mapcfg = c.oid
WHERE c.cfgnamespace = 'pg_catalog'::regnamespace AND m.maptokentype IN (1, 2)
"""
# The lexemes of one word: {} for a stop word, the word itself where no dictionary knows it.
LEXEMES = """
    coalesce((SELECT ts_lexize(d.dictionary, {word}) FROM dictionaries d
              WHERE d.configuration = {configuration} AND d.ascii = ({word} ~ '^[a-z]+$')
              AND ts_lexize(d.dictionary, {word}) IS NOT NULL ORDER BY d.place LIMIT 1), ARRAY[{word}])
"""
_STEMS = f"""
WITH dictionaries AS MATERIALIZED ({DICTIONARIES.format(configurations="ARRAY[%(configuration)s]")})
SELECT word, {LEXEMES.format(word="word", configuration="%(configuration)s")} FROM unnest(%(words)s::text[]) AS w (word)
"""  # noqa: S608  # put together from the fixed texts above


def stems(configuration: str, words: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the lexemes of each word under a text search configuration; none for a stop word."""
    with connection.cursor() as cursor:
        cursor.execute(_STEMS, {"configuration": configuration, "words": list(words)})
        return {word: tuple(lexemes) for word, lexemes in cursor.fetchall()}


@cache
def known_dictionaries() -> str:
    """Return the rows of DICTIONARIES for the configurations that PostgreSQL comes with, as fixed SQL.

    Joining three catalogues takes a millisecond of planning in every search. Once per process: the rows change with the
    server's version only.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN)
        rows = [row for row in cursor.fetchall() if row[0].isidentifier()]
    values = ", ".join(f"('{name}', {is_ascii}, {place}, {number}::oid)" for name, is_ascii, place, number in rows)
    return f"SELECT * FROM (VALUES {values}) AS k (configuration, ascii, place, dictionary)"  # noqa: S608  # checked
