"""Files that were put into an Office document: found by its relations, taken out of their OLE wrapping.

An embedded file is either a part of its own (`embeddings/Sheet1.xlsx`) or an OLE container (`oleObject1.bin`) in which
the file is a stream, or which is itself the document of an older program.
"""

from __future__ import annotations

import io
import posixpath
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from files.extraction.document import Child, Place
from files.extraction.formats.office.packages import Package

if TYPE_CHECKING:
    from olefile import OleFileIO

_KINDS = ("oleObject", "package", "aFChunk")
_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UNWRAPPED_BYTES = 64 << 20  # a larger container is handed over as it is
_CHUNK = 1 << 20
_NATIVE = "\x01Ole10Native"
_STREAMS = ("Package", "EmbeddedOdf", "CONTENTS")
# What stands in the container of a whole document, and how such a file is called.
_DOCUMENTS = (("WordDocument", ".doc"), ("Workbook", ".xls"), ("Book", ".xls"), ("PowerPoint Document", ".ppt"))


def embedded_files(package: Package, part: str, place: Place, seen: set[str]) -> Iterator[Child]:
    """Yield each file that `part` points to as an object, once over all calls with the same `seen`."""
    for relation in package.relations(part):
        target = relation.target
        if relation.kind not in _KINDS or relation.external or target not in package or target in seen:
            continue
        seen.add(target)
        yield embedded_part(package, target, place)


def embedded_part(package: Package, target: str, place: Place) -> Child:
    """Return the file that a part holds, out of its wrapping. Raises MalformedFile."""
    name = posixpath.basename(target)
    with package.open(target) as stream:
        head = stream.read(_UNWRAPPED_BYTES)
        whole = not stream.read(1)
    if head.startswith(_MAGIC) and whole:
        name, head = unwrap(head, name)
    return Child(name, [head] if whole else _chunks(package, target), place)


def unwrap(data: bytes, name: str) -> tuple[str, bytes]:
    """Return the name and the bytes of the file in an OLE container; what came in when there is none or it is broken.

    Source: [MS-OLEDS] 2.3 for the native stream.
    """
    from olefile import OleFileIO

    if not data.startswith(_MAGIC):
        return name, data
    try:
        with OleFileIO(io.BytesIO(data)) as container:
            return _content(container, name) or (name, data)
    except (OSError, ValueError, IndexError, TypeError, AttributeError, struct.error):  # olefile on damaged containers
        return name, data


def _chunks(package: Package, target: str) -> Iterator[bytes]:
    with package.open(target) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _content(container: OleFileIO, name: str) -> tuple[str, bytes] | None:
    if container.exists(_NATIVE):
        return _native(container.openstream(_NATIVE).read(), name)
    for stream in _STREAMS:
        if container.exists(stream):
            return posixpath.splitext(name)[0], container.openstream(stream).read()
    for stream, ending in _DOCUMENTS:
        if container.exists(stream):
            container.fp.seek(0)
            return posixpath.splitext(name)[0] + ending, container.fp.read()
    return None


def _native(data: bytes, name: str) -> tuple[str, bytes] | None:
    """Read: size, 2 bytes, label, path, 4 bytes, length and path of a temporary file, length and bytes of the file."""
    at = 6
    names = []
    for _ in range(2):
        end = data.find(b"\x00", at, at + 1024)
        if end < 0:
            return None
        names.append(data[at:end].decode("utf-8", "replace"))
        at = end + 1
    (temporary,) = struct.unpack_from("<I", data, at + 4)
    at += 8 + temporary
    (size,) = struct.unpack_from("<I", data, at)
    content = data[at + 4 : at + 4 + size]
    label = (names[0] or names[1]).replace("\\", "/")
    return (posixpath.basename(label) or name, content) if content else None
