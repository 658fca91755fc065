"""How long a search takes over HTTP, part by part, and what PostgreSQL's own means take on the same rows."""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import chain, cycle
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from search.indexing.refilling import MAINTENANCE_LOCK
from tests.benchmarks.recording import load_average, record
from tests.benchmarks.texts import VOCABULARY, Writer
from tests.stack import Stack

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3 * 3600)]

QUESTIONS = 200
WARM_UP = 30
DEPTH = 100  # candidates of each side, as the product's default
PARTS = ("embed", "retrieve", "fuse", "hits")
SCALE = float(os.environ.get("BENCHMARK_SEARCH_SCALE", "1"))  # for trying it out
SMALL, MIDDLE, LARGE = (round(SCALE * passages) for passages in (10_000, 100_000, 1_000_000))
SHARES = {"half": 0.5, "twentieth": 0.05, "two_hundredth": 0.005, "two_thousandth": 0.0005}
OTHERS = 20  # owners who have the rest
A_SECOND = 50
SECONDS = 20
MODES = ("basic", "deep", "super_deep", "creative", "private")
MODE_QUESTIONS = 40
UNTIL_STEADY = 5  # threads and their connections are opened by the first searches that come at once

_RANKED_BY_POSTGRES = """
SELECT chunk_id FROM benchmark_peer
WHERE owner_id = %(owner)s AND words @@ %(query)s::tsquery
ORDER BY ts_rank(words, %(query)s::tsquery) DESC LIMIT %(limit)s
"""
_NEAREST = """
SELECT document_id, ordinal FROM search_chunkembedding WHERE owner_id = %(owner)s
ORDER BY embedding <=> %(query)s::halfvec LIMIT %(limit)s
"""
TABLES = {
    "passages": r"search\_vectorchunk%",
    "vectors": r"search\_vectors\_%",
    "keywords": r"search\_keywordposting%",
}
_SIZE = """
SELECT sum(pg_relation_size(oid))::float8, (sum(pg_relation_size(oid)) FILTER (WHERE relkind = 'i'))::float8
FROM (SELECT c.oid, c.relkind, coalesce(t.relname, c.relname) AS of FROM pg_class c
      LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = i.indrelid
      WHERE c.relkind IN ('r', 'i')) r
WHERE r.of LIKE %s
"""
_MAKE_PEER = """
DROP TABLE IF EXISTS benchmark_peer;
CREATE TABLE benchmark_peer AS
    SELECT id AS chunk_id, owner_id, to_tsvector('english', text) AS words FROM search_vectorchunk;
CREATE INDEX ON benchmark_peer USING gin (words);
ANALYZE benchmark_peer;
"""


def test_search_latency(product: Stack) -> None:
    """Owners of half, a twentieth, a two-hundredth and a two-thousandth of 10,000, 100,000 and 1,000,000 passages.

    Then each mode without a language model, as many searches a second as are promised, and searches while another
    owner's files are imported.
    """
    for passages, more, seed in ((SMALL, SMALL, 1), (MIDDLE, MIDDLE - SMALL, 2)):
        _fill_shares(product, more, seed)
        _measure_all(product, passages)
    _each_mode(product)
    _sustained(product)
    _beside_an_import(product)
    _multiply(product)
    _measure_all(product, LARGE)
    _sizes(product)


def _measure_all(product: Stack, passages: int) -> None:
    for owner, share in SHARES.items():
        name = f"{passages * share:,.0f} of {passages:,} passages"
        _measure(product, owner, name, peers=owner == "half" and passages < LARGE)
        _recall(product, owner, name)


def _recall(product: Stack, owner: str, name: str) -> None:
    load = load_average()
    done = product.python("-m", "tests.benchmarks.recalling", owner, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    recall = float(done.stdout.splitlines()[-1])
    record("search-recall", name, {"recall@10": f"{recall:.3f}"}, load)
    assert recall >= 0.98, name


def _fill_shares(product: Stack, passages: int, seed: int) -> None:
    left = 1 - sum(SHARES.values())
    owners = {**SHARES, **{f"other{number}": left / OTHERS for number in range(OTHERS)}}
    for owner in SHARES:
        product.create_user(owner)
    wanted = [
        (owner, str(max(2, round(passages * share))), str(100 * seed + number))
        for number, (owner, share) in enumerate(owners.items())
    ]
    _run(product, "tests.benchmarks.filling", *chain.from_iterable(wanted))
    _settle(product)


def _multiply(product: Stack) -> None:
    """Make a million passages of a hundred thousand."""
    owners = (*SHARES, *(f"other{number}" for number in range(OTHERS)))
    with product.database() as database:
        # An index of the owner makes each row a hundred times as dear: it is built again after, and not meanwhile.
        database.execute("SELECT pg_advisory_lock(%s)", [MAINTENANCE_LOCK])
        for (name,) in database.execute("SELECT relname FROM pg_class WHERE relname LIKE 'search\\_hnsw%'").fetchall():
            database.execute(f"DROP INDEX {name}")
        _run(product, "tests.benchmarks.filling", "multiply", "9", *owners)
    _settle(product)


def _settle(product: Stack) -> None:
    """Do what autovacuum and the product's own maintenance do within minutes."""
    with product.database() as database:
        database.execute("VACUUM ANALYZE")
    done = product.manage("rebuild_index", timeout=3600)
    assert done.returncode == 0, done.stderr[-2000:]


def _run(product: Stack, *arguments: str) -> None:
    done = product.python("-m", *arguments, timeout=3600)
    assert done.returncode == 0, done.stderr[-2000:]


def _questions(product: Stack, owner: str) -> list[str]:
    with product.database() as database:
        rows = database.execute(
            "SELECT text FROM search_vectorchunk JOIN accounts_user u ON u.id = owner_id WHERE username = %s "
            "ORDER BY md5(search_vectorchunk.id::text) LIMIT %s",
            [owner, QUESTIONS + WARM_UP],
        ).fetchall()
    writer = Writer(11, VOCABULARY)
    asked = [writer.question(text) for _, (text,) in zip(range(QUESTIONS + WARM_UP), cycle(rows), strict=False)]
    return [f"{question} {number}" for number, question in enumerate(asked)]  # none is asked twice


def _measure(product: Stack, owner: str, name: str, *, peers: bool) -> None:
    load, client = load_average(), product.client(owner)
    questions = _questions(product, owner)
    for question in questions[:WARM_UP]:
        _ask(client, question)
    answers = [_ask(client, question) for question in questions[WARM_UP:]]
    record("search", name, _figures(answers), load)
    if peers:
        with product.database() as database:
            compared = _compared(_peers(database, _id_of(database, owner), questions[WARM_UP:]), answers)
        record("search-peers", name, compared, load)


def _id_of(database: psycopg.Connection[Any], owner: str) -> str:
    row = database.execute("SELECT id FROM accounts_user WHERE username = %s", [owner]).fetchone()
    return str(row[0]) if row else ""


def _each_mode(product: Stack) -> None:
    """Ask each mode the same questions in turn, so that a busy minute slows all alike."""
    load, client = load_average(), product.client("twentieth")
    questions = _questions(product, "twentieth")[: WARM_UP + MODE_QUESTIONS]
    answers = [{mode: _ask(client, f"{question} {mode}", mode) for mode in MODES} for question in questions][WARM_UP:]
    usual = _p(50, [each["basic"] for each in answers], "http")
    for mode in MODES:
        own = [each[mode] for each in answers]
        figures = {"p50 ms": _p(50, own, "http"), "p95 ms": _p(95, own, "http")}
        record("search-modes", mode, {**figures, "p50, ratio to basic": figures["p50 ms"] / usual}, load)


def _sustained(product: Stack) -> None:
    """Ask so many questions a second, of all shares in turn, each when it is due whether or not others are answered."""
    load, here = load_average(), threading.local()
    tokens = {owner: product.client(owner).headers["Authorization"] for owner in SHARES}
    address = urlsplit(product.url).netloc
    asked = [(owner, question) for pair in zip(*(_questions(product, o) for o in SHARES), strict=True)
             for owner, question in zip(SHARES, pair, strict=True)]  # fmt: skip
    began = perf_counter() + 0.5

    def ask(number: int) -> float:
        due = began + number / A_SECOND
        time.sleep(max(0.0, due - perf_counter()))
        owner, question = asked[number % len(asked)]
        if not hasattr(here, "connection"):  # a plain one: httpx takes a tenth of the two cores for itself
            here.connection = HTTPConnection(address, timeout=60)
        body = json.dumps({"query": f"{question} again {number}", "limit": 10})
        headers = {"Authorization": tokens[owner], "Content-Type": "application/json"}
        here.connection.request("POST", "/api/search", body, headers)
        answer = here.connection.getresponse()
        assert (answer.status, b'"hits"' in answer.read()) == (200, True)
        return 1000 * (perf_counter() - due)

    with ThreadPoolExecutor(32) as pool:
        waits = list(pool.map(ask, range(A_SECOND * (UNTIL_STEADY + SECONDS))))[A_SECOND * UNTIL_STEADY :]
    took = perf_counter() - began - UNTIL_STEADY
    percentiles = statistics.quantiles(waits, n=100)
    figures = {"searches/s": len(waits) / took, "p50 ms": percentiles[49], "p95 ms": percentiles[94]}
    record("search-load", f"{A_SECOND} a second for {SECONDS} s, {MIDDLE:,} passages", figures, load)


def _beside_an_import(product: Stack) -> None:
    """Search while 100,000 passages of somebody else are stored."""
    client, load = product.client("half"), load_average()
    questions = _questions(product, "half")
    alone = [_ask(client, question)["http"] for question in questions]
    command = [sys.executable, "-m", "tests.benchmarks.filling", "newcomer", str(MIDDLE), "77"]
    with product.beside(command) as process:
        time.sleep(3)
        meanwhile = [_ask(client, f"{question} meanwhile")["http"] for question in questions]
        assert process.poll() is None, "the import ended too soon to be measured beside"
    p50, p50_meanwhile = statistics.median(alone), statistics.median(meanwhile)
    figures = {"alone p50 ms": p50, "meanwhile p50 ms": p50_meanwhile, "ratio": p50_meanwhile / p50}
    record("search-import", f"{MIDDLE // 2:,} of {MIDDLE:,} passages, and {MIDDLE:,} coming in", figures, load)


def _sizes(product: Stack) -> None:
    """Record what a passage takes on disk."""
    load = load_average()
    with product.database() as database:
        (count,) = database.execute("SELECT count(*) FROM search_vectorchunk").fetchone() or (1,)
        for name, pattern in TABLES.items():
            (size, indexes) = database.execute(_SIZE, [pattern]).fetchone() or (0, 0)
            figures = {"bytes a passage": size / count, "of these indexes": indexes / count, "GB": size / 1024**3}
            record("search-size", f"{name}, {count / 1e6:.2f} million passages", figures, load)


def _ask(client: httpx.Client, question: str, mode: str = "basic") -> dict[str, float]:
    """Return milliseconds: over HTTP as `http`, and the product's own parts."""
    began = perf_counter()
    answer = client.post("/api/search", json={"query": question, "limit": 10, "mode": mode})
    milliseconds = 1000 * (perf_counter() - began)
    body = answer.json()
    assert body["hits"], body
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
    both = _p(50, answers, "retrieve")
    return {
        "both sides p50 ms": both,
        "ORDER BY <=> p50 ms": exact,
        "ts_rank over GIN p50 ms": ranked,
        "ratio to both": both / (exact + ranked),
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
