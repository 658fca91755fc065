"""ZIP-based documents, opened with care: the directory is checked before anything is unpacked."""

from __future__ import annotations

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from files.extraction.base import Source
from files.extraction.document import Metadata
from files.extraction.errors import EncryptedFile, MalformedFile, UnsafeArchive
from files.extraction.limits import Limits
from files.extraction.safe_xml import local_name, parse

_SMALL_PART = 32 << 20
_PARSED = (".xml", ".rels", ".vml", ".xhtml", ".html", ".htm", ".opf", ".ncx")
_END_RECORD = struct.Struct("<4s4H2LH")
_CORE = {
    "title": "title",
    "creator": "author",
    "subject": "subject",
    "description": "description",
    "keywords": "keywords",
    "created": "created",
    "modified": "modified",
    "lastModifiedBy": "last_modified_by",
    "language": "language",
}
_APPLICATION = {"Pages": "page_count", "Words": "word_count", "Application": "application", "Company": "company"}


@dataclass(frozen=True, slots=True)
class Relation:
    """A pointer from one part to another, or to an address outside the package."""

    id: str
    kind: str  # the last word of its type: header, footnotes, chart …
    target: str
    external: bool


class Package:
    """The parts of one Office Open XML file."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {info.filename.lower(): info.filename for info in archive.infolist()}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._names

    def names(self, prefix: str) -> list[str]:
        """Return the parts whose name starts with `prefix`, in a stable order."""
        return sorted((name for key, name in self._names.items() if key.startswith(prefix)), key=lambda n: (len(n), n))

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a part for reading. Raises MalformedFile, also when its bytes turn out bad half-way."""
        try:
            with self._archive.open(self._names[name.lower()]) as stream:
                yield stream
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError) as exc:
            raise MalformedFile from exc

    def read(self, name: str) -> bytes:
        """Return a small part. Raises MalformedFile; UnsafeArchive above 32 MiB."""
        with self.open(name) as stream:
            data = stream.read(_SMALL_PART + 1)
        if len(data) > _SMALL_PART:
            raise UnsafeArchive
        return data

    def relations(self, part: str) -> list[Relation]:
        """Return where `part` points to, in the order of the file; nothing when it has no relations."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", name + ".rels")
        if rels not in self:
            return []
        found = []
        for element in parse(self.read(rels)):
            external = element.get("TargetMode") == "External"
            target = element.get("Target", "")
            if not external:
                target = posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/")
            kind = element.get("Type", "").rpartition("/")[2]
            found.append(Relation(element.get("Id", ""), kind, target, external))
        return found

    def related(self, part: str, kind: str) -> list[str]:
        """Return the parts that `part` points to as `kind` and that are there."""
        return [r.target for r in self.relations(part) if r.kind == kind and not r.external and r.target in self]

    def properties(self) -> Metadata:
        """Return title, author, dates and counts as the writing program stored them."""
        values: dict[str, object] = {}
        for part, wanted in (("docProps/core.xml", _CORE), ("docProps/app.xml", _APPLICATION)):
            if part not in self:
                continue
            for element in parse(self.read(part)):
                key = wanted.get(local_name(element.tag))
                if key and (text := (element.text or "").strip()):
                    values[key] = int(text) if key.endswith("_count") and text.isdecimal() else text
        return Metadata(values)


@contextmanager
def open_package(source: Source, limits: Limits) -> Iterator[Package]:
    """Open `source` after a check of its directory. Raises EncryptedFile, MalformedFile, UnsafeArchive."""
    _refuse_other_containers(source.path, limits)
    try:
        archive = zipfile.ZipFile(source.path)
    except (zipfile.BadZipFile, EOFError, struct.error, ValueError, NotImplementedError) as exc:
        raise MalformedFile from exc
    with archive:
        _check_directory(archive, limits)
        yield Package(archive)


def _refuse_other_containers(path: Path, limits: Limits) -> None:
    """Refuse, before zipfile builds an object per entry, what is not a ZIP and what has far too many entries."""
    with path.open("rb") as file:
        if file.read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
            raise EncryptedFile  # an Office file with a password is an OLE container with the ZIP inside
        size = file.seek(0, 2)
        file.seek(max(0, size - 66_000))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END_RECORD.size:
        raise MalformedFile
    entries = _END_RECORD.unpack_from(tail, at)[4]
    if entries > limits.archive_entries:
        raise UnsafeArchive(f"This file has {entries} parts, more than the limit of {limits.archive_entries}.")


def _check_directory(archive: zipfile.ZipFile, limits: Limits) -> None:
    entries = archive.infolist()
    if len(entries) > limits.archive_entries:
        raise UnsafeArchive(f"This file has {len(entries)} parts, more than the limit of {limits.archive_entries}.")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise EncryptedFile
    # Pictures and embedded files are never unpacked, so only the parts that are parsed count.
    parsed = [entry for entry in entries if _is_parsed(entry.filename.lower())]
    unpacked, packed = sum(e.file_size for e in parsed), sum(e.compress_size for e in parsed)
    if unpacked > limits.unpacked_for(packed):
        raise UnsafeArchive


def _is_parsed(name: str) -> bool:
    return name.endswith(_PARSED) or (name.endswith(".bin") and name.startswith(("xl/worksheets/", "xl/sharedstrings")))
