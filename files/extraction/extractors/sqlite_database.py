"""SQLite databases: the schema, then the rows of ordinary tables. Nothing that the database defines is run.

The file is opened read-only and immutable, so nothing is written beside it. Views, triggers, virtual tables and
generated columns may hold code; an authorizer lets nothing through but reading columns of tables.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from urllib.parse import quote

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import EncryptedFile, MalformedFile
from files.extraction.limits import Limits
from files.extraction.markdown_table import NumberedRow, table_chunks

_MARK = b"SQLite format 3\x00"
_TABLE_SECONDS = 60.0
_COUNT_SECONDS = 5.0
_STEPS = 20_000
_CELL_CHARS = 1_000_000
_VALUE_BYTES = 64 << 20
_TABLES = 2_000
_SQL_CHARS = 20_000
_SHADOWS = (
    "_content", "_segments", "_segdir", "_docsize", "_stat", "_data", "_idx", "_config", "_node", "_parent", "_rowid",
)  # fmt: skip
_SETTINGS = ("trusted_schema=OFF", "cell_size_check=ON", "query_only=ON", "mmap_size=0", "cache_size=-8000")
_PRAGMAS = ("table_xinfo", "encoding", "page_size", "user_version", "application_id")
_FUNCTIONS = ("typeof", "length", "substr", "count", "")
_ERRORS = (sqlite3.Error, UnicodeDecodeError)  # the latter while it words the former: a damaged name is in the message
_ALLOWED = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)


class SqliteExtractor(Extractor):
    """Reads the tables of one database file."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the schema as SQL, then table segments. Raises EncryptedFile, MalformedFile."""
        _refuse_what_is_none(source.path)
        with closing(_connect(source.path)) as connection:
            with _told_as_ours():
                schema = _Schema(connection)
            yield Metadata(schema.facts(connection))
            yield from schema.segments()
            yield from _tables(connection, schema, limits)


@dataclass(frozen=True, slots=True)
class _Defined:
    """A line of the schema."""

    kind: str
    name: str
    sql: str

    @property
    def is_virtual(self) -> bool:
        return self.sql.upper().startswith("CREATE VIRTUAL")


class _Schema:
    """What the database says it holds."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        rows = connection.execute(
            f"SELECT type, name, substr(sql, 1, {_SQL_CHARS}) FROM sqlite_master LIMIT {4 * _TABLES}"  # noqa: S608 - numbers
        )
        self.all = [_Defined(str(kind), str(name), str(sql or "")) for kind, name, sql in rows]
        tables = [item for item in self.all if item.kind == "table" and not item.name.startswith("sqlite_")]
        self.virtual = [item.name for item in tables if item.is_virtual]
        shadows = {f"{name}{ending}" for name in self.virtual for ending in _SHADOWS}
        self.tables = [item for item in tables if not item.is_virtual and item.name not in shadows][:_TABLES]
        # A full-text index keeps its text in an ordinary table; that is read in place of the index.
        self.contents = {
            f"{name}_content": name for name in self.virtual if any(t.name == f"{name}_content" for t in tables)
        }

    def names(self) -> list[str]:
        """Return the tables as a user knows them."""
        return [item.name for item in self.tables] + self.virtual

    def facts(self, connection: sqlite3.Connection) -> dict[str, object]:
        """Return the metadata that the schema and the header give."""
        facts: dict[str, object] = {"table_names": self.names(), "table_count": len(self.names())}
        for kind, key in (("view", "view_names"), ("trigger", "trigger_names")):
            if names := [item.name for item in self.all if item.kind == kind]:
                facts[key] = names
        if self.virtual:
            facts["virtual_tables"] = self.virtual
        for name in ("encoding", "page_size", "user_version", "application_id"):
            facts[name] = connection.execute(f"PRAGMA {name}").fetchone()[0]
        return facts

    def segments(self) -> Iterator[Segment]:
        """Yield the SQL that defines each table and view; what is defined is not run."""
        for item in self.all:
            if item.kind in ("table", "view") and item.sql and not item.name.startswith("sqlite_"):
                yield Segment(item.sql, SegmentKind.CODE, Place(part=(item.name,)))


def _refuse_what_is_none(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(_MARK):
        return
    # An encrypted database looks random from its first byte on; a damaged one keeps its zeros and its letters.
    if len(head) == 4096 and len(set(head)) == 256 and max(head.count(byte) for byte in range(256)) < 50:
        raise EncryptedFile
    raise MalformedFile


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    with _told_as_ours():
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, cached_statements=0)
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE_BYTES)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0)
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}")
        connection.set_authorizer(_authorize)
    return connection


def _authorize(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
    """Let reads of columns through, the functions that we use, and nothing that a view or trigger asks for."""
    if inner is None:
        if action in _ALLOWED:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and second in _FUNCTIONS:
            return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


@contextmanager
def _told_as_ours() -> Iterator[None]:
    try:
        yield
    except _ERRORS as exc:
        raise MalformedFile from exc


def _tables(connection: sqlite3.Connection, schema: _Schema, limits: Limits) -> Iterator[Piece]:
    """Yield the rows of each table, giving each its share of the cells that are allowed."""
    readable = [*[item.name for item in schema.tables], *schema.contents]
    left, total, told = limits.cells, 0, []
    for at, name in enumerate(readable):
        shown = schema.contents.get(name, name)
        reading = _Reading(connection, name, shown, left // (len(readable) - at))
        yield from reading.pieces()
        left -= reading.cells
        total += reading.rows
        told.append({"name": shown, "row_count": reading.rows, "columns": reading.columns})
        yield Coverage("tables", at + 1, len(readable))
    yield Metadata({"row_count": total, "tables": told})
    for name in schema.virtual:
        if name not in schema.contents.values():
            yield PieceWarning(
                "virtual_table", f"The table {name} was not read: it needs a program of its own.", Place(part=(name,))
            )


class _Reading:
    """One table: its columns, its rows, and how it went."""

    def __init__(self, connection: sqlite3.Connection, name: str, shown: str, allowed: int) -> None:
        self._connection = connection
        self._name = name
        self._shown = shown
        self._allowed = allowed
        self.columns: list[str] = []
        self.rows = self.cells = 0
        self._is_cut = False

    def pieces(self) -> Iterator[Piece]:
        """Yield the table's segments, and a warning where it could not be read to its end."""
        try:
            with _timed(self._connection, _TABLE_SECONDS):
                yield from self._segments()
        except _ERRORS as error:
            code = "time_limit" if "interrupt" in str(error) else "malformed"
            why = "reading it took too long" if code == "time_limit" else f"the database is damaged there ({error})"
            yield self._warning(code, f"The table {self._shown} was not read to its end: {why}.")
        if self._is_cut:
            read, self.rows = self.rows, max(self.rows, self._counted())
            yield self._warning(
                "too_many_cells", f"Of the table {self._shown} only the first {read} of {self.rows} rows were read."
            )

    def _segments(self) -> Iterator[Piece]:
        columns = self._connection.execute(f"PRAGMA table_xinfo({_quoted(self._name)})").fetchall()
        self.columns = [str(column[1]) for column in columns if column[6] == 0]  # others are generated by code
        if not self.columns:
            return
        rows = self._numbered()
        first = next(rows, None)
        if first is None:
            return
        for chunk in table_chunks((first[0], self.columns), chain([first], rows)):
            place = Place(part=(self._shown,), row=chunk.first, row_end=chunk.last)
            yield Segment(chunk.text, SegmentKind.TABLE, place)

    def _numbered(self) -> Iterator[NumberedRow]:
        wanted = ", ".join(map(_safe_value, self.columns))
        for row in self._connection.execute(f"SELECT {wanted} FROM {_quoted(self._name)}"):  # noqa: S608 - quoted names
            if self.cells + len(row) > self._allowed:
                self._is_cut = True
                return
            self.rows += 1
            self.cells += len(row)
            yield self.rows, ["" if value is None else str(value) for value in row]

    def _counted(self) -> int:
        """Return how many rows there are, as far as that can be counted in time."""
        try:
            with _timed(self._connection, _COUNT_SECONDS):
                query = f"SELECT count(*) FROM {_quoted(self._name)}"  # noqa: S608 - quoted name
                return int(self._connection.execute(query).fetchone()[0])
        except _ERRORS:
            return 0

    def _warning(self, code: str, message: str) -> PieceWarning:
        return PieceWarning(code, message, Place(part=(self._shown,)))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _safe_value(column: str) -> str:
    """Return the SQL of a column's value: of bytes only how many there are, of long text the start."""
    name = _quoted(column)
    return (
        f"CASE typeof({name}) WHEN 'blob' THEN '(' || length({name}) || ' bytes)' "
        f"WHEN 'text' THEN substr({name}, 1, {_CELL_CHARS}) ELSE {name} END"
    )


@contextmanager
def _timed(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Let statements of `connection` run for `seconds`, the time between their rows included."""
    ends = time.monotonic() + seconds
    connection.set_progress_handler(lambda: int(time.monotonic() > ends), _STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)
