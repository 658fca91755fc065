from __future__ import annotations

import struct
from pathlib import Path

import pytest

from files.extraction.errors import EncryptedFile
from files.extraction.formats.office.xls_values import decoded_rk, read_shared_strings, shown_number
from files.extraction.limits import Limits
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.old_office_samples import label, number, ole, record, workbook
from tests.files.extraction.samples import write

XLS = "application/vnd.ms-excel"
DATE_STYLE = record(0xE0, struct.pack("<HH16x", 0, 14))
CELLS = label(0, 0, "Name") + label(0, 1, "Born") + label(1, 0, "Zoë") + number(1, 1, 36526)
BOOK = workbook({"People": CELLS, "Old": label(4, 2, "kept")}, hidden=["Old"], extra=DATE_STYLE)


def xls(tmp_path: Path, book: bytes) -> Path:
    return write(tmp_path / "a.xls", ole({"Workbook": book}))


class TestXls(ExtractorContract):
    media_type = XLS
    ending = "xls"
    sample = ole({"Workbook": BOOK})
    says = "| Zoë | 2000-01-01 |"


def test_sheets_are_named_and_hidden_ones_marked(tmp_path: Path) -> None:
    pieces = read(xls(tmp_path, BOOK), XLS)
    assert "## Old (hidden sheet)" in text_of(pieces)
    found = facts(pieces)
    assert (found["sheet_names"], found["hidden_sheets"], found["row_count"]) == (["People", "Old"], ["Old"], 3)


def test_cells_are_placed(tmp_path: Path) -> None:
    table = segments(read(xls(tmp_path, BOOK), XLS))[1]
    assert (table.place.sheet, table.place.cells) == ("People", "A1:B2")


def test_a_cell_in_each_corner_costs_nothing(tmp_path: Path) -> None:
    book = workbook({f"S{at}": label(0, 0, "first") + label(65535, 255, "last") for at in range(20)})
    text = text_of(read(xls(tmp_path, book), XLS))
    assert text.count("last") == 20


def test_a_formula_shows_the_value_it_was_saved_with(tmp_path: Path) -> None:
    head = struct.pack("<HHH", 0, 0, 0)
    told = record(0x06, head + b"\0\0\0\0\0\0\xff\xff" + bytes(8)) + record(0x207, struct.pack("<HB", 4, 0) + b"text")
    cells = told + record(0x06, struct.pack("<HHHd8x", 1, 0, 0, 2.5))
    text = text_of(read(xls(tmp_path, workbook({"S": cells})), XLS))
    assert "text" in text
    assert "2.5" in text


def test_a_comment_stands_at_its_cell(tmp_path: Path) -> None:
    drawn = record(0x5D, struct.pack("<HHHH", 0x15, 18, 0x19, 7) + bytes(14))
    text = record(0x1B6, bytes(10) + struct.pack("<HH4x", 5, 0)) + record(0x3C, b"\0Check")
    note = record(0x1C, struct.pack("<HHHH", 2, 1, 0, 7))
    found = segments(read(xls(tmp_path, workbook({"S": label(0, 0, "x") + drawn + text + note})), XLS))[-1]
    assert (found.text, found.place.cells) == ("Comment on B3: Check", "B3")


def test_a_password_is_told(tmp_path: Path) -> None:
    with pytest.raises(EncryptedFile):
        read(xls(tmp_path, workbook({"S": b""}, extra=record(0x2F, bytes(6)))), XLS)


def test_a_workbook_older_than_containers_is_read(tmp_path: Path) -> None:
    cells = record(0x04, struct.pack("<HH3xB", 0, 0, 3) + b"old") + record(0x03, struct.pack("<HH3xd", 1, 0, 1.5))
    path = write(tmp_path / "a.xls", record(0x09, struct.pack("<HH", 2, 0x10)) + cells + record(0x0A))
    text = text_of(read(path, XLS))
    assert "old" in text
    assert "1.5" in text


def test_too_many_cells_end_the_reading_not_the_file(tmp_path: Path) -> None:
    cells = b"".join(label(row, 0, f"row {row}") for row in range(200))
    pieces = read(xls(tmp_path, workbook({"S": cells})), XLS, Limits(cells=100))
    assert warnings_of(pieces) == ["too_many_cells"]


@pytest.mark.parametrize(("packed", "value"), [(0x3FF00000, 1.0), (0x3FF00001, 0.01), (14, 3.0), (0xFFFFFFFE, -1.0)])
def test_packed_numbers(packed: int, value: float) -> None:
    assert decoded_rk(packed) == value


@pytest.mark.parametrize(
    ("value", "shown"), [(0.5, "12:00:00"), (1, "1900-01-01"), (61, "1900-03-01"), (45000.25, "2023-03-15 06:00:00")]
)
def test_dates_as_excel_counts_them(value: float, shown: str) -> None:
    assert shown_number(value, is_date=True, from_1904=False) == shown


def test_shared_texts_go_on_in_the_next_record() -> None:
    first = struct.pack("<II", 2, 2) + struct.pack("<HB", 6, 0) + b"abc"
    assert read_shared_strings([first, b"\x01" + "déf".encode("utf-16-le") + struct.pack("<HB", 1, 0) + b"x"]) == [
        "abcdéf",
        "x",
    ]
