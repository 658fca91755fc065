"""Where the bytes of an upload go among the parts of an S3 multipart upload."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from files.storage.s3_cells import LEAST_PART, MOST_PARTS, CellGrid

SIZES = st.integers(1, 60 * 1024**3)
CHUNKS = st.integers(64 * 1024, 64 * 1024**2)


@given(SIZES, CHUNKS)
def test_parts_are_of_a_size_and_number_that_s3_takes(size: int, chunk_size: int) -> None:
    grid = CellGrid.of(size, chunk_size)
    assert 1 <= grid.cells <= MOST_PARTS
    assert grid.cell_size >= LEAST_PART
    assert grid.cell_size % chunk_size == 0, "a chunk never lies in two parts"
    assert grid.bounds(grid.cells)[1] == size


@given(SIZES, CHUNKS, st.data())
def test_a_run_of_bytes_is_divided_without_gap_or_overlap(size: int, chunk_size: int, data: st.DataObject) -> None:
    grid = CellGrid.of(size, chunk_size)
    offset = data.draw(st.integers(0, size - 1))
    count = data.draw(st.integers(1, min(size - offset, 4 * grid.cell_size)))

    runs = list(grid.runs(offset, count))

    assert runs[0].start == offset
    assert sum(run.size for run in runs) == count
    for run, following in pairwise(runs):
        assert following.start == run.start + run.size
    for run in runs:
        first, last = grid.bounds(run.number)
        assert first <= run.start < run.start + run.size <= last
        assert run.fills_cell == (run.size == last - first)


def test_a_chunk_of_the_usual_size_is_a_part() -> None:
    grid = CellGrid.of(2 * 1024**3, 8 * 1024**2)
    assert (grid.cell_size, grid.cells) == (8 * 1024**2, 256)
    assert next(grid.runs(16 * 1024**2, 8 * 1024**2)).fills_cell
