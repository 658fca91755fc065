"""OpenDocument spreadsheets, packed or flat: one pass over the rows, repeated cells within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.formats.office.odf_package import OFFICE, TABLE, TEXT, OpenDocument, drop, open_document
from files.extraction.formats.office.odf_text import OdfText, running_titles, whole
from files.extraction.formats.office.sheet_tables import (
    CellBudget,
    FilledRows,
    column_letters,
    sheet_heading,
    sheet_segments,
    shown,
)
from files.extraction.limits import Limits
from files.extraction.safe_xml import attribute, child, local_name

if TYPE_CHECKING:
    from files.extraction.safe_xml import Element

_SHEET, _ROW, _SHAPES = TABLE + "table", TABLE + "table-row", TABLE + "shapes"
_CELLS = (TABLE + "table-cell", TABLE + "covered-table-cell")
_REPEATED, _TYPE, _P = TABLE + "number-columns-repeated", OFFICE + "value-type", TEXT + "p"
# A value that is repeated further than this is written so often only; the rows after it keep their numbers.
_REPEAT_COLUMNS, _REPEAT_CELLS = 256, 100_000


class OdsExtractor(Extractor):
    """Reads every sheet, hidden ones too, as Markdown tables that repeat their header."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield per sheet its name, its cells with their range, its comments and the words of its drawings."""
        budget = CellBudget(limits)
        sheets: list[_Sheet] = []
        with open_document(source, limits) as document:
            yield document.metadata()
            events = _Events(document)
            while sheet := events.next_sheet():
                sheets.append(sheet)
                yield sheet_heading(sheet.name, sheet.hidden)
                yield from sheet_segments(FilledRows(events.rows(sheet), budget), sheet.name, 0)
                yield from sheet.beside
                yield Coverage("sheets", len(sheets), len(sheets))
            yield from running_titles(OdfText(document), document.styles.used_masters())
        names, hidden = [sheet.name for sheet in sheets], [sheet.name for sheet in sheets if sheet.hidden]
        yield Metadata({"sheet_names": names, "sheet_count": len(names), "hidden_sheets": hidden})
        yield Metadata({"row_count": budget.rows})


@dataclass(slots=True)
class _Sheet:
    name: str
    hidden: bool
    beside: list[Piece] = field(default_factory=list)


class _Events:
    """The stream of a document's sheets and rows."""

    def __init__(self, document: OpenDocument) -> None:
        self._document = document
        self._events = document.events((_SHEET, _ROW, _SHAPES))

    def next_sheet(self) -> _Sheet | None:
        """Return the next sheet, None at the end."""
        for event, element in self._events:
            if event == "start" and element.tag == _SHEET:
                hidden = attribute(element, "style-name") in self._document.styles.hidden
                return _Sheet(attribute(element, "name"), hidden)
        return None

    def rows(self, sheet: _Sheet) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows of `sheet`, numbered from 1, and gather what stands beside the cells."""
        number = 1
        for event, element in self._events:
            if event == "start":
                continue
            if element.tag == _SHEET:
                return
            if element.tag == _SHAPES:
                sheet.beside += OdfText(self._document, Place(sheet=sheet.name)).pieces(element)
            else:
                row = self._cells(element, sheet, number)
                repeated = max(1, whole(attribute(element, "number-rows-repeated"), 1))
                for at in range(min(repeated, _REPEAT_CELLS // (len(row) or 1)) if any(row) else 0):
                    yield number + at, list(row)
                number += repeated
            drop(element)

    def _cells(self, row: Element, sheet: _Sheet, number: int) -> list[str]:
        cells: list[str] = []
        for cell in row:
            if cell.tag not in _CELLS:
                continue
            text = self._value(cell, sheet, len(cells), number) if len(cell) else ""
            repeated = cell.get(_REPEATED)
            if repeated is None:
                cells.append(text)
            else:
                cells += [text] * min(whole(repeated, 1), _REPEAT_COLUMNS if text else 1 << 14)
        return cells

    def _value(self, cell: Element, sheet: _Sheet, column: int, row: int) -> str:
        stored = _stored(cell)
        first = cell[0]
        if len(cell) == 1 and first.tag == _P and (stored or not len(first)):
            return stored or first.text or ""
        return self._gathered(cell, sheet, f"{column_letters(column)}{row}", stored)

    def _gathered(self, cell: Element, sheet: _Sheet, at: str, stored: str) -> str:
        """Return the text of a cell that holds more than a line; what only hangs on it goes beside the sheet."""
        place = Place(sheet=sheet.name, cells=at)
        reader = OdfText(self._document, place)
        lines = []
        for inner in cell:
            name = local_name(inner.tag)
            if name == "annotation":
                author = child(inner, "creator")
                by = f" by {author.text}" if author is not None and author.text else ""
                sheet.beside.append(Segment(f"Comment{by} on {at}: {reader.text(inner)}", SegmentKind.NOTE, place))
            elif inner.tag == _P:
                lines.append(reader.text(inner).strip())
            else:
                sheet.beside += reader.pieces(inner)
        return stored or "\n".join(lines)


def _stored(cell: Element) -> str:
    """Return the value behind what a cell shows, where that says more: a number in full, a date that sorts."""
    kind = cell.get(_TYPE)
    if kind == "float":
        return _number(cell.get(OFFICE + "value", ""))
    return cell.get(OFFICE + "date-value", "").replace("T00:00:00", "").replace("T", " ") if kind == "date" else ""


def _number(text: str) -> str:
    try:
        return shown(float(text))
    except ValueError:
        return ""
