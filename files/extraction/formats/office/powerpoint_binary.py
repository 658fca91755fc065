"""The binary PowerPoint format: records in records, and the directory that says which of them are the slides.

Nothing here follows a declared length beyond its parent, and depth is bounded. Source: [MS-PPT].
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from files.extraction.errors import EncryptedFile, MalformedFile

SLIDE, NOTES, HEADERS_FOOTERS, COMMENT, EMBEDDED = 1006, 1008, 4057, 12000, 4113
_DOCUMENT, _SLIDE_ATOM, _NOTES_ATOM, _PERSIST_ATOM, _SHOW_INFO = 1000, 1007, 1009, 1011, 1017
_TEXT_HEADER, _TEXT_REFERENCE, _TEXT_WIDE, _TEXT_NARROW, _STRING = 3999, 3998, 4000, 4008, 4026
_SLIDE_LIST, _USER_EDIT, _DIRECTORY = 4080, 4085, 6002
_MASTER, _PLACEHOLDER = 1016, 3011
_SHAPE, _TEXT_BOX = 0xF004, 0xF00D
_ENCRYPTED_TOKEN = 0xF3D1C4DF
_TITLES = (0, 6)
_DEPTH = 24
_EDITS = 10_000
_RUNNING = (7, 9, 10)  # what kinds of placeholder hold the date, the footer and the header
_HIDDEN = 0x04


@dataclass(frozen=True, slots=True)
class Record:
    """One record: `start` and `end` of its content in the stream."""

    kind: int
    instance: int
    start: int
    end: int
    holds_records: bool


@dataclass(frozen=True, slots=True)
class Text:
    """The text of one shape."""

    text: str
    is_title: bool


@dataclass(slots=True)
class Slide:
    """What is on one slide."""

    texts: list[Text] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    footers: list[str] = field(default_factory=list)
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class _Listed:
    """A slide as the document lists it, with the texts of its outline."""

    place: int
    identity: int
    outline: tuple[Text, ...]


class Presentation:
    """The slides of one stream `PowerPoint Document`."""

    def __init__(self, data: bytes, current_user: bytes) -> None:
        if len(current_user) >= 16 and struct.unpack_from("<I", current_user, 12)[0] == _ENCRYPTED_TOKEN:
            raise EncryptedFile
        self._data = data
        self._places = self._directory(current_user)

    def slides(self) -> Iterator[Slide]:
        """Yield the slides in their order. Raises MalformedFile when there are none to be found."""
        document = next((r for r in self.records(0, len(self._data)) if r.kind == _DOCUMENT), None)
        newest = self._record_at(self._places.get(1)) if self._places else None
        document = newest if newest and newest.kind == _DOCUMENT else document
        if document is None:
            raise MalformedFile
        lists = [r for r in self._inside(document) if r.kind == _SLIDE_LIST]
        notes = self._notes(lists)
        common = self._footers(document)
        listed = [entry for part in lists if part.instance == 0 for entry in self._listed(part)]
        for entry in listed:
            slide = self._slide(entry, notes)
            slide.footers = slide.footers or common
            yield slide

    def master_texts(self) -> Iterator[str]:
        """Yield what the masters put on every slide, without the prompts of their placeholders."""
        for record in self.records(0, len(self._data)):
            if record.kind == _MASTER:
                for shape in self._deep(record):
                    if shape.kind == _SHAPE and not any(map(self._is_prompt, self._deep(shape))):
                        boxes = (inner for inner in self._deep(shape) if inner.kind == _TEXT_BOX)
                        yield from (text.text for box in boxes for text in self._boxed(box, (), set()))

    def _is_prompt(self, record: Record) -> bool:
        """Tell the placeholders of title and body, which say “Click to edit”, from those of date, footer and header."""
        kind = self._data[record.start + 4] if record.end - record.start > 4 else 0
        return record.kind == _PLACEHOLDER and kind not in _RUNNING

    def records(self, start: int, end: int) -> Iterator[Record]:
        """Yield the records between two places, one beside the other."""
        while start + 8 <= end:
            head, kind, size = struct.unpack_from("<HHI", self._data, start)
            stop = min(start + 8 + size, end)
            yield Record(kind, head >> 4, start + 8, stop, head & 0xF == 0xF)
            start = stop

    def content(self, record: Record) -> bytes:
        """Return the content of a record."""
        return self._data[record.start : record.end]

    def _inside(self, record: Record) -> Iterator[Record]:
        return self.records(record.start, record.end)

    def _deep(self, record: Record, depth: int = 0) -> Iterator[Record]:
        """Yield the records at any depth under `record`, without going into those that are yielded as text boxes."""
        for inner in self._inside(record):
            yield inner
            if inner.holds_records and inner.kind != _TEXT_BOX and depth < _DEPTH:
                yield from self._deep(inner, depth + 1)

    def _directory(self, current_user: bytes) -> dict[int, int]:
        """Return where each numbered object lies: the newest edit wins."""
        places: dict[int, int] = {}
        at = struct.unpack_from("<I", current_user, 16)[0] if len(current_user) >= 20 else 0
        seen: set[int] = set()
        while at and at not in seen and len(seen) < _EDITS:
            seen.add(at)
            edit = self._record_at(at)
            if edit is None or edit.kind != _USER_EDIT or edit.end - edit.start < 20:
                break
            if edit.end - edit.start >= 32 and not places:
                raise EncryptedFile
            at, directory, document = struct.unpack_from("<III", self._data, edit.start + 8)
            self._add_places(directory, places)
            if 1 not in places and document in places:
                places[1] = places[document]
        return places

    def _add_places(self, directory: int, places: dict[int, int]) -> None:
        record = self._record_at(directory)
        if record is None or record.kind != _DIRECTORY:
            return
        at = record.start
        while at + 4 <= record.end:
            (head,) = struct.unpack_from("<I", self._data, at)
            count = min(head >> 20, (record.end - at - 4) // 4)
            for index in range(count):
                place = struct.unpack_from("<I", self._data, at + 4 + 4 * index)[0]
                places.setdefault((head & 0xFFFFF) + index, place)
            at += 4 + 4 * count

    def _record_at(self, place: int | None) -> Record | None:
        if place is None or place + 8 > len(self._data):
            return None
        return next(self.records(place, len(self._data)), None)

    def _listed(self, part: Record) -> Iterator[_Listed]:
        """Yield the entries of a list of slides, each with the outline texts that follow it."""
        entry: tuple[int, int] | None = None
        texts: list[Text] = []
        kind = -1
        for record in self._inside(part):
            if record.kind == _PERSIST_ATOM and record.end - record.start >= 16:
                if entry:
                    yield _Listed(*entry, tuple(texts))
                entry = struct.unpack_from("<I8xI", self._data, record.start)
                texts = []
            elif record.kind == _TEXT_HEADER:
                kind = int.from_bytes(self._data[record.start : record.start + 4], "little")
                texts.append(Text("", kind in _TITLES))
            elif record.kind in (_TEXT_WIDE, _TEXT_NARROW) and texts:
                texts[-1] = Text(self._text(record), kind in _TITLES)
        if entry:
            yield _Listed(*entry, tuple(texts))

    def _slide(self, entry: _Listed, notes: dict[int, list[str]]) -> Slide:
        slide = Slide()
        record = self._record_at(self._places.get(entry.place))
        if record is None or record.kind != SLIDE:
            slide.texts = list(entry.outline)
            return slide
        used: set[int] = set()
        for inner in self._deep(record):
            if inner.kind == _TEXT_BOX:
                slide.texts += self._boxed(inner, entry.outline, used)
            elif inner.kind == COMMENT:
                slide.comments.append(self._comment(inner))
            elif inner.kind == _SHOW_INFO and inner.end - inner.start >= 12:
                slide.hidden = bool(self._data[inner.start + 10] & _HIDDEN)
        slide.texts += [text for index, text in enumerate(entry.outline) if index not in used]
        slide.footers = self._footers(record)
        slide.notes = notes.get(entry.identity, [])
        return slide

    def _boxed(self, box: Record, outline: tuple[Text, ...], used: set[int]) -> Iterator[Text]:
        """Yield the text of a shape: its own, or the one of the outline that it refers to."""
        is_title = False
        for record in self._inside(box):
            if record.kind == _TEXT_HEADER:
                is_title = int.from_bytes(self._data[record.start : record.start + 4], "little") in _TITLES
            elif record.kind in (_TEXT_WIDE, _TEXT_NARROW):
                yield Text(self._text(record), is_title)
            elif record.kind == _TEXT_REFERENCE:
                index = int.from_bytes(self._data[record.start : record.start + 4], "little")
                if index < len(outline) and index not in used:
                    used.add(index)
                    yield outline[index]

    def _notes(self, lists: list[Record]) -> dict[int, list[str]]:
        """Return the speaker's notes by the number of their slide."""
        found: dict[int, list[str]] = {}
        for part in lists:
            for entry in self._listed(part) if part.instance == 2 else ():
                record = self._record_at(self._places.get(entry.place))
                if record is None or record.kind != NOTES:
                    continue
                atom = next((r for r in self._inside(record) if r.kind == _NOTES_ATOM), None)
                identity = int.from_bytes(self._data[atom.start : atom.start + 4], "little") if atom else 0
                boxes = [inner for inner in self._deep(record) if inner.kind == _TEXT_BOX]
                texts = [text.text for box in boxes for text in self._boxed(box, entry.outline, set())]
                found.setdefault(identity, []).extend(text for text in texts if text.strip("*\r\n "))
        return found

    def _footers(self, record: Record) -> list[str]:
        return [
            text
            for part in self._inside(record)
            if part.kind == HEADERS_FOOTERS and part.instance != 4  # that one is of the printed notes
            for string in self._inside(part)
            if string.kind == _STRING and (text := self._text(string)).strip()
        ]

    def _comment(self, record: Record) -> str:
        strings = {r.instance: self._text(r) for r in self._inside(record) if r.kind == _STRING}
        author, text = strings.get(0, ""), strings.get(1, "")
        return f"Comment by {author}: {text}" if author else f"Comment: {text}"

    def _text(self, record: Record) -> str:
        data = self.content(record)
        text = data.decode("latin-1") if record.kind == _TEXT_NARROW else data.decode("utf-16-le", "replace")
        return text.replace("\r", "\n").replace("\x0b", "\n").replace("\x00", "").strip()
