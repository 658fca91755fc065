"""Fills a product's index without reading or embedding: `python -m tests.benchmarks.filling [OWNER PASSAGES SEED]…`.

Passages go through `search.indexing.writing`, as every file's do. Their vectors are random: they lie in clusters, one
per topic, and vary in few directions, as those of texts do. `… multiply COPIES OWNER…` gives owners so many copies of
their passages, in SQL, each with vectors of its own: a million passages would take an hour otherwise.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from orchestra.accounts.models import User
    from search.indexing.chunking import Chunk

PASSAGES_PER_FILE = 100
CHARACTERS = 900
DIMENSIONS = 384

_FILES = """
CREATE TEMPORARY TABLE copied ON COMMIT DROP AS
    SELECT d.file_id AS old_file, d.number AS old_number, uuidv7() AS file_id,
           nextval('search_indexedfile_number_seq') AS number, owner_id
    FROM search_indexedfile d WHERE d.number = ANY(%(originals)s);
INSERT INTO files_filerecord (id, owner_id, name, size, status, media_type, kind, sha256, storage_key, metadata,
        language, tags, warnings, reader, has_thumbnail, segment_count, character_count, chunk_count, error_code,
        error_message, error_hint, version, generation, created_at, updated_at)
    SELECT c.file_id, c.owner_id, f.name, size, status, media_type, kind, sha256, storage_key, metadata, language, tags,
        warnings, reader, has_thumbnail, segment_count, character_count, chunk_count, error_code, error_message,
        error_hint, version, generation, created_at, updated_at
    FROM files_filerecord f JOIN copied c ON c.old_file = f.id;
INSERT INTO search_indexedfile (file_id, owner_id, number, generation, language, configuration, analysis, chunk_count,
        lexeme_count, created_at)
    SELECT c.file_id, c.owner_id, c.number, generation, language, configuration, analysis, chunk_count, lexeme_count,
        created_at
    FROM search_indexedfile d JOIN copied c ON c.old_number = d.number;
INSERT INTO search_vectorchunk (id, file_id, owner_id, generation, ordinal, text, place, token_count)
    SELECT uuidv7(), c.file_id, c.owner_id, generation, ordinal, text || ' ' || c.number, place, token_count
    FROM search_vectorchunk v JOIN copied c ON c.old_file = v.file_id;
INSERT INTO search_keywordposting (owner_id, document_id, block, lexeme, postings)
    SELECT c.owner_id, c.number, block, lexeme, postings
    FROM search_keywordposting p JOIN copied c ON c.old_number = p.document_id;
"""


def fill(owner_name: str, passages: int, seed: int) -> None:
    """Give an owner so many passages in files of a hundred at most."""
    from orchestra.accounts.models import User

    owner = User.objects.get_or_create(username=owner_name)[0]
    for number, start in enumerate(range(0, passages, PASSAGES_PER_FILE)):
        _add_file(owner, seed * 1_000_000 + number, min(PASSAGES_PER_FILE, passages - start))


def multiply(owner_name: str, copies: int) -> None:
    """Give an owner copies of what they have."""
    from django.db import connection, transaction

    from orchestra.accounts.models import User
    from search import spaces
    from search.indexing import writing
    from search.models import IndexedFile

    owner = User.objects.get(username=owner_name)
    originals = list(IndexedFile.objects.filter(owner=owner).values_list("number", flat=True))
    for _ in range(copies):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_FILES, {"originals": originals})
            cursor.execute("SELECT number FROM copied")
            for document in IndexedFile.objects.filter(number__in=[row[0] for row in cursor.fetchall()]):
                vectors = clustered(document.number, document.chunk_count)
                writing.write_vectors(document, spaces.for_writing(), enumerate(vectors))


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
        spool.add(_chunks(seed, passages), clustered(seed, passages))
        writing.replace(file, 1, spool, spaces.for_writing())


def _chunks(seed: int, count: int) -> list[Chunk]:
    from files.extraction.document import Place
    from search.indexing.chunking import Chunk
    from tests.benchmarks.texts import TOPICS, VOCABULARY, Writer

    topic, writer = seed % TOPICS, Writer(seed, VOCABULARY)
    return [
        Chunk(number, writer.paragraph(topic, CHARACTERS), Place(line=number * 10 + 1), 200) for number in range(count)
    ]


def clustered(seed: int, count: int) -> NDArray[np.float32]:
    """Return unit vectors around the centre of the seed's topic, shape (count, 384)."""
    import numpy as np

    from tests.benchmarks.texts import TOPICS

    centre = np.random.default_rng(seed % TOPICS).standard_normal(DIMENSIONS)
    vectors = centre + np.random.default_rng(seed).standard_normal((count, DIMENSIONS)) @ _directions()
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@cache
def _directions() -> NDArray[np.float64]:
    """Return directions of falling weight, whose sum has about the length of a centre."""
    import numpy as np

    weights = 1 / np.sqrt(np.arange(1, DIMENSIONS + 1))
    weights *= np.sqrt(DIMENSIONS / np.square(weights).sum())
    basis, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((DIMENSIONS, DIMENSIONS)))
    return np.asarray(weights[:, None] * basis)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestra.settings")
    import django

    django.setup()
    if sys.argv[1] == "multiply":
        for owner_name in sys.argv[3:]:
            multiply(owner_name, int(sys.argv[2]))
    else:
        for owner_name, count, first in zip(*(iter(sys.argv[1:]),) * 3, strict=True):
            fill(owner_name, int(count), int(first))
