"""Fills a product's index without reading or embedding: `python -m tests.benchmarks.filling OWNER PASSAGES SEED`.

Passages go through `search.indexing.writing`, as every file's do. Their vectors are random and lie in clusters, one per
topic: for how long a scan takes, their meaning does not matter.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from orchestra.accounts.models import User
    from search.indexing.chunking import Chunk

PASSAGES_PER_FILE = 100
CHARACTERS = 900
DIMENSIONS = 384


def fill(owner_name: str, passages: int, seed: int) -> None:
    """Give an owner so many passages in files of a hundred at most."""
    from orchestra.accounts.models import User

    owner = User.objects.get_or_create(username=owner_name)[0]
    for number, start in enumerate(range(0, passages, PASSAGES_PER_FILE)):
        _add_file(owner, seed * 1_000_000 + number, min(PASSAGES_PER_FILE, passages - start))


def _add_file(owner: User, seed: int, passages: int) -> None:
    from django.db import transaction

    from files.models import FileRecord, FileStatus
    from search import spaces
    from search.indexing import writing
    from search.indexing.spool import ChunkSpool

    with transaction.atomic(), ChunkSpool() as spool:
        file = FileRecord.objects.create(
            owner=owner, name=f"{seed}.txt", size=0, status=FileStatus.READY, media_type="text/plain", kind="text"
        )
        spool.add(*_passages(seed, passages))
        writing.replace(file, 1, spool, spaces.for_writing())


def _passages(seed: int, count: int) -> tuple[list[Chunk], NDArray[np.float32]]:
    import numpy as np

    from files.extraction.document import Place
    from search.indexing.chunking import Chunk
    from tests.benchmarks.texts import TOPICS, VOCABULARY, Writer

    topic, writer = seed % TOPICS, Writer(seed, VOCABULARY)
    chunks = [
        Chunk(number, writer.paragraph(topic, CHARACTERS), Place(line=number * 10 + 1), 200) for number in range(count)
    ]
    centre = np.random.default_rng(topic).standard_normal(DIMENSIONS)
    vectors = centre + np.random.default_rng(seed).standard_normal((count, DIMENSIONS))
    return chunks, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestra.settings")
    import django

    django.setup()
    fill(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
