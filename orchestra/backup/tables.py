"""Which rows a backup has: those of all applications' tables, from Django's registry, but a few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import ForeignKey, Model

from files.models import FileRecord, FileStatus, Upload
from search.models import ChunkEmbedding, MirroredDocument, MirrorGeneration

# Sessions would come back to life, and with them those that were ended since. Mirrors are made anew. Of uploads under
# way only parts of the bytes are there, which change while they are copied.
LEFT_OUT: tuple[type[Model], ...] = (Session, Upload, MirrorGeneration, MirroredDocument)
# Its partitions are made for the rows of another table.
LAST = ChunkEmbedding._meta.db_table

_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""
_SEQUENCES = """
SELECT sequencename, coalesce(last_value, 0) FROM pg_sequences WHERE schemaname = current_schema() ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Source:
    """A table and the condition, in SQL, that its rows must meet; empty for all of them."""

    table: str
    condition: str = ""


def sources() -> list[Source]:
    """Return the tables of a backup, those last whose partitions other rows decide on.

    A database that was not migrated to this version lacks the newest: it is backed up as it is.
    """
    there = set(connection.introspection.table_names())
    models = [model for model in _models() if model._meta.db_table in there and not _is_left_out(model)]
    found = [Source(model._meta.db_table, _condition(model)) for model in models]
    return sorted(found, key=lambda one: (one.table == LAST, one.table))


def known_tables() -> set[str]:
    """Return the names of all tables that the product has, in the backup or not."""
    return {model._meta.db_table for model in _models()} | {MigrationRecorder.Migration._meta.db_table}


def columns_of(table: str) -> tuple[tuple[str, str], ...]:
    """Return a table's columns in order, each with its type."""
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS, [connection.ops.quote_name(table)])
        return tuple((name, kind) for name, kind in cursor.fetchall())


def sequences() -> tuple[tuple[str, int], ...]:
    """Return the sequences with their last values; 0 for one that was not used yet."""
    with connection.cursor() as cursor:
        cursor.execute(_SEQUENCES)
        return tuple((name, value) for name, value in cursor.fetchall())


def applied_migrations() -> tuple[tuple[str, str], ...]:
    """Return the migrations that the database has."""
    return tuple(sorted(MigrationRecorder(connection).applied_migrations()))


def quoted(names: Iterable[str]) -> str:
    """Return names for a statement, separated by commas."""
    return ", ".join(map(connection.ops.quote_name, names))


def _models() -> Iterator[type[Model]]:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield model


def _is_left_out(model: type[Model]) -> bool:
    """Tell whether a model's rows stay out, or hang on rows that do."""
    return model in LEFT_OUT or any(key.related_model in LEFT_OUT for key in _keys(model))


def _keys(model: type[Model]) -> list[ForeignKey[Model, Model]]:
    return [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]


def _condition(model: type[Model]) -> str:
    """Leave out files that are being uploaded, and what hangs on them."""
    uploading = f"status = '{FileStatus.UPLOADING.value}'"
    if model is FileRecord:
        return f"NOT ({uploading})"
    columns = [key.column for key in _keys(model) if key.related_model is FileRecord]
    table = FileRecord._meta.db_table
    return " AND ".join(
        f"NOT EXISTS (SELECT FROM {table} f WHERE f.id = t.{column} AND f.{uploading})"  # our own names
        for column in columns
    )
