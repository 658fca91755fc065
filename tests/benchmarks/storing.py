"""One owner's vectors in a product's database, and how long the nearest take: `python -m tests.benchmarks.storing`.

`fill PASSAGES` writes files without texts or words: only vectors are searched. `measure` prints one JSON object per
way of searching. Run by `tests/benchmarks/test_vector_stores.py`, against a product of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from search.retrieval import EmbeddedQuery, Scope
    from search.vector_stores.base import Neighbour
    from search.vector_stores.faiss import FaissStore
    from search.vector_stores.faiss_index import FaissGeneration

OWNER = "keeper"
DIMENSIONS = 384
TOPICS = 200
_DIRECTIONS = 96
PASSAGES_PER_FILE = 100
QUESTIONS = 200
WARM_UP = 20
DEPTH = 100  # what a search asks for
RECALL_AT = 10


def fill(passages: int) -> None:
    """Give the owner so many passages, in files of a hundred, each about one of the topics."""
    from django.db import connection, transaction

    from orchestra.accounts.models import User
    from search import spaces

    owner = User.objects.get_or_create(username=OWNER)[0]
    space = spaces.for_writing()
    for start in range(0, passages, PASSAGES_PER_FILE):
        with transaction.atomic():
            _add_file(owner, space, start // PASSAGES_PER_FILE)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # what autovacuum does within minutes


def _add_file(owner: Any, space: Any, number: int) -> None:
    from files.models import FileRecord, FileStatus
    from search import spaces
    from search.indexing import writing
    from search.models import IndexedFile

    spaces.hold(space)
    file = FileRecord.objects.create(
        owner=owner, name=f"{number}.txt", size=0, status=FileStatus.READY, media_type="text/plain", kind="text"
    )
    document = IndexedFile.objects.create(
        file=file,
        owner=owner,
        generation=1,
        configuration="english",
        chunk_count=PASSAGES_PER_FILE,
        lexeme_count=0,
    )
    document.refresh_from_db(fields=("number",))
    writing.write_vectors(document, space, enumerate(_vectors(number, PASSAGES_PER_FILE)))


def _vectors(seed: int, count: int) -> NDArray[np.float32]:
    """Return unit vectors of one file.

    They vary along fewer directions than they have numbers, some more than others, around their topic and their file,
    as those of texts do. Vectors around centres alone would be easy: the nearest would be all of one centre.
    """
    import numpy as np

    spread = np.random.default_rng(7).standard_normal((_DIRECTIONS, DIMENSIONS))
    spread /= np.sqrt(1 + np.arange(_DIRECTIONS))[:, None]
    topic = np.random.default_rng(seed % TOPICS).standard_normal(_DIRECTIONS)
    random = np.random.default_rng(1_000_000 + seed)
    file = 0.7 * topic + 0.5 * random.standard_normal(_DIRECTIONS)
    vectors = (file + 0.6 * random.standard_normal((count, _DIRECTIONS))) @ spread
    vectors += 0.15 * random.standard_normal((count, DIMENSIONS))
    unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def measure(way: str) -> dict[str, Any]:
    """Return milliseconds and recall of the FAISS store beside FAISS alone on the same file, in turns."""
    from orchestra.accounts.models import User
    from search import spaces
    from search.retrieval import EmbeddedQuery, Scope

    scope, space = Scope(User.objects.get(username=OWNER).pk), spaces.for_writing()
    with tempfile.TemporaryDirectory() as folder:
        shape = {"flat_rows": 10_000_000} if way == "flat" else {}
        store, seconds = _synced(Path(folder), shape)
        generation = store.generation(space, scope.owner_id)
        assert generation is not None
        queries = [EmbeddedQuery(_vectors(5_000_000 + n, 1)[0], space) for n in range(QUESTIONS + WARM_UP)]
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        return {**_timed(store, generation, queries, scope), "MB": size / 1e6, "sync s": seconds}


def _synced(folder: Path, shape: dict[str, int]) -> tuple[FaissStore, float]:
    from search.indexing import mirroring
    from search.vector_stores.faiss import FaissStore

    store = FaissStore(folder=folder, **shape)
    began = perf_counter()
    assert mirroring.sync(store).added
    return store, perf_counter() - began


def _timed(
    store: FaissStore, generation: FaissGeneration, queries: Sequence[EmbeddedQuery], scope: Scope
) -> dict[str, Any]:
    from search.vector_stores.pgvector import PgVectorStore

    exact = PgVectorStore()
    put_right = _put_right(generation, queries[0], scope)
    # By itself and first: a scan of all vectors leaves nothing of another way in the processor's caches.
    best, scans = _in_turns({"exact": lambda query: _numbers(exact.neighbours(query, scope, DEPTH))}, queries)
    found, times = _in_turns(
        {
            "bare": _bare(generation),
            "index": lambda query: _numbers(generation.search(query.vector, DEPTH + DEPTH // 4, None)),
            "statement": lambda query: _numbers(put_right(query)),
            "store": lambda query: _numbers(store.neighbours(query, scope, DEPTH)),
        },
        queries,
    )
    recall = {name: _recall(best["exact"], answers) for name, answers in found.items()}
    median = {name: statistics.median(values) for name, values in {**scans, **times}.items()}
    return {
        "FAISS alone p50 ms": median["bare"],
        "store p50 ms": median["store"],
        "of it FAISS": median["index"],
        "of it PostgreSQL": median["statement"],
        "ratio": median["store"] / median["bare"],
        "recall@10, alone": recall["bare"],
        "recall@10, store": recall["store"],
        "pgvector p50 ms": median["exact"],
    }


def _in_turns(
    ways: dict[str, Callable[[EmbeddedQuery], list[int]]], queries: Sequence[EmbeddedQuery]
) -> tuple[dict[str, list[list[int]]], dict[str, list[float]]]:
    """Return what each way found and its milliseconds, for each question after the first ones."""
    found: dict[str, list[list[int]]] = {name: [] for name in ways}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for query in queries:
        for name, way in ways.items():
            began = perf_counter()
            answer = way(query)
            times[name].append(1000 * (perf_counter() - began))
            found[name].append(answer)
    return (
        {name: values[WARM_UP:] for name, values in found.items()},
        {name: values[WARM_UP:] for name, values in times.items()},
    )


def _recall(right: Sequence[list[int]], found: Sequence[list[int]]) -> float:
    """Return the share of the ten nearest that are among the first ten found."""
    both = (set(one[:RECALL_AT]) & set(other[:RECALL_AT]) for one, other in zip(right, found, strict=True))
    return sum(map(len, both)) / (RECALL_AT * len(found))


def _bare(generation: FaissGeneration) -> Callable[[EmbeddedQuery], list[int]]:
    """Return a search by FAISS alone: the same index in memory, with the same candidates."""
    import importlib

    faiss: Any = importlib.import_module("faiss")  # the types that come with it are not those of its Python functions
    index = faiss.read_index(str(generation.folder / "index.faiss"))
    way = faiss.SearchParametersHNSW(efSearch=400) if hasattr(index, "hnsw") else None
    passages = generation.passages[:]
    faiss.omp_set_num_threads(1)

    def search(query: EmbeddedQuery) -> list[int]:
        return list(passages[index.search(query.vector.reshape(1, -1), DEPTH, params=way)[1][0]])

    return search


def _put_right(
    generation: FaissGeneration, first: EmbeddedQuery, scope: Scope
) -> Callable[[EmbeddedQuery], list[Neighbour]]:
    """Return the store's round trip to PostgreSQL alone, with a list that is known."""
    from search import mirrors
    from search.vector_stores.base import Nearest, VectorStore

    found = generation.search(first.vector, DEPTH + DEPTH // 4, None)

    class Known(VectorStore):
        def nearest(self, query: EmbeddedQuery, scope: Scope, limit: int) -> Nearest:
            return mirrors.nearest(query, scope, limit, mirrors.Answer("faiss", generation.id, found))

    known = Known()
    return lambda query: known.neighbours(query, scope, DEPTH)


def _numbers(found: Sequence[Neighbour]) -> list[int]:
    return [one.passage for one in found]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestra.settings")
    import django

    django.setup()
    if sys.argv[1] == "fill":
        fill(int(sys.argv[2]))
    else:
        sys.stdout.write(json.dumps(measure(sys.argv[2])) + "\n")
