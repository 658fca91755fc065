from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from files.extraction.errors import EncryptedFile, MalformedFile
from files.extraction.limits import Limits
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.samples import write

SQLITE = "application/vnd.sqlite3"


def database(script: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "d.sqlite"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(script)
            connection.commit()
        return path.read_bytes()


SHIPS = "CREATE TABLE ships (id INTEGER PRIMARY KEY, name TEXT, log BLOB);" + "".join(
    f"INSERT INTO ships VALUES ({at}, 'Aurora {at}', x'00ff00');" for at in range(200)
)


class TestSqliteExtractor(ExtractorContract):
    media_type = SQLITE
    ending = "sqlite"
    sample = database(SHIPS + "CREATE TABLE ports (name TEXT); INSERT INTO ports VALUES ('Hull');")
    says = "| 199 | Aurora 199 | (3 bytes) |"

    def test_tables_and_counts_are_told(self, path: Path) -> None:
        told = facts(read(path, SQLITE))
        assert told["table_names"] == ["ships", "ports"]
        assert told["row_count"] == 201
        assert told["tables"] == [
            {"name": "ships", "row_count": 200, "columns": ["id", "name", "log"]},
            {"name": "ports", "row_count": 1, "columns": ["name"]},
        ]

    def test_each_segment_names_its_table_and_rows(self, path: Path) -> None:
        found = segments(read(path, SQLITE))
        assert {segment.place.part for segment in found} == {("ships",), ("ports",)}
        rows = [segment.place.row_end for segment in found if segment.place.part == ("ships",)]
        assert rows[-1] == 200

    def test_nothing_is_written_beside_the_file(self, path: Path) -> None:
        read(path, SQLITE)
        assert [entry.name for entry in path.parent.iterdir()] == [path.name]

    def test_a_large_table_leaves_room_for_the_others(self, path: Path) -> None:
        pieces = read(path, SQLITE, Limits(cells=60))
        assert "Hull" in text_of(pieces)
        assert warnings_of(pieces) == ["too_many_cells"]
        assert facts(pieces)["row_count"] == 201


def test_views_and_triggers_are_shown_and_never_run(tmp_path: Path) -> None:
    script = (
        SHIPS
        + "CREATE VIEW forever AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c;"
        "CREATE VIEW huge AS SELECT randomblob(1000000000);"
    )
    pieces = read(write(tmp_path / "v.sqlite", database(script)), SQLITE)
    assert facts(pieces)["view_names"] == ["forever", "huge"]
    assert "CREATE VIEW huge" in text_of(pieces)
    assert not warnings_of(pieces)


def test_columns_that_are_generated_by_code_are_left_out(tmp_path: Path) -> None:
    script = "CREATE TABLE g (a TEXT, b AS (hex(zeroblob(100000000)))); INSERT INTO g (a) VALUES ('kept');"
    pieces = read(write(tmp_path / "g.sqlite", database(script)), SQLITE)
    assert "| kept |" in text_of(pieces)
    assert not warnings_of(pieces)


def test_a_table_named_like_a_view_of_code_is_only_a_name(tmp_path: Path) -> None:
    script = 'CREATE TABLE "a""b; DROP TABLE x" (z TEXT); INSERT INTO "a""b; DROP TABLE x" VALUES (\'words\');'
    pieces = read(write(tmp_path / "n.sqlite", database(script)), SQLITE)
    assert "| words |" in text_of(pieces)
    assert facts(pieces)["table_names"] == ['a"b; DROP TABLE x']


def test_a_full_text_table_is_read_from_its_content_without_its_module(tmp_path: Path) -> None:
    script = "CREATE VIRTUAL TABLE notes USING fts5(title, body); INSERT INTO notes VALUES ('Log', 'calm seas');"
    pieces = read(write(tmp_path / "f.sqlite", database(script)), SQLITE)
    assert "calm seas" in text_of(pieces)
    assert facts(pieces)["table_names"] == ["notes"]
    assert not warnings_of(pieces)


def test_a_virtual_table_without_content_is_told(tmp_path: Path) -> None:
    script = "CREATE VIRTUAL TABLE boxes USING rtree(id, a, b); CREATE TABLE t (x); INSERT INTO t VALUES (1);"
    assert warnings_of(read(write(tmp_path / "r.sqlite", database(script)), SQLITE)) == ["virtual_table"]


def test_a_table_without_row_ids_is_read(tmp_path: Path) -> None:
    script = "CREATE TABLE w (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID; INSERT INTO w VALUES ('key', 'value');"
    assert "| key | value |" in text_of(read(write(tmp_path / "w.sqlite", database(script)), SQLITE))


def test_a_damaged_page_costs_only_its_table(tmp_path: Path) -> None:
    data = bytearray(database(SHIPS.replace("ships", "lost") + "CREATE TABLE t (x); INSERT INTO t VALUES ('kept');"))
    data[4096:8192] = b"\x07" * 4096
    pieces = read(write(tmp_path / "d.sqlite", bytes(data)), SQLITE)
    assert "| kept |" in text_of(pieces)
    assert warnings_of(pieces) == ["malformed"]


def test_a_damaged_schema_is_refused_with_a_code(tmp_path: Path) -> None:
    data = database(SHIPS).replace(b"CREATE TABLE ships", b"CREATE TABLE\x80ships")
    with pytest.raises(MalformedFile):
        read(write(tmp_path / "s.sqlite", data), SQLITE)


def test_an_encrypted_database_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(EncryptedFile):
        read(write(tmp_path / "e.db", random.Random(1).randbytes(8192)), SQLITE)
    with pytest.raises(MalformedFile):
        read(write(tmp_path / "d.db", b"SQLite format 2\x00" + bytes(4096)), SQLITE)
