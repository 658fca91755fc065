"""A look into ZIP and OLE containers, bounded to a few reads: what kind of document is inside."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from files.extraction import media_types

_DIRECTORY_BYTES = 256 * 1024
_DIRECTORY_SECTORS = 64
_END_RECORD = b"PK\x05\x06"
_OPEN_DOCUMENT = b"mimetypeapplication/"
# The main parts' folders; `[Content_Types].xml` must be there too, or a zipped folder called "word" would fit.
_OFFICE_FOLDERS = (
    (b"word/", media_types.DOCX, media_types.DOCM),
    (b"xl/", media_types.XLSX, media_types.XLSM),
    (b"ppt/", media_types.PPTX, media_types.PPTX),
)
_OLE_STREAMS = (
    ("EncryptedPackage", media_types.ENCRYPTED_OFFICE),
    ("WordDocument", "application/msword"),
    ("Workbook", "application/vnd.ms-excel"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
    ("VisioDocument", "application/vnd.visio"),
    ("Book", "application/vnd.ms-excel"),
)
OLE_DOCUMENTS = frozenset(media_type for _, media_type in _OLE_STREAMS)
_OLE_NAMES = {name.casefold() for name, _ in _OLE_STREAMS}


def look_into_zip(file: BinaryIO, head: bytes) -> str:
    """Return the media type of the document that a ZIP holds; `application/zip` when it is only an archive."""
    if head[30:50].startswith(_OPEN_DOCUMENT):
        return _open_document_type(head)
    names = _central_directory(file) or head
    if b"[Content_Types].xml" in names:
        for folder, plain, with_macros in _OFFICE_FOLDERS:
            if folder in names:
                if b"xl/workbook.bin" in names:
                    return media_types.XLSB
                return with_macros if b"vbaProject.bin" in names else plain
    return _other_package(file, names)


def _other_package(file: BinaryIO, names: bytes) -> str:
    if b"AndroidManifest.xml" in names:
        return "application/vnd.android.package-archive"
    if b"META-INF/MANIFEST.MF" in names:
        return "application/java-archive"
    if b"META-INF/container.xml" in names:
        return media_types.EPUB
    if b"content.xml" in names and b"mimetype" in names and len(names) < _DIRECTORY_BYTES:
        return _declared_later(file)
    if b"Index/Document.iwa" in names or b"Index/Slide.iwa" in names:
        return _apple_type(names)
    return media_types.ZIP


def _apple_type(names: bytes) -> str:
    if b"Index/Slide" in names:
        return "application/vnd.apple.keynote"
    return "application/vnd.apple.numbers" if b"Index/Tables/" in names else "application/vnd.apple.pages"


def _open_document_type(head: bytes) -> str:
    start = head.index(b"application/", 30)
    end = min((at for at in (head.find(b"PK", start), start + 80) if at > 0), default=start + 80)
    return _known_document(head[start:end].decode("ascii", "ignore"))


def _known_document(declared: str) -> str:
    plain = declared.strip()
    for variant in ("-template", "-master", "-web"):
        plain = plain.removesuffix(variant)
    return plain if plain in media_types.BY_NAME else media_types.ZIP


def _declared_later(file: BinaryIO) -> str:
    """Return the type of an OpenDocument file that another program has packed: its type is not the first member."""
    try:
        with zipfile.ZipFile(file) as archive, archive.open("mimetype") as member:
            return _known_document(member.read(200).decode("ascii", "ignore"))
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zlib.error):
        return media_types.ZIP


def _central_directory(file: BinaryIO) -> bytes:
    size = file.seek(0, 2)
    file.seek(max(0, size - 66_000))
    tail = file.read(66_000)
    at = tail.rfind(_END_RECORD)
    if at < 0 or len(tail) - at < 22:
        return b""
    length, start = struct.unpack("<II", tail[at + 12 : at + 20])
    where = max(0, size - len(tail)) + at - length  # before the end record, even when bytes stand before the archive
    file.seek(where if where >= 0 else start)
    return file.read(min(length, _DIRECTORY_BYTES))


def look_into_ole(file: BinaryIO, head: bytes) -> str:
    """Return the media type of the document that an OLE container holds; the container's own when unknown."""
    if len(head) < 512:
        return media_types.OLE
    (first,) = struct.unpack("<I", head[48:52])
    directory = b"".join(_chained_sectors(file, head, first))
    entries = [directory[at : at + 128] for at in range(0, len(directory) - 127, 128)]
    names = _root_names(entries) & _OLE_NAMES or {_entry_name(entry) for entry in entries}
    for stream, media_type in _OLE_STREAMS:
        if stream.casefold() in names:
            return media_type
    return media_types.OLE


def _root_names(entries: list[bytes]) -> set[str]:
    """Return the names at the top of the container, not those inside the objects that it embeds."""
    found: set[int] = set()
    waiting = [int.from_bytes(entries[0][76:80], "little")] if entries else []
    while waiting:
        at = waiting.pop()
        if at < len(entries) and at not in found:
            found.add(at)
            waiting += struct.unpack("<II", entries[at][68:76])
    return {_entry_name(entries[at]) for at in found}


def _entry_name(entry: bytes) -> str:
    return entry[:64].decode("utf-16-le", "ignore").split("\x00")[0].casefold()


def _chained_sectors(file: BinaryIO, head: bytes, first: int) -> Iterator[bytes]:
    """Yield the directory's sectors as the allocation table chains them: they seldom lie side by side."""
    sector = 1 << min(max(struct.unpack("<H", head[30:32])[0], 7), 16)
    tables = struct.unpack("<109I", head[76:512])
    size = file.seek(0, 2)
    at, per_table = first, sector // 4
    for _ in range(_DIRECTORY_SECTORS):
        if (at + 1) * sector > size:
            return
        file.seek((at + 1) * sector)
        yield file.read(sector)
        table = tables[at // per_table] if at // per_table < len(tables) else size
        if (table + 1) * sector > size:
            return
        file.seek((table + 1) * sector + at % per_table * 4)
        at = int.from_bytes(file.read(4), "little")
