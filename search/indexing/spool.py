"""Embedded chunks on their way to the database, on disk: memory stays flat, and a dead worker leaves nothing behind."""

from __future__ import annotations

import json
import struct
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Self
from uuid import UUID

from files.extraction.document import Place
from orchestra.common.identifiers import new_id
from search.indexing.chunking import Chunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_HEADER = struct.Struct("!II")


class ChunkSpool:
    """An anonymous temporary file of (id, chunk, vector) records, written once and read as often as needed."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by our own __exit__
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, chunks: Sequence[Chunk], vectors: NDArray[np.float32]) -> None:
        """Append chunks with their vectors, shape (len(chunks), dimensions)."""
        for chunk, vector in zip(chunks, vectors.astype("<f4"), strict=True):
            head = json.dumps(
                [str(new_id()), chunk.ordinal, chunk.text, asdict(chunk.place), chunk.token_count]
            ).encode()
            body = vector.tobytes()
            self._file.write(_HEADER.pack(len(head), len(body)) + head + body)
            self.count += 1

    def records(self) -> Iterator[tuple[UUID, Chunk, NDArray[np.float32]]]:
        """Yield the records in the order they were added."""
        import numpy as np

        self._file.seek(0)
        while header := self._file.read(_HEADER.size):
            head_size, body_size = _HEADER.unpack(header)
            chunk_id, ordinal, text, place, tokens = json.loads(self._file.read(head_size))
            place["headings"], place["part"] = tuple(place["headings"]), tuple(place["part"])
            vector = np.frombuffer(self._file.read(body_size), "<f4")
            yield UUID(chunk_id), Chunk(ordinal, text, Place(**place), tokens), vector
