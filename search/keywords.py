"""Both sides of a search in one statement: BM25 over the owner's postings, nearest vectors, and each other's scores.

PostgreSQL's own query parsers join words with AND and find almost nothing for a natural question; here every word of
the question may match, and how rare it is among the owner's passages decides what it weighs.

An owner's files may be in several languages. A word of the question is stemmed by each configuration that these files
were stemmed by, and each stem stands for postings of that configuration alone (`languages.lexeme_prefix`), so that it
is looked up within the files of its language without a join. The word stays one term: how rare it is counts its
passages in all languages, among all of the owner's passages. Statistics of each language by itself would make a
word's weight in three Spanish files and in three thousand English ones two numbers that cannot be compared.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from search import frequencies
from search import keyword_sql as sql
from search.analysis import Token, asked, is_paired, normalised
from search.file_names import NamesSought
from search.indexing.languages import lexeme_prefix
from search.models import IndexedFile
from search.owners import MANY_DOCUMENTS, OwnerFacts, facts_of
from search.passages import document_of
from search.ranking.query_syntax import ParsedQuery
from search.retrieval import Found, Scope, Space
from search.scopes import document_condition, file_condition, parameters_of
from search.stemming import stems
from search.vector_stores.base import NOTHING_NEAR, Nearest, rows, statement

K1 = 1.2
B = 0.75
MOST_TERMS = 400  # a question of thousands of different words says no more than its first hundreds
MOST_EXPANSIONS = 200
_MOST_REQUIRED = 60
_KINDS = ("passage", "term", "name", "configuration")  # of rows that the statement gives
_CONSIDERED = 5  # times the passages that words are to bring: so many are scored by the frequent words too
_SHORTEST_PREFIX = 2  # of letters; a character of a script without spaces says as much alone


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the index of `scope`.

    `near` brings the nearest passages, and the vector with which what only the words found is compared; without it
    there are none, and no cosines. `limit` is how many passages the words bring. `named` gives the share of the best
    score that documents, by number, get on top. Passages must have all words of `whole`, stop words aside.
    """

    query: ParsedQuery
    scope: Scope
    limit: int
    space: Space | None = None
    near: Nearest = NOTHING_NEAR
    names: NamesSought | None = None
    named: Mapping[int, float] = field(default_factory=dict)
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the statement found: passages, best by words first; the weight of each lexeme; names of documents.

    `configurations` are those by which the files of the scope were stemmed.
    """

    found: tuple[Found, ...]
    weights: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    configurations: frozenset[str] = frozenset()


def look_up(ask: Question) -> Answer:
    """Return the passages that match the words of the question best and those that are near to it."""
    configurations = _configurations(ask)
    answer = _asked(ask, configurations)
    if answer.configurations <= set(configurations):
        return answer
    facts_of.forget()  # a file in a language that was not there a moment ago
    return _asked(ask, sorted(answer.configurations))


def _asked(ask: Question, configurations: Sequence[str]) -> Answer:
    excluded = _excluded(ask.query.excluded, configurations)
    statistics, known = _statistics(ask)
    names = ask.names if ask.names and not ask.named else None
    terms = _terms(ask, configurations)
    later = _deferred(ask, terms)
    values = {
        **parameters_of(ask.scope),
        **ask.near.parameters,
        **known,
        **_columns(terms, later),
        **(names.parameters if names else {}),
        "considered": _CONSIDERED * ask.limit,
        "limit": ask.limit,
        "documents": list(ask.named),
        "shares": list(ask.named.values()),
        "excluded": excluded,
        "k1": K1,
        "b": B,
    }
    hybrid = _hybrid(ask, names, statistics, excluded=bool(excluded), deferred=bool(later))
    with connection.cursor() as cursor:
        cursor.execute(statement(ask.near, hybrid), values)
        return _answer(rows(cursor))


def _large(ask: Question) -> OwnerFacts | None:
    """Return the facts of an owner of so many files that counting in each search takes too long."""
    if ask.space is None or ask.scope.narrowed:
        return None
    facts = facts_of(ask.scope.owner_id, ask.space)
    return facts if facts.documents > MANY_DOCUMENTS else None


def _deferred(ask: Question, terms: Sequence[_Term]) -> dict[str, int]:
    """Return the frequent words that are added to the scores of candidates alone, with their number of passages.

    Required words and files that the question names need the scores of all passages.
    """
    facts = _large(ask)
    if facts is None or ask.whole or ask.named:
        return {}
    lexemes = [term.lexeme for term in terms]
    return frequencies.deferred(lexemes, _frequencies(ask.scope.owner_id, facts.passages, lexemes), ask.limit)


def _frequencies(owner_id: UUID, passages: int, lexemes: Iterable[str]) -> Mapping[str, int]:
    """Return how many of the owner's passages have each lexeme; those not known from earlier are counted now."""
    known = frequencies.counted.of(owner_id, passages)
    if not (new := [lexeme for lexeme in lexemes if lexeme not in known]):
        return known
    with connection.cursor() as cursor:
        cursor.execute(sql.FREQUENCIES, {"owner": owner_id, "lexemes": new})
        counts = {**dict.fromkeys(new, 0), **{lexeme: int(count) for lexeme, count in cursor.fetchall()}}
    frequencies.counted.learn(owner_id, passages, counts)
    return {**known, **counts}


def cosines(passages: Collection[int], ask: Question) -> dict[int, float]:
    """Return the cosine of each of the passages to the question; none for a question without a vector."""
    if "vector" not in ask.near.parameters:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(sql.COSINES, {**ask.near.parameters, "passages": list(passages)})
        return dict(cursor.fetchall())


def holding(passages: Collection[int], words: Iterable[str], scope: Scope) -> set[int]:
    """Return those of the passages that have one of the words."""
    lexemes = _excluded(words, configurations_of(scope))
    if not lexemes or not passages:
        return set()
    values = {**parameters_of(scope), "excluded": lexemes, "among": list({document_of(p) for p in passages})}
    with connection.cursor() as cursor:
        cursor.execute(sql.HOLDING.format(documents=document_condition(scope)), values)
        return {row[0] for row in cursor.fetchall()} & set(passages)


def has_lexemes(text: str, scope: Scope) -> bool:
    """Return whether any word of `text` is indexed for any of the owner's languages: stop words are not."""
    return bool(_lexemes(list(asked(text)), configurations_of(scope)))


def rarity(words: Iterable[str], scope: Scope) -> dict[str, float]:
    """Return how rare each word is among the owner's passages, as BM25 weighs it; stop words are left out."""
    configurations = configurations_of(scope)
    tokens = {word: found[0] for word in dict.fromkeys(words) if (found := list(asked(word)))}
    stemmed = _stemmed(tokens.values(), configurations)
    lexemes = {word: [lexeme for found in stemmed[token] for lexeme in found] for word, token in tokens.items()}
    passages = IndexedFile.objects.filter(owner_id=scope.owner_id).aggregate(n=Sum("chunk_count"))["n"] or 0
    every = list({lexeme for found in lexemes.values() for lexeme in found})
    with connection.cursor() as cursor:
        cursor.execute(sql.FREQUENCIES, {"owner": scope.owner_id, "lexemes": every})
        counts = {lexeme: int(count) for lexeme, count in cursor.fetchall()}
    return {
        word: math.log(1 + (max(passages - having, 0) + 0.5) / (having + 0.5))
        for word, found in lexemes.items()
        if (having := sum(counts.get(lexeme, 0) for lexeme in found))
    }


def configurations_of(scope: Scope) -> list[str]:
    """Return the text search configurations that the owner's files were stemmed by."""
    found = IndexedFile.objects.filter(owner_id=scope.owner_id).order_by().values_list("configuration", flat=True)
    return list(found.distinct())


def _answer(found_rows: Iterable[tuple[Any, ...]]) -> Answer:
    by_kind: dict[str, list[tuple[Any, ...]]] = {kind: [] for kind in _KINDS}
    for kind, *row in found_rows:
        by_kind[kind].append(tuple(row))
    found = [
        Found(passage, cosine or 0.0, float(score), near, worded)
        for passage, cosine, score, near, worded, _ in by_kind["passage"]
    ]
    return Answer(
        found=tuple(sorted(found, key=lambda one: (-one.keyword, one.passage))),
        weights={label.rpartition("=")[2]: float(score) for _, _, score, _, _, label in by_kind["term"]},
        names={number: label for number, *_, label in by_kind["name"]},
        configurations=frozenset(label for *_, label in by_kind["configuration"]),
    )


def _configurations(ask: Question) -> Sequence[str]:
    if ask.space is None:
        return configurations_of(ask.scope)
    return facts_of(ask.scope.owner_id, ask.space).configurations


def _statistics(ask: Question) -> tuple[str, dict[str, Any]]:
    """Return the SQL for the number of passages and their mean length, and its parameters."""
    if (facts := _large(ask)) is not None:
        mean = facts.lexemes / facts.passages if facts.passages else None
        return sql.KNOWN, {"n": facts.passages, "mean": mean, "configurations": list(facts.configurations)}
    return sql.COUNTED.format(files=file_condition(ask.scope)), {}


def _excluded(words: Iterable[str], configurations: Sequence[str]) -> list[str]:
    """Return the lexemes to look up to leave out passages that have one of `words`.

    What is written as a compound is meant as one: `-e-mail` leaves out neither `e` nor `mail`. Phrases, and scripts
    without spaces, are found by the text instead.
    """
    last = [found[-1] for word in words if " " not in word and (found := list(asked(word)))]
    return _lexemes([token for token in last if not is_paired(token.text)], configurations)


def _lexemes(tokens: Sequence[Token], configurations: Sequence[str]) -> list[str]:
    by_token = _stemmed(tokens, configurations)
    return list(dict.fromkeys(lexeme for token in tokens for stemmed in by_token[token] for lexeme in stemmed))


def _stemmed(tokens: Iterable[Token], configurations: Sequence[str]) -> dict[Token, list[list[str]]]:
    """Return what stands in the index for each token: a list for each configuration, empty for its stop words."""
    found: dict[Token, list[list[str]]] = {token: [[token.text]] if token.exact else [] for token in tokens}
    words = {token.text for token in found if not token.exact}
    for configuration in configurations if words else ():
        prefix, stemmed = lexeme_prefix(configuration), stems(configuration, words)
        for token, lexemes in found.items():
            if not token.exact:
                lexemes.append([prefix + stem for stem in stemmed[token.text]])
    return found


@dataclass(frozen=True, slots=True)
class _Term:
    """A lexeme of the question. All that one word or prefix stands for share its `number`: they are one term."""

    number: int
    lexeme: str
    times: int
    bit: int = 0


def _terms(ask: Question, configurations: Sequence[str]) -> list[_Term]:
    counted = Counter(asked(ask.query.text))
    needed = list(dict.fromkeys(asked(ask.whole)))[:_MOST_REQUIRED]
    ordered = list(dict.fromkeys([*needed, *list(counted)[:MOST_TERMS]]))
    stemmed = _stemmed(ordered, configurations)
    terms = []
    for number, token in enumerate(ordered):
        # A passage has a required word in its own language; one that any language does not count cannot be required.
        required = number < len(needed) and len(token.text) > 1 and all(stemmed[token])
        lexemes = dict.fromkeys(lexeme for found in stemmed[token] for lexeme in found)
        terms += [_Term(number, lexeme, counted[token] or 1, required << number) for lexeme in lexemes]
    starts = [
        *ask.query.prefixes,
        *(token.text for token in ordered if len(token.text) == 1 and is_paired(token.text)),
    ]
    for number, start in enumerate(dict.fromkeys(starts), start=len(ordered)):
        terms += [_Term(number, lexeme, 1) for lexeme in _expanded(start, ask.scope, configurations)]
    return terms


def _expanded(start: str, scope: Scope, configurations: Sequence[str]) -> list[str]:
    """Return what stands in the index for the words that begin with `start`, in any of the owner's languages."""
    bare = normalised(start).lower()
    if len(bare) < _SHORTEST_PREFIX and not is_paired(bare):
        return []
    prefixes = [""] if is_paired(bare) else ["", *map(lexeme_prefix, configurations)]
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
    return list(lexemes)


def _columns(terms: Sequence[_Term], later: Mapping[str, int]) -> dict[str, Any]:
    return {
        "read": [term.lexeme for term in terms if term.lexeme not in later],
        "deferred": list(later),
        "deferred_passages": list(later.values()),
        "numbers": [term.number for term in terms],
        "lexemes": [term.lexeme for term in terms],
        "times": [term.times for term in terms],
        "bits": [term.bit for term in terms],
    }


def _hybrid(ask: Question, names: NamesSought | None, statistics: str, *, excluded: bool, deferred: bool) -> str:
    documents = document_condition(ask.scope)
    more = sql.DEFERRED.format(documents=documents) if deferred else sql.NAMED if ask.named else ""
    return sql.HYBRID.format(
        stats=statistics,
        documents=documents,
        bits=sql.BITS if ask.whole else "",
        bits_column=", bits" if ask.whole else "",
        having=sql.HAVING if ask.whole else "",
        excluded=sql.EXCLUDED.format(documents=documents) if excluded else "",
        known=sql.KNOWN_COUNTS if deferred else "",
        more=more,
        source="completed" if deferred else "raised" if ask.named else "scored",
        near=ask.near.sql,
        cosine=sql.COSINE if "vector" in ask.near.parameters else "NULL",
        names=names.sql if names else sql.NO_NAMES,
    )
