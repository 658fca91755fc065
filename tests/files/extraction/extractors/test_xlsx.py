from __future__ import annotations

import datetime
from pathlib import Path

from files.extraction.document import SegmentKind
from files.extraction.limits import Limits
from files.extraction.media_types import XLSX
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.samples import write, xlsx

ROWS = [
    ["Ship", "Built", "Tons"],
    ["Aurora", datetime.date(1999, 5, 1), 1200],
    ["Borealis", datetime.datetime(2004, 2, 3, 4, 5), 0.5],
]
LONG = [["Number", "Name"], *([at, f"name of the ship number {at}"] for at in range(200))]


class TestXlsxExtractor(ExtractorContract):
    media_type = XLSX
    ending = "xlsx"
    sample = xlsx(
        {"Fleet": ROWS, "Costs": [["Item", "Price"], ["rope", 12]], "Long": LONG}, hidden=["Costs"], comment="Ask Ann"
    )
    says = "| Aurora | 1999-05-01 | 1200 |"

    def test_dates_and_numbers_read_as_in_excel(self, path: Path) -> None:
        assert "| Borealis | 2004-02-03 04:05:00 | 0.5 |" in text_of(read(path, XLSX))

    def test_tells_sheet_and_cells(self, path: Path) -> None:
        table = next(s for s in segments(read(path, XLSX)) if "Aurora" in s.text)
        assert (table.place.sheet, table.place.cells) == ("Fleet", "A1:C3")

    def test_hidden_sheets_are_read_and_marked(self, path: Path) -> None:
        pieces = read(path, XLSX)
        assert "Costs (hidden sheet)" in text_of(pieces)
        assert "| rope | 12 |" in text_of(pieces)
        assert facts(pieces)["hidden_sheets"] == ["Costs"]
        assert facts(pieces)["sheet_names"] == ["Fleet", "Costs", "Long"]

    def test_long_sheets_repeat_their_header(self, path: Path) -> None:
        tables = [s for s in segments(read(path, XLSX)) if s.kind is SegmentKind.TABLE and s.place.sheet == "Long"]
        assert len(tables) > 3
        assert all(table.text.startswith("| Number | Name |\n| --- | --- |\n") for table in tables)
        assert all(f"name of the ship number {at} " in "\n".join(t.text for t in tables) for at in range(200))

    def test_comments_stand_with_their_cell(self, path: Path) -> None:
        note = next(s for s in segments(read(path, XLSX)) if s.kind is SegmentKind.NOTE)
        assert "Ask Ann" in note.text
        assert (note.place.sheet, note.place.cells) == ("Fleet", "A1")

    def test_too_many_cells_keep_what_was_read(self, path: Path) -> None:
        pieces = read(path, XLSX, Limits(cells=20))
        assert "Aurora" in text_of(pieces)
        assert warnings_of(pieces) == ["too_many_cells"]


def test_cells_in_opposite_corners_are_read_without_the_rectangle_between_them(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "near"
    book.worksheets[0]["XFD1048576"] = "far"
    path = tmp_path / "far.xlsx"
    book.save(path)
    pieces = read(path, XLSX)
    assert "A1: near\nXFD1048576: far" in text_of(pieces)
    assert not warnings_of(pieces)


def test_a_title_above_the_table_is_not_its_header(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.xlsx",
        xlsx({"S": [["Ducks seen in 2023", None, None], ["Year", "Place", "Ducks"], [2023, "Pond", 4]]}),
    )
    pieces = read(path, XLSX)
    assert "| Year | Place | Ducks |\n| --- | --- | --- |" in text_of(pieces)
    assert any(s.kind is SegmentKind.CAPTION and s.text == "Ducks seen in 2023" for s in segments(pieces))


def test_large_whole_numbers_keep_every_digit(tmp_path: Path) -> None:
    path = write(tmp_path / "n.xlsx", xlsx({"S": [["number"], [1234567890123456]]}))
    assert "1234567890123456" in text_of(read(path, XLSX))
