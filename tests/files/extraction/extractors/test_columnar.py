from __future__ import annotations

import io
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import feather, orc, parquet

from files.extraction.base import Source
from files.extraction.errors import MalformedFile, UnsupportedFormat
from files.extraction.limits import Limits
from files.extraction.sandbox import extract_in_sandbox
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.samples import write

PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.file"
ORC = "application/x-orc"
SHIPS = pa.table(
    {
        "name": [f"Aurora {at}" for at in range(300)],
        "tons": list(range(300)),
        "built": [date(1900 + at % 90, 1, 2) for at in range(300)],
    }
)


def as_parquet(table: pa.Table, **options: object) -> bytes:
    out = io.BytesIO()
    parquet.write_table(table, out, **options)
    return out.getvalue()


def as_arrow(table: pa.Table) -> bytes:
    out = io.BytesIO()
    feather.write_feather(table, out, compression="lz4")
    return out.getvalue()


def as_orc(table: pa.Table) -> bytes:
    out = io.BytesIO()
    orc.write_table(table, out)
    return out.getvalue()


class TestColumnarExtractor(ExtractorContract):
    media_type = PARQUET
    ending = "parquet"
    sample = as_parquet(SHIPS, row_group_size=100)
    says = "| Aurora 299 | 299 | 1929-01-02 |"

    def test_schema_and_counts_are_told(self, path: Path) -> None:
        told = facts(read(path, PARQUET))
        assert (told["row_count"], told["column_count"], told["row_group_count"]) == (300, 3, 3)
        assert told["column_names"] == ["name", "tons", "built"]
        assert told["column_types"] == {"name": "string", "tons": "int64", "built": "date32[day]"}

    def test_rows_are_numbered_and_the_header_repeats(self, path: Path) -> None:
        tables = segments(read(path, PARQUET))[1:]
        assert all(table.text.startswith("| name | tons | built |") for table in tables)
        assert tables[0].place.row == 1
        assert tables[-1].place.row_end == 300

    def test_is_read_in_the_sandbox_under_its_memory_limit(self, path: Path) -> None:
        pieces = list(extract_in_sandbox(Source(path, path.name, PARQUET)))
        assert "| Aurora 299 | 299 | 1929-01-02 |" in text_of(pieces)

    def test_too_many_cells_keep_what_was_read(self, path: Path) -> None:
        pieces = read(path, PARQUET, Limits(cells=300))
        assert "Aurora 50" in text_of(pieces)
        assert warnings_of(pieces) == ["too_many_cells"]


class TestArrow(ExtractorContract):
    media_type = ARROW
    ending = "feather"
    sample = as_arrow(SHIPS)
    says = "| Aurora 299 | 299 | 1929-01-02 |"

    @pytest.mark.parametrize("seed", range(20))
    def test_offsets_that_point_anywhere_do_not_end_the_process(self, path: Path, seed: int) -> None:
        out = io.BytesIO()
        feather.write_feather(SHIPS, out, compression="uncompressed")
        data = bytearray(out.getvalue())
        for at in range(400 + seed * 4, 1600 + seed * 4, 80):
            data[at : at + 4] = b"\xff\xff\xff\x7f"
        path.write_bytes(data)
        self.check_bounded(path)


class TestOrc(ExtractorContract):
    media_type = ORC
    ending = "orc"
    sample = as_orc(SHIPS)
    says = "| Aurora 299 | 299 | 1929-01-02 |"


def test_values_of_every_kind_are_shown(tmp_path: Path) -> None:
    table = pa.table(
        {
            "nested": pa.array([{"a": [1, 2], "b": {"c": "ü"}}]),
            "bytes": pa.array([b"\xff\x00"]),
            "text bytes": pa.array([b"old writer"]),
            "money": pa.array([Decimal("12.50")]),
            "when": pa.array([datetime(2024, 5, 1, 10, 30, tzinfo=UTC)]),
            "yes": pa.array([True]),
            "nothing": pa.array([None], pa.int32()),
            "fine": pa.array([1_700_000_000_123_456_789], pa.timestamp("ns")),
        }
    )
    text = text_of(read(write(tmp_path / "v.parquet", as_parquet(table)), PARQUET))
    assert '{"a": [1, 2], "b": {"c": "ü"}}' in text
    assert "| (2 bytes) | old writer | 12.50 | 2024-05-01 10:30:00+00:00 | true |  | 2023-11-14" in text


def test_times_that_python_cannot_hold_are_shown_as_arrow_writes_them(tmp_path: Path) -> None:
    table = pa.table(
        {
            "nowhere": pa.array([1_700_000_000], pa.timestamp("s", "Nowhere/Land")),
            "far": pa.array([2**45], pa.timestamp("s")),
            "early": pa.array([-(10**6)], pa.date32()),
            "last": pa.array(["kept"]),
        }
    )
    pieces = read(write(tmp_path / "t.arrow", as_arrow(table)), ARROW)
    assert "| 2023-11-14 22:13:20 |" in text_of(pieces)
    assert "| kept |" in text_of(pieces)
    assert not warnings_of(pieces)


def test_a_table_without_rows_tells_its_columns(tmp_path: Path) -> None:
    pieces = read(write(tmp_path / "e.parquet", as_parquet(SHIPS.slice(0, 0))), PARQUET)
    assert "- tons: int64" in text_of(pieces)
    assert facts(pieces)["row_count"] == 0


def test_a_footer_that_lies_about_its_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile):
        read(write(tmp_path / "f.parquet", b"PAR1" + bytes(100) + b"\xff\xff\xff\x7fPAR1"), PARQUET)


def test_without_pyarrow_the_user_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UnsupportedFormat) as caught:
        read(write(tmp_path / "t.parquet", as_parquet(SHIPS)), PARQUET)
    assert "pyarrow" in caught.value.hint
