"""How long a search takes over HTTP, part by part, and what PostgreSQL's own means take on the same rows."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import httpx
import psycopg
import pytest

from tests.benchmarks.recording import load_average, record
from tests.benchmarks.texts import VOCABULARY, Writer
from tests.stack import Stack

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

QUESTIONS = 200
WARM_UP = 30
DEPTH = 100  # candidates of each side, as the product's default
PARTS = ("embed", "vectors", "keywords", "fuse", "hits")

_RANKED_BY_POSTGRES = """
SELECT chunk_id FROM benchmark_peer
WHERE owner_id = %(owner)s AND words @@ %(query)s::tsquery
ORDER BY ts_rank(words, %(query)s::tsquery) DESC LIMIT %(limit)s
"""
_NEAREST = """
SELECT chunk_id FROM search_chunkembedding WHERE owner_id = %(owner)s
ORDER BY embedding <=> %(query)s::halfvec LIMIT %(limit)s
"""
_MAKE_PEER = """
DROP TABLE IF EXISTS benchmark_peer;
CREATE TABLE benchmark_peer AS
    SELECT id AS chunk_id, owner_id, to_tsvector('english', text) AS words FROM search_vectorchunk;
CREATE INDEX ON benchmark_peer USING gin (words);
ANALYZE benchmark_peer;
"""


def test_search_latency(product: Stack) -> None:
    """One owner with 10,000 and 100,000 passages, then another one beside who has as many."""
    product.create_user("reader")
    product.create_user("neighbour")
    _fill(product, "reader", 10_000, 1)
    _measure(product, "10,000 passages", peers=True)
    _fill(product, "reader", 90_000, 2)
    _measure(product, "100,000 passages", peers=True)
    _fill(product, "neighbour", 100_000, 3)
    _measure(product, "100,000 passages, and as many of another owner", peers=False)


def _fill(product: Stack, owner: str, passages: int, seed: int) -> None:
    arguments = ("-m", "tests.benchmarks.filling", owner, str(passages), str(seed))
    done = product.python(*arguments, timeout=1800)
    assert done.returncode == 0, done.stderr[-2000:]
    with product.database() as database:
        database.execute("VACUUM ANALYZE")  # what autovacuum does within minutes


def _questions(database: psycopg.Connection[Any], owner: str) -> list[str]:
    rows = database.execute(
        "SELECT text FROM search_vectorchunk WHERE owner_id = %s ORDER BY md5(id::text) LIMIT %s",
        [owner, QUESTIONS + WARM_UP],
    ).fetchall()
    writer = Writer(11, VOCABULARY)
    return list(dict.fromkeys(writer.question(text) for (text,) in rows))


def _measure(product: Stack, name: str, *, peers: bool) -> None:
    load = load_average()
    with product.database() as database:
        (owner,) = database.execute("SELECT id FROM accounts_user WHERE username = 'reader'").fetchone() or ("",)
        questions = _questions(database, owner)
        client = product.client("reader")
        for question in questions[:WARM_UP]:
            _ask(client, question)
        answers = [_ask(client, question) for question in questions[WARM_UP:]]
        record("search", name, _figures(answers), load)
        if peers:
            record("search-peers", name, _compared(_peers(database, owner, questions[WARM_UP:]), answers), load)


def _ask(client: httpx.Client, question: str) -> dict[str, float]:
    """Return milliseconds: over HTTP as `http`, and the product's own parts."""
    began = perf_counter()
    answer = client.post("/api/search", json={"query": question, "limit": 10})
    milliseconds = 1000 * (perf_counter() - began)
    body = answer.json()
    assert len(body["hits"]) == 10, body
    return {"http": milliseconds, **body["timings"]}


def _figures(answers: Sequence[dict[str, float]]) -> dict[str, Any]:
    parts = {f"{part} p50": _p(50, answers, part) for part in PARTS}
    return {"p50 ms": _p(50, answers, "http"), "p95 ms": _p(95, answers, "http"), **parts}


def _p(percent: int, answers: Sequence[dict[str, float]], part: str) -> float:
    return statistics.quantiles([answer[part] for answer in answers], n=100)[percent - 1]


def _peers(database: psycopg.Connection[Any], owner: str, questions: Sequence[str]) -> tuple[float, float]:
    """Return the median milliseconds of PostgreSQL's own exact nearest neighbours and of its own word ranking."""
    database.execute(_MAKE_PEER)
    chance = random.Random(5)
    vectors = [str([round(chance.gauss(0, 1), 4) for _ in range(384)]) for _ in questions]
    queries = [_any_word(database, question) for question in questions]
    exact = _median(lambda query: database.execute(_NEAREST, _values(owner, query)).fetchall(), vectors)
    ranked = _median(lambda query: database.execute(_RANKED_BY_POSTGRES, _values(owner, query)).fetchall(), queries)
    database.execute("DROP TABLE benchmark_peer")
    return exact, ranked


def _compared(peers: tuple[float, float], answers: Sequence[dict[str, float]]) -> dict[str, Any]:
    exact, ranked = peers
    vectors, keywords = _p(50, answers, "vectors"), _p(50, answers, "keywords")
    return {
        "vectors p50 ms": vectors,
        "ORDER BY <=> p50 ms": exact,
        "vectors, ratio": vectors / exact,
        "keywords p50 ms": keywords,
        "ts_rank over GIN p50 ms": ranked,
        "keywords, ratio": keywords / ranked,
    }


def _values(owner: str, query: str) -> dict[str, Any]:
    return {"owner": owner, "query": query, "limit": DEPTH}


def _any_word(database: psycopg.Connection[Any], question: str) -> str:
    """Return the question as a tsquery in which any word may match."""
    row = database.execute("SELECT replace(plainto_tsquery('english', %s)::text, '&', '|')", [question]).fetchone()
    return str(row[0]) if row else ""


def _median(run: Callable[[str], object], queries: Sequence[str]) -> float:
    times = []
    for query in queries:
        began = perf_counter()
        run(query)
        times.append(1000 * (perf_counter() - began))
    return statistics.median(times)
