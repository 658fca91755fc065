"""Any XML: titles give the path of a document, element names that of data; text keeps its order, markup goes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.errors import MalformedFile
from files.extraction.formats.markup import xml_vocabulary as vocabulary
from files.extraction.formats.markup.xml_events import XmlReader, encoding_of_xml
from files.extraction.limits import Limits
from files.extraction.markdown_table import NumberedRow, split_header, table_chunks

_GATHERED = 1_000  # short values are put together to about one passage
_LONG = 200
_HELD = 20_000
_ROWS = 2_000
_NAMES = 100
_PATH = 6
_MARKUP = re.compile(r"</[A-Za-z]|<(?:br|p|img|hr)\b", re.I)
_TAG = re.compile(r"<[!/?a-zA-Z][^<>]{0,20000}>")
_BREAK = re.compile(r"<(?:br|/p|/li|/h\d|/div|/tr)\b[^<>]{0,2000}>", re.I)


class XmlExtractor(Extractor):
    """Reads any vocabulary by general rules, as a stream: memory does not grow with the file."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield headings, paragraphs, tables and runs of `name: value` lines. Raises MalformedFile for no XML."""
        encoding = encoding_of_xml(source.path)
        yield Metadata({"encoding": encoding})
        document = _Document()
        reader = XmlReader(document)
        for _ in reader.read(source.path, encoding):
            yield from document.take()
            if reader.broken_at is not None and not document.root:
                raise MalformedFile("This file is not XML.")
        document.close()
        yield from document.take()
        if reader.broken_at is not None:
            document.facts["malformed_line"] = reader.broken_at
        yield Metadata(document.known())


@dataclass(slots=True)
class _Element:
    """An open element. An inline one writes into the block around it."""

    name: str
    line: int
    block: _Element | None = None
    parts: list[str] = field(default_factory=list)
    size: int = 0
    mixed: bool = False  # it has text of its own
    filled: bool = False  # something in it has been given away
    said: str = ""  # its attributes
    titled: bool = False
    key: str = ""  # the text of a `key` that names the next value
    pending: _Leaf | None = None
    rows: list[list[str]] | None = None
    cells: list[str] | None = None


@dataclass(slots=True)
class _Leaf:
    """The only child so far that no text stands beside: a value of its own, or the start of a mixed paragraph."""

    label: str
    text: str
    first: int
    last: int


class _Document:
    """Listens to the reader and puts segments together."""

    def __init__(self) -> None:
        self.root = ""
        self.facts: dict[str, object] = {}
        self._namespaces: dict[str, None] = {}
        self._authors: list[str] = []
        self._keywords: list[str] = []
        self._count = 0
        self._ready: list[Piece] = []
        self._open: list[_Element] = []
        self._names: list[str] = []
        self._titles: list[tuple[int, str]] = []
        self._lines: list[tuple[str, int, int]] = []
        self._gathered = 0
        self._gathered_path: tuple[str, ...] = ()
        self._prose = False

    def take(self) -> Iterator[Piece]:
        """Yield what is ready."""
        ready, self._ready = self._ready, []
        yield from ready

    def close(self) -> None:
        """Give away what is left, of elements too that never ended."""
        while self._open:
            self.end(self._open[-1].name, self._open[-1].line)
        self._flush()

    def known(self) -> dict[str, object]:
        """Return what the file says about itself."""
        for name, values in (("author", self._authors), ("keywords", self._keywords)):
            if values:
                self.facts.setdefault(name, ", ".join(values))
        found = {"root": self.root, "element_count": self._count, "namespaces": list(self._namespaces)[:_NAMES]}
        return {**found, **self.facts}

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        """An element starts: inside a paragraph it goes on with it, else it opens a block."""
        self._count += 1
        local = name.rpartition(":")[2]
        above = self._open[-1] if self._open else None
        if above is None:
            self.root = self.root or local
            self._prose = local in vocabulary.PROSE
        self._note(attributes)
        element = _Element(local, line, said=self._said(attributes))
        if above:
            block = above.block or above
            if self._is_inline(local, block):
                element.block = block
                if block.pending:
                    self._join_pending(block)
                if element.said:
                    self._write(block, f" ({element.said}) ")
            else:
                self._leave_text(block, line)
                self._say(block)
        if element.block is None and local in vocabulary.TABLES and not self._within_table():
            element.rows = []
        if element.block is None and local in vocabulary.ROWS and self._within_table():
            element.cells = []
        self._open.append(element)
        self._names.append(local)

    def text(self, text: str, line: int) -> None:
        """Text of the innermost element."""
        if not self._open:
            return
        block = self._open[-1].block or self._open[-1]
        if not text.strip():
            if block.parts:
                self._write(block, text)
            return
        if block.pending:
            self._join_pending(block)
        if not block.parts:
            block.line = line
        block.mixed = True
        self._write(block, text)
        if block.size > _HELD:
            self._leave_text(block, line)

    def end(self, name: str, line: int) -> None:
        """An element ends: its text becomes a heading, a cell, a value or a paragraph."""
        if not self._open:
            return
        element = self._open[-1]
        if element.pending:
            self._give(element.pending)
            element.pending, element.filled = None, True
        self._open.pop()
        self._names.pop()
        if element.block is None:
            self._finish(element, line)
        while self._titles and self._titles[-1][0] > len(self._open):
            self._flush()
            self._titles.pop()

    def _finish(self, element: _Element, line: int) -> None:
        above = self._open[-1] if self._open else None
        row = next((e for e in self._open[-3:] if e.cells is not None), None)
        if row is not None and row.cells is not None and element.name in vocabulary.CELLS:
            row.cells.append(_one_line(_joined(element)))
            row.filled = True
        elif element.cells is not None:
            self._finish_row(element, line)
        elif element.rows is not None:
            self._leave_text(element, line)
            self._finish_table(element, line)
        else:
            self._finish_block(element, above, line)
        if above is not None:
            above.filled = True

    def _say(self, element: _Element) -> None:
        """Give the attributes of an element before what is in it."""
        if element.said:
            self._give(_Leaf(f"{element.name} ({element.said})", "", element.line, element.line))
            element.said, element.filled = "", True

    def _finish_block(self, element: _Element, above: _Element | None, line: int) -> None:
        text = _joined(element) if element.name in vocabulary.VERBATIM else _flowing(element)
        self._note_fact(element.name, text)
        if element.key:
            self._give(_Leaf(element.key, "", line, line))
        if not text.strip() and above is not None and above.key and not element.filled:
            text = element.name  # true, false
        if not text.strip() and not (element.said and not element.filled):
            return
        if element.name in vocabulary.TITLES and above is not None and not above.titled and len(text) < 2 * _LONG:
            self._title(text, element, above, line)
            return
        label = "" if element.name in vocabulary.PARAGRAPHS and not element.said else element.name
        if above is not None and above.key:
            label, above.key = (f"{above.key}", "") if element.name != "key" else (element.name, above.key)
        elif above is not None and element.name == "key" and text and not element.said:
            above.key = _one_line(text)
            return
        label = f"{label} ({element.said})" if element.said else label
        leaf = _Leaf(label, text, element.line, line)
        if element.name in vocabulary.VERBATIM:
            self._flush()
            self._segment(text, SegmentKind.CODE, element.line, line)
        elif above is not None and not element.filled and element.name not in vocabulary.PARAGRAPHS and not above.parts:
            above.pending = leaf
        else:
            self._give(leaf)

    def _give(self, leaf: _Leaf) -> None:
        """Put short values together; a paragraph stands alone."""
        if (len(leaf.text) > _LONG or not leaf.label or self._prose) and leaf.text:
            self._flush()
            shown = leaf.text if self._prose and "(" not in leaf.label else f"{leaf.label}: {leaf.text}"
            self._segment(shown if leaf.label else leaf.text, SegmentKind.PARAGRAPH, leaf.first, leaf.last)
            return
        path = self._path()
        if path != self._gathered_path or self._gathered > _GATHERED:
            self._flush()
            self._gathered_path = path
        line = f"{leaf.label}: {leaf.text}" if leaf.text else leaf.label
        self._lines.append((line, leaf.first, leaf.last))
        self._gathered += len(line) + 1

    def _flush(self) -> None:
        lines, self._lines, self._gathered = self._lines, [], 0
        if lines:
            text = "\n".join(line for line, _, _ in lines)
            place = Place(line=lines[0][1], line_end=max(lines[0][1], lines[-1][2]), headings=self._gathered_path)
            self._ready.append(Segment(text, SegmentKind.PARAGRAPH, place))

    def _segment(self, text: str, kind: SegmentKind, first: int, last: int) -> None:
        if text.strip():
            place = Place(line=first, line_end=max(first, last), headings=self._path())
            self._ready.append(Segment(text, kind, place))

    def _title(self, text: str, element: _Element, above: _Element, line: int) -> None:
        self._flush()
        title = _one_line(text)
        level = min(len(self._titles) + 1, 6)
        path = tuple(shown for _, shown in self._titles)
        place = Place(line=element.line, line_end=max(element.line, line), headings=path)
        self._ready.append(Segment(f"{'#' * level} {title}", SegmentKind.HEADING, place))
        above.titled = True
        if len(self._titles) < 2 * _PATH and above.name not in vocabulary.TITLE_PAGES:
            self._titles.append((len(self._open), title))
        self.facts.setdefault("title", title)

    def _path(self) -> tuple[str, ...]:
        """Return the titles around the place; where there are none, the names of the elements."""
        if self._titles:
            return tuple(title for _, title in self._titles)
        return tuple(self._names if len(self._names) <= _PATH else [*self._names[:2], *self._names[2 - _PATH :]])

    def _leave_text(self, block: _Element, line: int) -> None:
        """Give away the text before a block inside a block."""
        if block.pending:
            pending, block.pending = block.pending, None
            self._give(pending)
        text = _flowing(block)
        block.parts, block.size, block.mixed = [], 0, False
        if text:
            block.filled = True
            self._give(_Leaf("", text, block.line, line))

    def _join_pending(self, block: _Element) -> None:
        pending = block.pending
        block.pending = None
        if pending:
            block.line, block.mixed = pending.first, True
            self._write(block, pending.text + (" " if pending.text and not block.parts else ""))

    def _write(self, block: _Element, text: str) -> None:
        block.parts.append(text)
        block.size += len(text)

    def _is_inline(self, local: str, block: _Element) -> bool:
        if block.name in vocabulary.TITLES:
            return True
        if local in vocabulary.INLINE:
            return block.mixed or block.name in vocabulary.PARAGRAPHS
        known = local in vocabulary.PARAGRAPHS or local in vocabulary.TITLES or local in vocabulary.VERBATIM
        return block.mixed and not known and local not in vocabulary.TABLES and local not in vocabulary.ROWS

    def _within_table(self) -> bool:
        return any(element.rows is not None for element in self._open[-12:])

    def _finish_row(self, row: _Element, line: int) -> None:
        table = next((e for e in reversed(self._open[-12:]) if e.rows is not None), None)
        if row.cells and table is not None and table.rows is not None:
            table.rows.append(row.cells)
            if len(table.rows) > _ROWS:
                self._finish_table(table, line)
        self._leave_text(row, line)

    def _finish_table(self, table: _Element, line: int) -> None:
        rows, table.rows = table.rows or [], []
        width = max((len(row) for row in rows), default=0)
        numbered: list[NumberedRow] = [(at, [*row, *[""] * (width - len(row))]) for at, row in enumerate(rows)]
        self._flush()
        if not numbered:
            return
        header, captions = split_header(numbered)
        for _, row in captions:
            self._segment(" ".join(row), SegmentKind.CAPTION, table.line, line)
        body = numbered[len(captions) + (header is not None) :]
        for chunk in table_chunks(header or (0, [""] * width), body):
            self._segment(chunk.text, SegmentKind.TABLE, table.line, line)

    def _said(self, attributes: dict[str, str]) -> str:
        """Return the attributes that say something, as text."""
        said = []
        for name, value in attributes.items():
            local = name.rpartition(":")[2]
            if name.startswith("xmlns") or not any(map(str.isalnum, value[:1_000])):
                continue
            if local in vocabulary.SPOKEN or (local not in vocabulary.SETTINGS and not self._prose):
                said.append(f"{local}: {' '.join(value.split())}")
        return ", ".join(said)

    def _note(self, attributes: dict[str, str]) -> None:
        for name, value in attributes.items():
            if name.startswith("xmlns") and len(self._namespaces) < _NAMES:
                self._namespaces[value] = None
            elif name == "xml:lang" and not self._open:
                self.facts.setdefault("language", value)

    def _note_fact(self, name: str, text: str) -> None:
        if not text or len(text) > 2 * _LONG or len(self._open) > 8:
            return
        if name in vocabulary.AUTHORS and not vocabulary.OTHERS_WORKS.intersection(self._names):
            self._note_author(name, _one_line(text))
        elif fact := vocabulary.FACTS.get(name):
            if fact == "keywords" and len(self._keywords) < _NAMES:
                self._keywords.append(_one_line(text))
            elif fact != "keywords" and len(self._open) <= 4:
                self.facts.setdefault(fact, _one_line(text))

    def _note_author(self, name: str, text: str) -> None:
        if name in vocabulary.GIVEN_NAMES:
            if self._authors and " " not in self._authors[-1]:
                self._authors[-1] = f"{text} {self._authors[-1]}"
        elif text not in self._authors and len(self._authors) < _NAMES:
            self._authors.append(text)


def _joined(element: _Element) -> str:
    return "".join(element.parts)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _flowing(element: _Element) -> str:
    """Return the text of an element as one paragraph; HTML that was put into it as text loses its tags."""
    text = _joined(element)
    if element.name in vocabulary.MARKED_UP and _MARKUP.search(text):
        text = html.unescape(_TAG.sub("", _BREAK.sub("\n", text)))
        return "\n".join(filter(None, (_one_line(line) for line in text.split("\n"))))
    return _one_line(text)
