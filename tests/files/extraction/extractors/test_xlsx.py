from __future__ import annotations

import datetime
import io
import zipfile
from pathlib import Path

import pytest

from files.extraction.base import Source
from files.extraction.detection import detect
from files.extraction.document import Piece, SegmentKind
from files.extraction.errors import TooManyCells
from files.extraction.limits import Limits
from files.extraction.media_types import XLSB, XLSX
from files.extraction.reading import read_pieces
from files.extraction.registry import load, readers_of
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.office_samples import xlsb
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


def test_a_sheet_of_one_row_is_read_and_so_are_those_after_it(tmp_path: Path) -> None:
    path = write(tmp_path / "t.xlsx", xlsx({"S": [["alone"]], "T": [["Ship"], ["Aurora"]]}))
    pieces = read(path, XLSX)
    assert "alone" in text_of(pieces)
    assert "Aurora" in text_of(pieces)
    assert not warnings_of(pieces)


def test_a_header_is_as_wide_as_the_rows_below_it(tmp_path: Path) -> None:
    path = write(tmp_path / "t.xlsx", xlsx({"S": [["Item", "Price"], ["rope", 12, "for the quay"]]}))
    assert "| Item | Price |  |\n| --- | --- | --- |\n| rope | 12 | for the quay |" in text_of(read(path, XLSX))


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


def test_headers_footers_and_charts_of_a_sheet_are_read(tmp_path: Path) -> None:
    import openpyxl
    from openpyxl.chart import BarChart, Reference

    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["Year", "Tugs"], [2001, 5], [2002, 8]):
        sheet.append(row)
    assert sheet.oddHeader is not None
    assert sheet.oddFooter is not None
    sheet.oddHeader.center.text = "Port && authority"
    sheet.oddFooter.right.text = "Page &P of &N"
    chart = BarChart()
    chart.title = "Ships a year"
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=3), titles_from_data=True)
    sheet.add_chart(chart, "D1")
    path = tmp_path / "chart.xlsx"
    book.save(path)
    found = [s.text for s in segments(read(path, XLSX)) if s.kind is not SegmentKind.TABLE]
    assert "Port & authority" in found
    assert "Ships a year" in found


def test_percentages_read_as_in_excel(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row, (value, form) in enumerate(((0.12, "0%"), (1 / 3, "0.0%"), (0.5, "General"), (0.256, '"%" 0.00%')), 1):
        sheet.cell(row, 3, f"share {row}")
        sheet.cell(row, 4, value).number_format = form
    path = tmp_path / "percent.xlsx"
    book.save(path)
    text = text_of(read(path, XLSX))
    for line in ("share 1 | 12%", "share 2 | 33.33%", "share 3 | 0.5", "share 4 | 25.6%"):
        assert f"| {line} |" in text


class TestBinaryWorkbook(ExtractorContract):
    media_type = XLSB
    ending = "xlsb"
    sample = xlsb(
        {"Fleet": [["Ship", "Tons"], ["Aurora", 1200.0]], "Costs": [["Item", "Price"], ["rope", 12.5]]},
        hidden=["Costs"],
        comment="Ask Ann",
    )
    says = "| Aurora | 1200 |"

    def test_is_found_by_its_content(self, path: Path) -> None:
        assert detect(path, "book.zip").media_type == XLSB

    def test_hidden_sheets_are_read_and_marked(self, path: Path) -> None:
        pieces = read(path, XLSB)
        assert "## Costs (hidden sheet)" in text_of(pieces)
        assert "| rope | 12.5 |" in text_of(pieces)
        assert facts(pieces)["hidden_sheets"] == ["Costs"]

    def test_comments_stand_with_their_cell(self, path: Path) -> None:
        note = next(s for s in segments(read(path, XLSB)) if s.kind is SegmentKind.NOTE)
        assert (note.text, note.place.cells) == ("Comment on A1: Ask Ann", "A1")

    def test_cells_that_are_spread_too_far_are_refused_before_they_take_memory(self, path: Path) -> None:
        with pytest.raises(TooManyCells):
            read(path, XLSB, Limits(grid_cells=3))


class TestSecondReader:
    sample = TestXlsxExtractor.sample

    def read(self, path: Path) -> list[Piece]:
        reader = load(readers_of(XLSX)[1])
        return list(read_pieces(reader, Source(path, path.name, XLSX), Limits()))

    def test_gives_the_same_tables(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.xlsx", self.sample)
        tables = [s for s in segments(self.read(path)) if s.kind is SegmentKind.TABLE]
        assert tables == [s for s in segments(read(path, XLSX)) if s.kind is SegmentKind.TABLE]
        assert facts(self.read(path))["hidden_sheets"] == ["Costs"]

    def test_does_not_trust_the_declared_dimension(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.xlsx", rewritten(self.sample, b'ref="A1:C3"', b'ref="A1:XFD1048576"'))
        assert "| Aurora | 1999-05-01 | 1200 |" in text_of(self.read(path))

    def test_a_broken_sheet_does_not_take_the_others_along(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.xlsx", rewritten(self.sample, b'<row r="2"', b'<<row r="2"', "sheet1.xml"))
        pieces = self.read(path)
        assert warnings_of(pieces) == ["malformed"]
        assert "| rope | 12 |" in text_of(pieces)


def rewritten(package: bytes, old: bytes, new: bytes, ending: str = ".xml") -> bytes:
    """Return a package with `old` replaced in the parts that end so."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, data.replace(old, new) if name.endswith(ending) else data)
    return out.getvalue()
