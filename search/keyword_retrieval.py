"""What the words of a question find: BM25, and what its signs ask for: phrases, excluded words, files by name.

Phrases are looked for in the texts of passages that have all their words. Where no passage has a phrase, the question
is answered as if nothing were quoted: people quote titles from memory.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from django.db import connection

from search import keyword_sql as sql
from search import keywords
from search.analysis import is_paired, sequence
from search.file_names import named_documents
from search.keywords import KeywordQuestion, KeywordScores
from search.models import VectorChunk
from search.ranking.query_syntax import ParsedQuery
from search.retrieval import Scope
from search.scopes import condition

_PHRASE_CANDIDATES = 1000
_PHRASE_BATCH = 100
_MOST_SCANNED = 20_000
_MOST_SCANNED_WORDS = 12


def retrieve(query: ParsedQuery, scope: Scope, limit: int, wanted: Sequence[UUID] = ()) -> KeywordScores:
    """Return the best passages by words, the scores of `wanted` ones, and which of these the question rules out."""
    ask = KeywordQuestion(query, scope, limit, tuple(wanted), named_documents(query.text, scope))
    phrases = [phrase for phrase in query.phrases if sequence(phrase).strip()]
    scores = _with_phrases(ask, phrases) if phrases else None
    if scores is None:
        scores = keywords.best_by_words(ask)
    if not scores.ranked and not keywords.has_lexemes(query.text, scope):
        scores = _scanned(query.text, scope, limit)
    return _without_excluded(scores, ask) if query.excluded else scores


def _with_phrases(ask: KeywordQuestion, phrases: Sequence[str]) -> KeywordScores | None:
    """Return the passages that have all phrases; None where there are none."""
    whole = " ".join(phrases)
    if keywords.has_lexemes(whole, ask.scope):
        every = keywords.best_by_words(replace(ask, limit=_PHRASE_CANDIDATES, whole=whole))
    else:
        every = _scanned(whole, ask.scope, _PHRASE_CANDIDATES)
    ranked = tuple(itertools.islice(_having_all(phrases, every.ranked), ask.limit))
    if not ranked:
        return None
    dropped = frozenset(ask.wanted) - frozenset(ranked)
    return KeywordScores(ranked, {chunk_id: every.scores[chunk_id] for chunk_id in ranked}, dropped)


def _without_excluded(scores: KeywordScores, ask: KeywordQuestion) -> KeywordScores:
    """Leave out passages with excluded words or phrases."""
    among = list({*ask.wanted, *scores.ranked})
    out = keywords.holding(among, ask.query.excluded, ask.scope)
    for excluded in ask.query.excluded:
        words = sequence(excluded).split()
        if len(words) > 1 or any(map(is_paired, words)):  # more than one token: the text tells whether in a row
            out |= set(_having_all([excluded], among))
    return KeywordScores(
        tuple(chunk_id for chunk_id in scores.ranked if chunk_id not in out),
        {chunk_id: score for chunk_id, score in scores.scores.items() if chunk_id not in out},
        scores.dropped | out,
    )


def _having_all(phrases: Collection[str], chunk_ids: Sequence[UUID]) -> Iterator[UUID]:
    """Yield the passages whose text has every phrase, in their order."""
    wanted = [sequence(phrase) for phrase in phrases]
    for start in range(0, len(chunk_ids), _PHRASE_BATCH):
        batch = chunk_ids[start : start + _PHRASE_BATCH]
        texts = dict(VectorChunk.objects.filter(pk__in=batch).values_list("pk", "text"))
        for chunk_id in batch:
            text = sequence(texts.get(chunk_id, ""))
            if all(phrase in text for phrase in wanted):
                yield chunk_id


def _scanned(text: str, scope: Scope, limit: int) -> KeywordScores:
    """Return passages that have words which no index has, next to one another or else all of them.

    Only the owner's first passages are looked at, so that the time has a bound.
    """
    words = sequence(text).split()[:_MOST_SCANNED_WORDS]
    if not words:
        return KeywordScores()
    for patterns in ([_pattern(words)], [_pattern([word]) for word in dict.fromkeys(words)]):
        scope_sql, parameters = condition(scope)
        values = {**parameters, "most": _MOST_SCANNED, "patterns": patterns, "limit": limit}
        with connection.cursor() as cursor:
            cursor.execute(sql.SCAN.format(scope=scope_sql), values)
            if found := [row[0] for row in cursor.fetchall()]:
                return KeywordScores(tuple(found), dict.fromkeys(found, 1.0))
    return KeywordScores()


def _pattern(words: Iterable[str]) -> str:
    """Return a PostgreSQL pattern of words in a row."""
    return "".join(
        (r"\W*" if position and is_paired(word) else r"\W+" if position else "")
        + (re.escape(word) if is_paired(word) else rf"\m{re.escape(word)}\M")
        for position, word in enumerate(words)
    )
