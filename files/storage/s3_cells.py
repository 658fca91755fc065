"""How the bytes of an upload fall into the parts of an S3 multipart upload.

S3 wants parts of at least 5 MiB but for the last, 10,000 at most, and cannot give them back before all are there. So an
upload is divided into cells: part n is cell n. A cell is as many chunks as make 5 MiB, one where chunks are that large.
What fills a cell goes to S3 as its part at once; what does not is staged as an object until the cell is full.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LEAST_PART = 5 * 1024**2
MOST_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Run:
    """A run of bytes within one cell; `number` is that cell's part, counted from 1 as S3 does."""

    number: int
    start: int
    size: int
    fills_cell: bool


@dataclass(frozen=True, slots=True)
class CellGrid:
    """The cells of one upload: `cell_size` bytes each, but for the last."""

    size: int
    cell_size: int

    @classmethod
    def of(cls, size: int, chunk_size: int) -> CellGrid:
        """Return the grid of an upload of `size` bytes that comes in chunks of `chunk_size`."""
        least = max(LEAST_PART, -(-size // MOST_PARTS))
        return cls(size, chunk_size * -(-least // chunk_size))

    @property
    def cells(self) -> int:
        """Number of cells."""
        return -(-self.size // self.cell_size)

    def bounds(self, number: int) -> tuple[int, int]:
        """Return where a cell begins and ends."""
        start = (number - 1) * self.cell_size
        return start, min(start + self.cell_size, self.size)

    def runs(self, offset: int, count: int) -> Iterator[Run]:
        """Yield `count` bytes from `offset` cell by cell."""
        position, end = offset, offset + count
        while position < end:
            number = position // self.cell_size + 1
            first, last = self.bounds(number)
            until = min(end, last)
            yield Run(number, position, until - position, (position, until) == (first, last))
            position = until
