"""The keyword side: BM25 over the owner's postings, inside PostgreSQL.

PostgreSQL's own query parsers join words with AND and find almost nothing for a natural question; here every word of
the question may match, and how rare it is among the owner's passages decides what it weighs.

An owner's files may be in several languages. A word of the question is stemmed by each configuration that these files
were stemmed by, and each stem stands for postings of that configuration alone (`languages.lexeme_prefix`), so that it
is looked up within the files of its language without a join. The word stays one term: how rare it is counts its
passages in all languages, among all of the owner's passages. Statistics of each language by itself would make a
word's weight in three Spanish files and in three thousand English ones two numbers that cannot be compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from search import keyword_sql as sql
from search.analysis import Token, asked, is_paired, normalised
from search.indexing.languages import lexeme_prefix, lexeme_prefixes
from search.models import IndexedFile
from search.ranking.query_syntax import ParsedQuery
from search.retrieval import Scope
from search.scopes import condition, document_condition
from search.stemming import known_dictionaries, stems

K1 = 1.2
B = 0.75
MOST_TERMS = 400  # a question of thousands of different words says no more than its first hundreds
MOST_EXPANSIONS = 200
_MOST_REQUIRED = 60
_SHORTEST_PREFIX = 2  # of letters; a character of a script without spaces says as much alone


@dataclass(frozen=True, slots=True)
class KeywordScores:
    """BM25 of passages: `ranked` are the best ones, best first; `scores` also covers those asked for.

    `dropped` are those of the asked for that the question excludes, or that lack a phrase which it quotes.
    """

    ranked: tuple[UUID, ...] = ()
    scores: dict[UUID, float] = field(default_factory=dict)
    dropped: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class KeywordQuestion:
    """A question to the keywords of `scope`.

    `wanted` are passages whose scores are asked for, whether they are among the `limit` best or not. `named` gives the
    share of the best score that documents, by number, get on top. Passages must have all words of `whole`, stop words
    aside.
    """

    query: ParsedQuery
    scope: Scope
    limit: int
    wanted: tuple[UUID, ...] = ()
    named: Mapping[int, float] = field(default_factory=dict)
    whole: str = ""


def best_by_words(ask: KeywordQuestion) -> KeywordScores:
    """Return the passages that match the words of the question best, and have none that it excludes."""
    terms = _terms(ask.query, ask.scope, ask.whole)
    if not terms and not ask.named:
        return KeywordScores()
    excluded = _excluded(ask.query.excluded, ask.scope)
    values = {
        **condition(ask.scope)[1],
        **_columns(terms),
        "documents": list(ask.named),
        "shares": list(ask.named.values()),
        "excluded": excluded,
        "k1": K1,
        "b": B,
        "limit": ask.limit,
        "wanted": list(ask.wanted),
    }
    with connection.cursor() as cursor:
        cursor.execute(_statement(ask, excluded=bool(excluded)), values)
        rows = cursor.fetchall()
    return KeywordScores(
        ranked=tuple(chunk_id for chunk_id, _, ranked in rows if ranked),
        scores={chunk_id: float(score) for chunk_id, score, _ in rows},
    )


def holding(chunk_ids: Collection[UUID], words: Iterable[str], scope: Scope) -> set[UUID]:
    """Return those of the passages that have one of the words."""
    lexemes = _excluded(words, scope)
    if not lexemes or not chunk_ids:
        return set()
    values = {**condition(scope)[1], "excluded": lexemes, "chunks": list(chunk_ids)}
    with connection.cursor() as cursor:
        cursor.execute(sql.HOLDING.format(documents=document_condition(scope)), values)
        return {row[0] for row in cursor.fetchall()}


def lexemes_of(text: str, configurations: Iterable[str]) -> list[str]:
    """Return the tokens and stems of `text` under each configuration, for highlighting: without any prefix."""
    found = list(asked(text))
    words = {token.text for token in found if not token.exact}
    lexemes = {token.text: None for token in found if token.exact}
    for configuration in configurations:
        lexemes |= dict.fromkeys(stem for stemmed in stems(configuration, words).values() for stem in stemmed)
    return list(lexemes)


def has_lexemes(text: str, scope: Scope) -> bool:
    """Return whether any word of `text` is indexed for any of the owner's languages: stop words are not."""
    return bool(_lexemes(list(asked(text)), scope))


def configurations_of(scope: Scope) -> list[str]:
    """Return the text search configurations that the owner's files were stemmed by."""
    found = IndexedFile.objects.filter(owner_id=scope.owner_id).order_by().values_list("configuration", flat=True)
    return list(found.distinct())


def _excluded(words: Iterable[str], scope: Scope) -> list[str]:
    """Return the lexemes to look up to leave out passages that have one of `words`.

    What is written as a compound is meant as one: `-e-mail` leaves out neither `e` nor `mail`. Phrases, and scripts
    without spaces, are found by the text instead.
    """
    last = [found[-1] for word in words if " " not in word and (found := list(asked(word)))]
    return _lexemes([token for token in last if not is_paired(token.text)], scope)


def _lexemes(tokens: Sequence[Token], scope: Scope) -> list[str]:
    words = {token.text for token in tokens if not token.exact}
    lexemes = [token.text for token in tokens if token.exact]
    for configuration in configurations_of(scope) if words else ():
        prefix = lexeme_prefix(configuration)
        lexemes += [prefix + stem for stemmed in stems(configuration, words).values() for stem in stemmed]
    return lexemes


@dataclass(frozen=True, slots=True)
class _Term:
    number: int
    token: Token
    times: int
    required: bool = False


def _terms(parsed: ParsedQuery, scope: Scope, whole: str) -> list[_Term]:
    """Return the terms of the question. The lexemes that a prefix stands for share its number: they are one term."""
    counted = Counter(asked(parsed.text))
    needed = list(dict.fromkeys(asked(whole)))[:_MOST_REQUIRED]
    ordered = list(dict.fromkeys([*needed, *list(counted)[:MOST_TERMS]]))
    terms = [
        _Term(number, token, counted[token] or 1, required=number < len(needed) and len(token.text) > 1)
        for number, token in enumerate(ordered)
    ]
    starts = [*parsed.prefixes, *(token.text for token in ordered if len(token.text) == 1 and is_paired(token.text))]
    for number, start in enumerate(dict.fromkeys(starts), start=len(terms)):
        terms += [_Term(number, token, 1) for token in _expanded(start, scope)]
    return terms


def _expanded(start: str, scope: Scope) -> list[Token]:
    """Return what stands in the index for the words that begin with `start`, in any of the owner's languages."""
    bare = normalised(start).lower()
    if len(bare) < _SHORTEST_PREFIX and not is_paired(bare):
        return []
    prefixes = [""] if is_paired(bare) else ["", *(lexeme_prefix(name) for name in configurations_of(scope))]
    lexemes: dict[str, None] = {}
    with connection.cursor() as cursor:
        for prefix in dict.fromkeys(prefixes):
            first = prefix + bare
            values: dict[str, Any] = {
                "owner": scope.owner_id,
                "first": first,
                "last": first + "\U0010ffff",
                "limit": MOST_EXPANSIONS,
            }
            cursor.execute(sql.EXPANSIONS, values)
            lexemes |= dict.fromkeys(row[0] for row in cursor.fetchall())
    return [Token(lexeme, exact=True) for lexeme in lexemes]


def _columns(terms: Sequence[_Term]) -> dict[str, Any]:
    return {
        "numbers": [term.number for term in terms],
        "tokens": [term.token.text for term in terms],
        "exact": [term.token.exact for term in terms],
        "times": [term.times for term in terms],
        "required": [term.required for term in terms],
    }


def _statement(ask: KeywordQuestion, *, excluded: bool) -> str:
    documents = document_condition(ask.scope)
    known = settings.TEXT_SEARCH_CONFIG in lexeme_prefixes()
    dictionaries = known_dictionaries() if known else sql.ALL_DICTIONARIES
    return sql.BM25.format(
        terms=sql.TERMS.format(scope=condition(ask.scope)[0], dictionaries=dictionaries),
        documents=documents,
        bits=sql.BITS if ask.whole else "",
        bits_column=", bits" if ask.whole else "",
        having=sql.HAVING if ask.whole else "",
        excluded=sql.EXCLUDED.format(documents=documents) if excluded else "",
        named=sql.NAMED if ask.named else "",
        source="raised" if ask.named else "scored",
    )
