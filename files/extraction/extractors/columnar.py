"""Parquet, Arrow (Feather) and ORC tables: the schema, then the rows in batches, so that memory stays flat."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.errors import EncryptedFile, MalformedFile, MemoryLimit, TooManyCells, UnsupportedFormat
from files.extraction.limits import Limits
from files.extraction.markdown_table import NumberedRow, table_chunks

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 1_000
_BATCH_CELLS = 50_000
_BUFFER = 256 * 1024
_SCHEMA_CHARS = 2_000
_COLUMNS_TOLD = 2_000
_SHOWN_BYTES = 1_000
_THRIFT_ITEMS = 5_000_000


class ColumnarExtractor(Extractor):
    """Reads the three formats through pyarrow, one thread, without a copy of the file in memory."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the schema, then table segments with their rows. Raises UnsupportedFormat without pyarrow."""
        _prepare()
        with _told_as_ours():
            table = _TABLES[source.media_type](source.path)
            yield Metadata(_facts(table))
            yield from _schema(table)
            yield from _rows(table, limits)


class _Table(ABC):
    """A file that is open: its schema, what its header tells, its batches."""

    schema: pa.Schema
    rows: int

    @abstractmethod
    def __init__(self, path: Path) -> None: ...

    @abstractmethod
    def batches(self, size: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches of about `size`."""

    def facts(self) -> dict[str, object]:
        """Return what only this format tells."""
        return {}


class _Parquet(_Table):
    def __init__(self, path: Path) -> None:
        from pyarrow import parquet

        self._file = parquet.ParquetFile(
            path,
            buffer_size=_BUFFER,
            pre_buffer=False,
            thrift_string_size_limit=64 << 20,
            thrift_container_size_limit=_THRIFT_ITEMS,
        )
        self.schema = self._file.schema_arrow
        self.rows = self._file.metadata.num_rows

    def batches(self, size: int) -> Iterator[pa.RecordBatch]:
        yield from self._file.iter_batches(batch_size=size, use_threads=False)

    def facts(self) -> dict[str, object]:
        told = self._file.metadata
        facts: dict[str, object] = {"row_group_count": told.num_row_groups, "format_version": told.format_version}
        if told.created_by:
            facts["application"] = told.created_by
        if told.num_row_groups and told.num_columns:
            facts["compression"] = told.row_group(0).column(0).compression
        return facts


class _Arrow(_Table):
    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        self._reader = pa.ipc.open_file(pa.OSFile(str(path)))
        self.schema = self._reader.schema
        self.rows = self._reader.count_rows()

    def batches(self, size: int) -> Iterator[pa.RecordBatch]:
        for at in range(self._reader.num_record_batches):
            yield from _slices(self._reader.get_batch(at), size)


class _Orc(_Table):
    def __init__(self, path: Path) -> None:
        from pyarrow import orc

        self._file = orc.ORCFile(str(path))
        self.schema = self._file.schema
        self.rows = self._file.nrows

    def batches(self, size: int) -> Iterator[pa.RecordBatch]:
        for at in range(self._file.nstripes):
            yield from _slices(self._file.read_stripe(at), size)

    def facts(self) -> dict[str, object]:
        return {"compression": str(self._file.compression), "application": str(self._file.software_version)}


_TABLES: dict[str, type[_Table]] = {
    "application/vnd.apache.parquet": _Parquet,
    "application/vnd.apache.arrow.file": _Arrow,
    "application/x-orc": _Orc,
}


def _prepare() -> None:
    """Keep pyarrow to one thread and to the allocator that gives memory back. Raises UnsupportedFormat."""
    try:
        import pyarrow as pa
    except ImportError as exc:
        raise UnsupportedFormat(
            "Parquet, Arrow and ORC tables cannot be read here: a library is missing.", hint="Install pyarrow."
        ) from exc
    pa.set_memory_pool(pa.system_memory_pool())
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


@contextmanager
def _told_as_ours() -> Iterator[None]:
    """Turn what pyarrow raises into errors with our codes."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowMemoryError, MemoryError) as exc:
        raise MemoryLimit from exc
    except (pa.ArrowException, OSError, OverflowError, UnicodeDecodeError, ValueError, KeyError) as exc:
        if "ncrypt" in str(exc):
            raise EncryptedFile from exc
        raise MalformedFile from exc


def _facts(table: _Table) -> dict[str, object]:
    names = [str(name) for name in table.schema.names]
    return {
        "row_count": table.rows,
        "column_count": len(names),
        "column_names": names[:_COLUMNS_TOLD],
        "column_types": {field.name: str(field.type)[:200] for field in list(table.schema)[:_COLUMNS_TOLD]},
        **table.facts(),
    }


def _schema(table: _Table) -> Iterator[Segment]:
    """Yield the columns with their types, so that a table is found by what it holds even without rows."""
    held, size = [f"Table of {table.rows} rows, columns:"], 0
    for field in table.schema:
        line = f"- {field.name}: {str(field.type)[:400]}"
        if size > _SCHEMA_CHARS:
            yield Segment("\n".join(held), SegmentKind.CAPTION)
            held, size = [], 0
        held.append(line)
        size += len(line)
    if held:
        yield Segment("\n".join(held), SegmentKind.CAPTION)


def _rows(table: _Table, limits: Limits) -> Iterator[Piece]:
    columns = max(1, len(table.schema.names))
    rows = _numbered(table, max(1, min(_BATCH_ROWS, _BATCH_CELLS // columns)), limits.cells // columns)
    first = next(rows, None)
    if first is None:
        return
    last = 0
    for chunk in table_chunks((first[0], list(map(str, table.schema.names))), chain([first], rows)):
        yield Segment(chunk.text, SegmentKind.TABLE, Place(row=chunk.first, row_end=chunk.last))
        last = chunk.last
        yield from _progress(last, table.rows)
    yield Coverage("rows", min(last, table.rows), table.rows)


def _progress(done: int, total: int) -> Iterator[Coverage]:
    if done % 10_000 < 20 and done < total:
        yield Coverage("rows", done, total)


def _numbered(table: _Table, size: int, allowed: int) -> Iterator[NumberedRow]:
    number = 0
    for batch in table.batches(size):
        batch.validate(full=True)  # offsets of a damaged file may point anywhere: unchecked they end the process
        columns = [_values(column) for column in batch.columns]
        for row in zip(*columns, strict=True):
            number += 1
            if number > allowed:
                raise TooManyCells
            yield number, row


def _slices(batch: Any, size: int) -> Iterator[Any]:
    for start in range(0, batch.num_rows, size):
        yield batch.slice(start, size)


def _values(column: Any) -> list[str]:
    """Return a column's values as text; times that Python cannot hold or place in a zone as Arrow writes them."""
    import pyarrow as pa

    try:
        return [_shown(value) for value in column.to_pylist()]
    except (ValueError, OverflowError, KeyError, pa.ArrowException):
        return [_shown(value) for value in _as_written(column)]


def _as_written(column: Any) -> list[Any]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz:
        column = column.cast(pa.timestamp(kind.unit))  # UTC, for which no table of zones is needed
    for plain in (pa.string(), pa.int64()):
        try:
            values: list[Any] = column.cast(plain).to_pylist()
        except pa.ArrowException:
            continue
        return values
    return [f"({kind})"] * len(column)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return _shown_bytes(value)
    if isinstance(value, (list, dict, tuple)):
        return json.dumps(value, ensure_ascii=False, default=_shown)
    return str(value)


def _shown_bytes(value: bytes) -> str:
    """Return bytes that are text as text: older writers do not mark their strings."""
    if len(value) <= _SHOWN_BYTES:
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = ""
        if text.isprintable() and (text or not value):
            return text
    return f"({len(value)} bytes)"
