"""What a PDF holds beside its pages: bookmarks, files attached to it, scripts."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from files.extraction.document import Child, Metadata, Piece

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

_BOOKMARKS = 1_000
_DEPTH = 8
_ATTACHMENTS = 1_000
_CHUNK = 1 << 20
_DATE = re.compile(
    r"(?:D:)?(\d{4})(0[1-9]|1[0-2])?([0-3]\d)?([0-2]\d)?([0-5]\d)?([0-5]\d)?(?:([Z+-])(\d\d)?'?(\d\d)?'?)?\s*$"
)


def iso_time(text: str) -> str:
    """Return a PDF date (D:20240305101500+01'00') as ISO 8601, as exact as it is; any other text unchanged."""
    found = _DATE.match(text)
    if not found:
        return text
    year, month, day, hour, minute, second, sign, zone_hour, zone_minute = found.groups()
    date = "-".join(part for part in (year, month, day) if part)
    if not (day and hour):
        return date
    zone = "Z" if sign == "Z" else f"{sign}{zone_hour}:{zone_minute or '00'}" if sign and zone_hour else ""
    return f"{date}T{hour}:{minute or '00'}:{second or '00'}{zone}"


def document_facts(document: PdfDocument) -> dict[str, object]:
    """Return the bookmarks, and whether scripts are in the document: nothing here runs them, other programs do."""
    from pypdfium2 import raw

    facts: dict[str, object] = {}
    if outline := list(islice(_outline(document), _BOOKMARKS)):
        facts["outline"] = outline
    if raw.FPDFDoc_GetJavaScriptActionCount(document.raw) > 0:
        facts["active_content"] = True
    return facts


def _outline(document: PdfDocument) -> Iterator[dict[str, object]]:
    for mark in islice(document.get_toc(max_depth=_DEPTH), _BOOKMARKS):
        title = " ".join(mark.get_title().split())
        if title:
            target = mark.get_dest()
            index = target.get_index() if target else None
            page = {"page": index + 1} if index is not None else {}
            yield {"title": title[:200], "level": mark.level + 1, **page}


def attachments(document: PdfDocument, allowed: int) -> Iterator[Piece]:
    """Yield the files attached to a document as children; of one larger than `allowed` bytes only its name is told."""
    from pypdfium2 import PdfiumError, raw

    names = []
    for at in range(min(document.count_attachments(), _ATTACHMENTS)):
        try:
            attached = document.get_attachment(at)
            name = attached.get_name() or f"attachment {at + 1}"
        except PdfiumError:
            continue
        names.append(name)
        size = ctypes.c_ulong()
        if raw.FPDFAttachment_GetFile(attached, None, 0, size) and 0 < size.value <= allowed:
            yield Child(name, _chunks(memoryview(attached.get_data())))
    if names:
        yield Metadata({"attachments": names, "attachment_count": len(names)})


def _chunks(data: memoryview) -> Iterator[bytes]:
    for start in range(0, len(data), _CHUNK):
        yield bytes(data[start : start + _CHUNK])
