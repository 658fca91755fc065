"""One owner's vectors in the product's database, and the time to find the nearest: `python -m tests.benchmarks.storing`.

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
    import numpy as np

    centre = np.random.default_rng(seed % TOPICS).standard_normal(DIMENSIONS)
    vectors = centre + np.random.default_rng(1_000_000 + seed).standard_normal((count, DIMENSIONS))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


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
    bare = _bare(generation)
    ways: dict[str, Callable[[EmbeddedQuery], list[int]]] = {
        "exact": lambda query: _numbers(exact.neighbours(query, scope, DEPTH)),
        "bare": bare,
        "index": lambda query: _numbers(generation.search(query.vector, DEPTH + DEPTH // 4, None)),
        "store": lambda query: _numbers(store.neighbours(query, scope, DEPTH)),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    right = dict.fromkeys(ways, 0)
    for number, query in enumerate(queries):
        best: set[int] = set()
        for name, way in ways.items():
            began = perf_counter()
            found = way(query)
            milliseconds = 1000 * (perf_counter() - began)
            best = best or set(found[:RECALL_AT])
            if number >= WARM_UP:
                times[name].append(milliseconds)
                right[name] += len(best & set(found[:RECALL_AT]))
    recall = {name: count / (RECALL_AT * QUESTIONS) for name, count in right.items()}
    median = {name: statistics.median(values) for name, values in times.items()}
    return {
        "FAISS alone p50 ms": median["bare"],
        "store p50 ms": median["store"],
        "of it FAISS": median["index"],
        "ratio": median["store"] / median["bare"],
        "recall@10, alone": recall["bare"],
        "recall@10, store": recall["store"],
        "pgvector p50 ms": median["exact"],
    }


def _bare(generation: FaissGeneration) -> Callable[[EmbeddedQuery], list[int]]:
    """Return a search by FAISS alone: the same index in memory, with the same candidates."""
    import faiss

    index: Any = faiss.clone_index(generation.index)
    way: Any = faiss.SearchParametersHNSW(efSearch=400) if hasattr(index, "hnsw") else None
    passages = generation.passages[:]
    faiss.omp_set_num_threads(1)

    def search(query: EmbeddedQuery) -> list[int]:
        return list(passages[index.search(query.vector.reshape(1, -1), DEPTH, params=way)[1][0]])

    return search


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
