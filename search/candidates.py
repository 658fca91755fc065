"""Candidates for the hits of a question: what both sides bring, and what its signs ask for: phrases, excluded words.

One round trip to the database for a plain question. Phrases are looked for in the texts of passages that have all their
words. Where no passage has a phrase, the question is answered as if nothing were quoted: people quote titles from
memory.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from django.db import connection

from search import keyword_sql as sql
from search import keywords, metrics
from search.analysis import is_paired, sequence
from search.file_names import named_documents, names_sought
from search.keywords import Answer, Question
from search.ranking.query_syntax import ParsedQuery
from search.retrieval import EmbeddedQuery, Found, Scope
from search.scopes import file_condition, parameters_of
from search.vector_stores.base import NOTHING_NEAR, Nearest, VectorStore, listed, with_document

_PHRASE_CANDIDATES = 1000
_PHRASE_BATCH = 100
_BESIDE_EXCLUDED = 3  # vectors do not know which passages have an excluded word: they bring more to choose from
_MOST_SCANNED = 20_000
_MOST_SCANNED_WORDS = 12


@dataclass(frozen=True, slots=True)
class Candidates:
    """Passages that may be hits, best by words first; `weights` tells what each lexeme of the question weighs.

    `method` says how vectors were compared.
    """

    found: tuple[Found, ...] = ()
    weights: dict[str, float] = field(default_factory=dict)
    method: str = ""


def find(
    query: ParsedQuery,
    scope: Scope,
    depth: int,
    embedded: EmbeddedQuery | None = None,
    store: VectorStore | None = None,
    *,
    including: int | None = None,
) -> Candidates:
    """Return the union of the `depth` best passages by words and by meaning, with both scores of each.

    Without a vector, words alone. All passages of the document `including` are among those by meaning.
    """
    near = NOTHING_NEAR
    if embedded is not None and store is not None:
        near = store.nearest(embedded, scope, depth * _BESIDE_EXCLUDED if query.excluded else depth)
        metrics.vector_searches.add(near.method)
    if including is not None:
        near = with_document(near, including)
    space = embedded.space if embedded else None
    ask = Question(query, scope, depth, space, near, names_sought(query.text, scope))
    phrases = [phrase for phrase in query.phrases if sequence(phrase).strip()]
    answer = _with_phrases(ask, phrases) if phrases else None
    if answer is None:
        answer = _with_names(ask)
    if not any(one.worded for one in answer.found) and not keywords.has_lexemes(query.text, scope):
        answer = _with_scanned(answer, query.text, ask)
    found = _without_excluded(answer.found, ask) if query.excluded else answer.found
    return Candidates(found, dict(answer.weights), near.method)


def _with_names(ask: Question) -> Answer:
    """Look up; once more where the question names files, which makes their passages rise."""
    answer = keywords.look_up(ask)
    if not (named := named_documents(answer.names, ask.query.text)):
        return answer
    return keywords.look_up(replace(ask, named=named, near=_again(ask.near, answer.found)))


def _with_phrases(ask: Question, phrases: Sequence[str]) -> Answer | None:
    """Return the passages that have all phrases; None where there are none."""
    whole = " ".join(phrases)
    named = named_documents(keywords.look_up(replace(ask, limit=1)).names, ask.query.text)
    near = _again(ask.near, ())
    if keywords.has_lexemes(whole, ask.scope):
        every = keywords.look_up(replace(ask, limit=_PHRASE_CANDIDATES, whole=whole, near=near, named=named))
    else:
        every = _with_scanned(Answer(()), whole, replace(ask, limit=_PHRASE_CANDIDATES))
    by_passage = {one.passage: one for one in every.found}
    having = itertools.islice(_having_all(phrases, list(by_passage), ask.scope), ask.limit)
    found = tuple(by_passage[passage] for passage in having)
    return Answer(found, every.weights) if found else None


def _again(near: Nearest, found: Iterable[Found]) -> Nearest:
    """Return what a store has brought already, for a second statement, with the vector to compare others with."""
    kept = listed([], near.method)
    passages = [one for one in found if one.near]
    return replace(
        kept,
        parameters={
            **near.parameters,
            "near_passages": [one.passage for one in passages],
            "near_cosines": [one.cosine for one in passages],
        },
    )


def _without_excluded(found: Sequence[Found], ask: Question) -> tuple[Found, ...]:
    """Leave out passages with excluded words or phrases."""
    among = [one.passage for one in found]
    out = keywords.holding(among, ask.query.excluded, ask.scope)
    for excluded in ask.query.excluded:
        words = sequence(excluded).split()
        if len(words) > 1 or any(map(is_paired, words)):  # more than one token: the text tells whether in a row
            out |= set(_having_all([excluded], among, ask.scope))
    return tuple(one for one in found if one.passage not in out)


def _having_all(phrases: Collection[str], passages: Sequence[int], scope: Scope) -> Iterator[int]:
    """Yield the passages whose text has every phrase, in their order."""
    wanted = [sequence(phrase) for phrase in phrases]
    for start in range(0, len(passages), _PHRASE_BATCH):
        batch = passages[start : start + _PHRASE_BATCH]
        with connection.cursor() as cursor:
            cursor.execute(sql.TEXTS, {"passages": list(batch), "owner": scope.owner_id})
            texts = dict(cursor.fetchall())
        for passage in batch:
            text = sequence(texts.get(passage, ""))
            if all(phrase in text for phrase in wanted):
                yield passage


def _with_scanned(answer: Answer, text: str, ask: Question) -> Answer:
    """Add passages that have words which no index has, next to one another or else all of them.

    Only the owner's first passages are looked at, so that the time has a bound.
    """
    words = sequence(text).split()[:_MOST_SCANNED_WORDS]
    if not words:
        return answer
    known = {one.passage: one for one in answer.found}
    for patterns in ([_pattern(words)], [_pattern([word]) for word in dict.fromkeys(words)]):
        values = {**parameters_of(ask.scope), "most": _MOST_SCANNED, "patterns": patterns, "limit": ask.limit}
        with connection.cursor() as cursor:
            cursor.execute(sql.SCAN.format(files=file_condition(ask.scope)), values)
            scanned = [row[0] for row in cursor.fetchall()]
        if scanned:
            return _scored(known, scanned, answer, ask)
    return answer


def _scored(known: dict[int, Found], scanned: Sequence[int], answer: Answer, ask: Question) -> Answer:
    """Return the union of what was known and what was found by its text, all of the latter with one score."""
    cosines = keywords.cosines(scanned, ask)
    found = {
        passage: Found(passage, cosines.get(passage, 0.0), 1.0, near=passage in known, worded=True)
        for passage in scanned
    }
    return replace(answer, found=tuple({**known, **found}.values()))


def _pattern(words: Iterable[str]) -> str:
    """Return a PostgreSQL pattern of words in a row."""
    return "".join(
        (r"\W*" if position and is_paired(word) else r"\W+" if position else "")
        + (re.escape(word) if is_paired(word) else rf"\m{re.escape(word)}\M")
        for position, word in enumerate(words)
    )
