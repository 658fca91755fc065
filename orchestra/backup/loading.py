"""Puts the tables of a backup into the database in one transaction: all of them, or the database is as it was.

The schema is made by the migrations that the backup had, so that its rows fit whatever this version's tables look
like. Foreign keys and indexes are taken off while rows are loaded and put on again: each key is then checked for all
rows at once, and each index built in one go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from files.models import FileRecord
from orchestra.backup import tables
from orchestra.backup.errors import BackupNewer, RestoreFailed
from orchestra.backup.folder import PIECE, opened
from orchestra.backup.manifest import Manifest, Table
from orchestra.backup.progress import Tell
from orchestra.common import failpoints
from search import partitions
from search.models import EmbeddingSpace

_SPACES = EmbeddingSpace._meta.db_table
_FILLED = """
SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
AND relnamespace = current_schema()::regnamespace AND relname = ANY(%s)
"""
_FOREIGN_KEYS = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND connamespace = current_schema()::regnamespace AND conparentid = 0
"""
# Those alone that guard nothing, of tables that are no partitions and have none.
_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid AND c.relkind = 'r' AND NOT c.relispartition
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s) AND NOT i.indisunique
"""


def require_known(manifest: Manifest) -> None:
    """Raise BackupNewer unless this version has all the migrations that the backup had."""
    known = MigrationExecutor(connection).loader.disk_migrations
    if unknown := [f"{app}.{name}" for app, name in manifest.migrations if (app, name) not in known]:
        raise BackupNewer(
            f"This backup was made by a newer version: it has the migrations {', '.join(unknown)}.", unknown=unknown
        )


def filled_table() -> str:
    """Return the name of a table that has rows which no migration made; empty where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_FILLED, [[source.table for source in tables.sources()]])
        for (name,) in cursor.fetchall():
            cursor.execute(f"SELECT EXISTS (SELECT FROM {connection.ops.quote_name(name)})")  # noqa: S608
            if cursor.fetchone()[0] and name not in _MADE_BY_MIGRATING:
                return str(name)
    return ""


# A user's own personas are no exception: their owner's row counts.
_MADE_BY_MIGRATING = frozenset({"django_content_type", "auth_permission", "personas_persona"})


def others_connected() -> int:
    """Return how many other connections to this database there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])


def load(backup: Path, manifest: Manifest, tell: Tell) -> None:
    """Replace everything in the database by the backup. Raises RestoreFailed; then nothing was changed."""
    try:
        with transaction.atomic():
            _drop(manifest)
            _make_schema(manifest)
            with _bare([table.name for table in manifest.tables]):
                _empty(table.name for table in manifest.tables)
                for table in manifest.tables:
                    _load(backup, table, tell)
            _set_sequences(manifest)
            _set_storage()
            failpoints.reach("restore.loaded")
    except (DatabaseError, psycopg.Error) as exc:
        raise RestoreFailed(f"{RestoreFailed.default_message} It said: {str(exc).splitlines()[0]}") from exc
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _drop(manifest: Manifest) -> None:
    names = tables.known_tables() | {table.name for table in manifest.tables}
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {tables.quoted(sorted(names))} CASCADE")
        if sequences := [name for name, _ in manifest.sequences]:
            cursor.execute(f"DROP SEQUENCE IF EXISTS {tables.quoted(sequences)} CASCADE")


def _make_schema(manifest: Manifest) -> None:
    """Apply the backup's migrations, and no later ones, to the empty database."""
    executor = MigrationExecutor(connection)
    graph, had = executor.loader.graph, set(manifest.migrations)
    last = [key for key in had if key in graph.nodes and not _followed_in(key, had, executor)]
    executor.migrate(sorted(last))
    with connection.cursor() as cursor:
        # Rows that migrations wrote wait for their foreign keys' checks, and until then their tables cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def _followed_in(key: tuple[str, str], had: set[tuple[str, str]], executor: MigrationExecutor) -> bool:
    children = {child.key for child in executor.loader.graph.node_map[key].children}
    return any(child[0] == key[0] and child in had for child in children)


@contextmanager
def _bare(names: list[str]) -> Iterator[None]:
    """Take foreign keys and indexes off while the block lasts."""
    with connection.cursor() as cursor:
        cursor.execute(_FOREIGN_KEYS)
        keys = cursor.fetchall()
        for table, name, _ in keys:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        cursor.execute(_INDEXES, [names])
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        for _, definition in indexes:
            cursor.execute(definition)
        for table, name, definition in keys:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def _empty(names: Iterable[str]) -> None:
    """Remove what the migrations themselves wrote."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables.quoted(names)}")


def _load(backup: Path, table: Table, tell: Tell) -> None:
    if (here := dict(tables.columns_of(table.name))) | dict(table.columns) != here:
        raise RestoreFailed(f"The table {table.name} has other columns here than in the backup.")
    with connection.cursor() as cursor, opened(backup / table.part.name) as stream:
        columns = tables.quoted(name for name, _ in table.columns)
        statement = f"COPY {tables.quoted([table.name])} ({columns}) FROM STDIN (FORMAT BINARY)"
        with cursor.copy(statement) as copy:
            while piece := stream.read(PIECE):
                copy.write(piece)
        if cursor.rowcount != table.rows:
            raise RestoreFailed(f"{table.name} has {cursor.rowcount:,} rows instead of {table.rows:,}.")
    if table.name == _SPACES:
        _make_partitions()
    if table.rows:
        tell(f"{table.name}: {table.rows:,} rows")


def _make_partitions() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {_SPACES}")  # noqa: S608  # our own name
        for (space_id,) in cursor.fetchall():
            partitions.create(space_id)


def _set_storage() -> None:
    """Let each file know the storage that its bytes were brought back to: the one that new files go to here."""
    table = FileRecord._meta.db_table
    if "storage" in dict(tables.columns_of(table)):  # older backups come from before there was a choice
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET storage = %s", [settings.FILE_STORAGE])  # noqa: S608  # our own name


def _set_sequences(manifest: Manifest) -> None:
    with connection.cursor() as cursor:
        for name, value in manifest.sequences:
            if value:
                cursor.execute("SELECT setval(%s::regclass, %s)", [connection.ops.quote_name(name), value])
