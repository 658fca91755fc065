"""Rows a second, in turn: vectors stored by COPY as the product does, and by Django's bulk_create.

`python -m tests.benchmarks.copying ROWS` in a product's settings prints one JSON object.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from time import perf_counter

ROUNDS = 5
BATCH = 1_000


def measure(rows: int) -> dict[str, float]:
    """Return the medians of both, each in transactions that are rolled back."""
    from django.db import transaction

    from orchestra.accounts.models import User
    from search import spaces
    from search.indexing import writing
    from search.models import ChunkEmbedding, IndexedFile
    from tests.benchmarks.filling import clustered, fill

    fill("copying", 1, 99)
    owner = User.objects.get(username="copying")
    document, space = IndexedFile.objects.get(owner=owner), spaces.for_writing()
    vectors = clustered(1, rows)

    def by_copy() -> None:
        writing.write_vectors(document, space, ((100 + n, vector) for n, vector in enumerate(vectors)))

    def by_bulk_create() -> None:
        ChunkEmbedding.objects.bulk_create(
            (
                ChunkEmbedding(space_id=space.id, owner=owner, document=document, ordinal=100 + n, embedding=vector)
                for n, vector in enumerate(vectors)
            ),
            batch_size=BATCH,
        )

    times: dict[str, list[float]] = {"copy": [], "bulk_create": []}
    for _ in range(ROUNDS):
        for name, write in (("copy", by_copy), ("bulk_create", by_bulk_create)):
            with transaction.atomic():
                began = perf_counter()
                write()
                times[name].append(perf_counter() - began)
                transaction.set_rollback(True)
    return {name: rows / statistics.median(taken) for name, taken in times.items()}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestra.settings")
    import django

    django.setup()
    sys.stdout.write(json.dumps(measure(int(sys.argv[1]))) + "\n")
