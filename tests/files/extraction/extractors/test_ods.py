from __future__ import annotations

from pathlib import Path

from files.extraction.document import Coverage, SegmentKind
from files.extraction.limits import Limits
from files.extraction.media_types import ODS
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.office_samples import flat_odf, odf
from tests.files.extraction.samples import write

HIDDEN = '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'


def text(words: str, more: str = "") -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{words}</text:p>{more}</table:table-cell>'


def value(kind: str, stored: str, shown: str, name: str = "value") -> str:
    return (
        f'<table:table-cell office:value-type="{kind}" office:{name}="{stored}"><text:p>{shown}</text:p>'
        "</table:table-cell>"
    )


def row(*cells: str, repeated: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(cells)}</table:table-row>'


COMMENT = "<office:annotation><dc:creator>Ann</dc:creator><text:p>Ask again</text:p></office:annotation>"
NUMBER_COMMENT = "<office:annotation><text:p>Weigh again</text:p></office:annotation>"
SHEETS = (
    '<table:table table:name="Fleet"><table:shapes><draw:frame><draw:text-box><text:p>In the box</text:p>'
    "</draw:text-box></draw:frame></table:shapes>"
    + row(text("Ship"), text("Built"), text("Tons"), text("Share"), text("At"))
    + row('<table:table-cell table:number-columns-repeated="16384"/>', repeated=3)
    + row(
        text("Aurora", COMMENT),
        value("date", "1999-05-01", "5/1/99", "date-value"),
        value("float", "1200.5", "1,201").replace("</table:table-cell>", NUMBER_COMMENT + "</table:table-cell>"),
        value("percentage", "0.12", "12%"),
        value("time", "PT10H10M10S", "10:10:10", "time-value"),
    )
    + row('<table:table-cell table:number-columns-repeated="16384"/>', repeated=1_048_000)
    + '</table:table><table:table table:name="Costs" table:style-name="ta2">'
    + row(text("Item"), text("Price"))
    + row(text("rope"), value("date", "2004-02-03T04:05:00", "", "date-value"))
    + "</table:table>"
)
BOMB = (
    '<table:table table:name="T"><table:table-row table:number-rows-repeated="1048576"><table:table-cell '
    'table:number-columns-repeated="16384" office:value-type="string"><text:p>rep</text:p></table:table-cell>'
    "</table:table-row></table:table>"
)


class TestOdsExtractor(ExtractorContract):
    media_type = ODS[0]
    ending = "ods"
    sample = odf("spreadsheet", SHEETS, automatic=HIDDEN)
    says = "| Aurora | 1999-05-01 | 1200.5 | 12% | 10:10:10 |"

    def test_rows_keep_their_numbers_over_repeated_empty_ones(self, path: Path) -> None:
        table = next(s for s in segments(read(path, ODS[0])) if s.kind is SegmentKind.TABLE)
        assert (table.place.sheet, table.place.cells) == ("Fleet", "A1:E5")

    def test_hidden_sheets_are_read_and_marked(self, path: Path) -> None:
        pieces = read(path, ODS[0])
        assert "## Costs (hidden sheet)" in text_of(pieces)
        assert "| rope | 2004-02-03 04:05:00 |" in text_of(pieces)
        assert facts(pieces)["sheet_names"] == ["Fleet", "Costs"]
        assert facts(pieces)["hidden_sheets"] == ["Costs"]
        assert facts(pieces)["row_count"] == 4

    def test_comments_stand_with_their_cell(self, path: Path) -> None:
        note = next(s for s in segments(read(path, ODS[0])) if s.kind is SegmentKind.NOTE)
        assert note.text == "Comment by Ann on A5: Ask again"
        assert note.place.cells == "A5"

    def test_a_number_keeps_its_comment_too(self, path: Path) -> None:
        assert "Comment on C5: Weigh again" in text_of(read(path, ODS[0]))

    def test_drawings_are_read(self, path: Path) -> None:
        assert "In the box" in text_of(read(path, ODS[0]))

    def test_every_sheet_is_covered(self, path: Path) -> None:
        assert [p for p in read(path, ODS[0]) if isinstance(p, Coverage)][-1] == Coverage("sheets", 2, 2)

    def test_too_many_cells_keep_what_was_read(self, path: Path) -> None:
        pieces = read(path, ODS[0], Limits(cells=8))
        assert warnings_of(pieces) == ["too_many_cells"]


class TestFlatSpreadsheet(ExtractorContract):
    media_type = ODS[1]
    ending = "fods"
    sample = flat_odf("spreadsheet", SHEETS, automatic=HIDDEN)
    says = "| Aurora | 1999-05-01 | 1200.5 | 12% | 10:10:10 |"


def test_a_value_repeated_over_a_whole_sheet_is_written_within_bounds(tmp_path: Path) -> None:
    found = text_of(read(write(tmp_path / "a.ods", odf("spreadsheet", BOMB)), ODS[0]))
    assert "rep" in found
    assert len(found) < 2_000_000
