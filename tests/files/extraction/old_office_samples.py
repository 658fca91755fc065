"""Small OLE containers and what old Office programs put into them, written by hand."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
SECTOR, MINI, CUTOFF = 512, 64, 4096


@dataclass
class _Entry:
    name: str
    kind: int
    data: bytes = b""
    children: list[int] = field(default_factory=list)
    start: int = END
    right: int = FREE


def ole(streams: Mapping[str, bytes]) -> bytes:
    """An OLE container of `streams`, whose names are paths with `/`."""
    entries = [_Entry("Root Entry", 5)]
    folders = {"": 0}
    for path, data in streams.items():
        *above, name = path.split("/")
        at = _folder(entries, folders, above)
        entries[at].children.append(len(entries))
        entries.append(_Entry(name, 2, data))
    return _written(entries)


def _folder(entries: list[_Entry], folders: dict[str, int], above: list[str]) -> int:
    at = 0
    for depth, name in enumerate(above, 1):
        path = "/".join(above[:depth])
        if path not in folders:
            folders[path] = len(entries)
            entries[at].children.append(len(entries))
            entries.append(_Entry(name, 1))
        at = folders[path]
    return at


def _written(entries: list[_Entry]) -> bytes:
    body, fat = bytearray(), list[int]()

    def put(data: bytes) -> int:
        count = -(-len(data) // SECTOR)
        start = len(fat)
        fat.extend([*range(start + 1, start + count), END] if count else [])
        body.extend(data.ljust(count * SECTOR, b"\0"))
        return start if count else END

    mini, mini_fat = bytearray(), list[int]()
    for entry in entries:
        if entry.kind == 2 and len(entry.data) >= CUTOFF:
            entry.start = put(entry.data)
        elif entry.kind == 2 and entry.data:
            count = -(-len(entry.data) // MINI)
            entry.start = len(mini_fat)
            mini_fat.extend([*range(entry.start + 1, entry.start + count), END])
            mini.extend(entry.data.ljust(count * MINI, b"\0"))
    entries[0].data, entries[0].start = bytes(mini), put(bytes(mini))
    for entry in entries:
        for left, right in zip(entry.children, entry.children[1:], strict=False):
            entries[left].right = right
    mini_start = put(b"".join(struct.pack("<I", at) for at in mini_fat))
    directory = put(b"".join(map(_directory_entry, entries)))
    tables = 1
    while (len(fat) + tables) * 4 > tables * SECTOR:
        tables += 1
    places = [len(fat) + at for at in range(tables)]
    fat.extend([FAT] * tables)
    table = b"".join(struct.pack("<I", at) for at in fat).ljust(tables * SECTOR, b"\xff")
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6, 0, tables, directory, 0,
        CUTOFF, mini_start, 1 if mini_fat else 0, END, 0, places[0],
    )  # fmt: skip
    header += b"".join(struct.pack("<I", at) for at in places[1:])
    return header.ljust(SECTOR, b"\xff") + bytes(body) + table


def _directory_entry(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le") + b"\0\0"
    child = entry.children[0] if entry.children else FREE
    return (
        name.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(name), entry.kind, 1, FREE, entry.right, child)
        + bytes(36)
        + struct.pack("<IQ", entry.start, len(entry.data))
    )


def summary(title: str, author: str) -> bytes:
    """A stream of properties in Windows-1252."""
    values = [struct.pack("<II", 2, 1252)]
    for text in (title, author):
        raw = text.encode("cp1252") + b"\0"
        values.append(struct.pack("<II", 30, len(raw)) + raw.ljust(-(-len(raw) // 4) * 4, b"\0"))
    values.append(struct.pack("<IQ", 64, 132_000_000_000_000_000))
    places, at = b"", 8 + 8 * len(values)
    for identity, value in zip((1, 2, 4, 12), values, strict=True):
        places += struct.pack("<II", identity, at)
        at += len(value)
    section = struct.pack("<II", at, len(values)) + places + b"".join(values)
    return struct.pack("<HHI16xI16xI", 0xFFFE, 0, 0, 1, 48) + section


# Word


@dataclass(frozen=True)
class Words:
    """A paragraph with its mark: its style and settings, and whether it is deleted."""

    text: str
    style: int = 0
    settings: bytes = b""
    deleted: bool = False


IN_TABLE, ROW_END = b"\x16\x24\x01", b"\x16\x24\x01\x17\x24\x01"


def word(
    body: Sequence[Words], *, footnotes: Sequence[Words] = (), headers: Sequence[Words] = (), wide: bool = False
) -> dict[str, bytes]:
    """The streams of a Word 97 document."""
    stories = [list(body), list(footnotes), list(headers)]
    paragraphs = [paragraph for story in stories for paragraph in story]
    codec, start = "utf-16-le" if wide else "cp1252", 0x800
    text, ends, deleted = b"", [], []
    for paragraph in paragraphs:
        raw = paragraph.text.encode(codec)
        if paragraph.deleted:
            deleted.append((start + len(text), start + len(text) + len(raw)))
        text += raw
        ends.append(start + len(text))
    main = bytearray(start) + text
    main += bytes(-len(main) % 512)
    settings_page = len(main) // 512
    main += _settings_page(start, ends, [struct.pack("<H", p.style) + p.settings for p in paragraphs])
    main += _runs_page(start, ends[-1], deleted)
    lengths = [sum(len(p.text) for p in story) for story in stories]
    pieces = struct.pack("<II", 0, sum(lengths)) + struct.pack(
        "<HIH", 0, start if wide else (start * 2) | 0x40000000, 0
    )
    table = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    places = {33: (0, len(table))}
    for index, page in ((13, settings_page), (12, settings_page + 1)):
        places[index] = (len(table), 12)
        table += struct.pack("<III", start, ends[-1], page)
    struct.pack_into("<HH", main, 0, 0xA5EC, 0xC1)
    struct.pack_into("<H", main, 10, 0x0200)
    struct.pack_into("<3i", main, 0x4C, *lengths)
    for index, place in places.items():
        struct.pack_into("<II", main, 0x9A + 8 * index, *place)
    return {"WordDocument": bytes(main), "1Table": table}


def _settings_page(start: int, ends: list[int], values: list[bytes]) -> bytes:
    page = bytearray(512)
    struct.pack_into(f"<{len(ends) + 1}I", page, 0, start, *ends)
    at = 510
    for index, value in enumerate(values):
        even = value + bytes(len(value) % 2)
        at = (at - len(even) - 2) // 2 * 2
        page[at : at + 2 + len(even)] = bytes((0, len(even) // 2)) + even
        page[4 * (len(ends) + 1) + 13 * index] = at // 2
    page[511] = len(ends)
    return bytes(page)


def _runs_page(start: int, end: int, deleted: list[tuple[int, int]]) -> bytes:
    page = bytearray(512)
    marks = sorted({start, end, *(at for run in deleted for at in run)})
    struct.pack_into(f"<{len(marks)}I", page, 0, *marks)
    page[500:504] = b"\x03\x00\x08\x01"
    for index, mark in enumerate(marks[:-1]):
        page[4 * len(marks) + index] = 250 if any(first <= mark < last for first, last in deleted) else 0
    page[511] = len(marks) - 1
    return bytes(page)


# Excel


def record(kind: int, data: bytes = b"") -> bytes:
    """One record of a workbook."""
    return struct.pack("<HH", kind, len(data)) + data


def workbook(sheets: Mapping[str, bytes], *, hidden: Sequence[str] = (), extra: bytes = b"") -> bytes:
    """A workbook stream of Excel 97: cell records by the name of their sheet; `extra` goes to the globals."""
    begin = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 6))
    size = len(begin) + len(extra) + sum(12 + len(name) for name in sheets) + 4
    listed = bodies = b""
    for name, cells in sheets.items():
        place = struct.pack("<IBB", size + len(bodies), name in hidden, 0)
        listed += record(0x85, place + struct.pack("<BB", len(name), 0) + name.encode())
        bodies += record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 6)) + cells + record(0x0A)
    return begin + extra + listed + record(0x0A) + bodies


def label(row: int, column: int, text: str) -> bytes:
    """A cell with a text of its own."""
    return record(0x204, struct.pack("<HHHHB", row, column, 0, len(text), 1) + text.encode("utf-16-le"))


def number(row: int, column: int, value: float, style: int = 0) -> bytes:
    """A cell with a number."""
    return record(0x203, struct.pack("<HHHd", row, column, style, value))


# PowerPoint


def atom(kind: int, data: bytes, instance: int = 0) -> bytes:
    """A record of a presentation that holds data."""
    return struct.pack("<HHI", instance << 4, kind, len(data)) + data


def group(kind: int, *records: bytes, instance: int = 0) -> bytes:
    """A record of a presentation that holds records."""
    data = b"".join(records)
    return struct.pack("<HHI", instance << 4 | 0xF, kind, len(data)) + data


def text_box(text: str, kind: int = 4) -> bytes:
    """A shape with a text; `kind` 0 is a title."""
    header = atom(3999, struct.pack("<I", kind))
    return group(0xF004, group(0xF00D, header, atom(4000, text.encode("utf-16-le"))))


def presentation(slides: Sequence[Sequence[bytes]], notes: Mapping[int, str] | None = None) -> dict[str, bytes]:
    """The streams of a presentation; `notes` by the index of their slide."""
    notes = notes or {}
    objects: list[bytes] = []
    listed, noted = [], []
    for index, boxes in enumerate(slides):
        objects.append(group(1006, atom(1007, bytes(24)), group(1036, *boxes)))
        listed.append(atom(1011, struct.pack("<IIiII", len(objects) + 1, 0, 0, 256 + index, 0)))
    for index, text in notes.items():
        objects.append(group(1008, atom(1009, struct.pack("<II", 256 + index, 0)), group(1036, text_box(text, 2))))
        noted.append(atom(1011, struct.pack("<IIiII", len(objects) + 1, 0, 0, 512 + index, 0)))
    document = group(1000, group(4080, *listed), group(4080, *noted, instance=2))
    data, places = b"", []
    for found in (document, *objects):
        places.append(len(data))
        data += found
    directory = len(data)
    data += atom(6002, struct.pack(f"<I{len(places)}I", len(places) << 20 | 1, *places))
    edit = len(data)
    data += atom(4085, struct.pack("<IIIIIIHH", 0, 0, 0, directory, 1, len(places), 0, 0))
    user = atom(4086, struct.pack("<III", 20, 0xE391C05F, edit))
    return {"PowerPoint Document": data, "Current User": user}
