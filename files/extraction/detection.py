"""What type a file is: by its content first, then by its name, then by a look at its text.

Runs in the worker, on at most a few hundred kilobytes of the file; no third-party code touches them. After it, the
registry says who reads the type.
"""

from __future__ import annotations

import codecs
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from files.extraction import media_types
from files.extraction.detecting import text_types
from files.extraction.detecting.containers import OLE_DOCUMENTS, look_into_ole, look_into_zip
from files.extraction.detecting.same_endings import is_shared, told_apart
from files.extraction.detecting.signatures import by_signature
from files.extraction.encoding import wide_encoding
from files.extraction.media_types import PLAIN, UNKNOWN, MediaType, by_file_name, ending_of, kind_of, label_of

HEAD_BYTES = 16 * 1024

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\x0b\x0c\x1b\x1c\x1d\x1e\x1f\x08\x1a"))
_TABLES = ("text/csv", "text/tab-separated-values")
# Types whose files may begin as another type's do.
_KEEPS_ITS_NAME = ("text/x-php",)
# An ending stands for the container, its content tells which of these is in it: not a wrong name.
_SAME_CONTAINER = (
    frozenset(("audio/mp4", "video/mp4", "video/quicktime", "video/3gpp")),
    frozenset(("audio/ogg", "audio/opus", "video/ogg")),
    frozenset(("video/x-matroska", "video/webm")),
    frozenset(("video/x-ms-asf", "audio/x-ms-wma")),
    frozenset(("video/mpeg", "video/mp2t")),
    frozenset(("image/heic", "image/avif")),
    frozenset(("application/xml", "image/svg+xml", "text/html")),
    frozenset(("application/json", "application/x-ndjson", "application/x-ipynb+json")),
    frozenset(("message/rfc822", "application/mbox", "multipart/related")),
    frozenset((media_types.DOCX, media_types.DOCM)),
    frozenset((media_types.XLSX, media_types.XLSM, media_types.XLSB)),
)
_PACKAGE_OPENINGS = (b"[Content_Types].xml", b"_rels/", b"mimetype", b"META-INF/container.xml")
_OFFICE = ("application/vnd.openxmlformats", "application/vnd.ms-", "application/msword", "application/vnd.visio")

By = Literal["content", "name", "text"]


@dataclass(frozen=True, slots=True)
class Detected:
    """A file's type, its family, what told it, and what to say when the name claims another type."""

    media_type: str
    kind: str
    by: By
    mismatch: str = ""


def detect(path: Path, name: str = "") -> Detected:
    """Return the type of the file at `path`, which the user calls `name`. An unknown one is octet-stream, `other`."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        media_type, by = _detect(file, head, name or path.name)
    return Detected(media_type, kind_of(media_type), by, name_mismatch(name or path.name, media_type))


def name_mismatch(name: str, media_type: str) -> str:
    """Return a sentence when the ending of `name` stands for another type than `media_type`, else nothing."""
    named = by_file_name(name)
    if named is None or named.name == media_type or UNKNOWN in (named.name, media_type) or is_shared(name):
        return ""
    if any(named.name in alike and media_type in alike for alike in _SAME_CONTAINER):
        return ""
    if media_type in (media_types.ENCRYPTED_OFFICE, media_types.OLE) and named.name.startswith(_OFFICE):
        return ""
    return f"The name ends in .{ending_of(name)}, but the content is: {label_of(media_type)}. It is read as that."


def _detect(file: BinaryIO, head: bytes, name: str) -> tuple[str, By]:
    named = by_file_name(name)
    if found := by_signature(head):
        return _inside(file, head, found, named)
    text = _as_text(head)
    if text is None:
        # Damaged bytes under a known ending go to that format's reader, which can say that they are damaged.
        return (named.name, "name") if named and not named.textual else (UNKNOWN, "content")
    if (found := text_types.by_opening(text)) and not (named and named.name in _KEEPS_ITS_NAME):
        return found, "content"
    if named and named.textual:
        return _better_than_name(named.name, name, text)
    if named and not head:
        return named.name, "name"
    return text_types.by_looks(text), "text"


def _inside(file: BinaryIO, head: bytes, media_type: str, named: MediaType | None) -> tuple[str, By]:
    if media_type == media_types.ZIP:
        return _in_zip(file, head, named)
    if media_type == "application/gzip" and _is_packed_drawing(head):
        return "image/svg+xml", "content"
    if media_type != media_types.OLE:
        return media_type, "content"
    inside = look_into_ole(file, head)
    if inside == media_types.OLE and named and named.name in OLE_DOCUMENTS:
        return named.name, "name"  # too damaged to look into: the reader that its ending names can say so
    return inside, "content"


def _in_zip(file: BinaryIO, head: bytes, named: MediaType | None) -> tuple[str, By]:
    """Look into a ZIP.

    One that begins as a document does but lacks its parts is cut off or broken: to a person it is the damaged document
    that its name says, not an archive of what is left of it.
    """
    inside = look_into_zip(file, head)
    cut_off = inside == media_types.ZIP and head[30:].startswith(_PACKAGE_OPENINGS)
    if cut_off and named and named.kind in ("document", "spreadsheet") and not named.textual:
        return named.name, "name"
    return inside, "content"


def _is_packed_drawing(head: bytes) -> bool:
    """Tell whether a gzip is an SVG (svgz), which browsers take as one: such a drawing is no archive to a person."""
    with suppress(zlib.error):
        text = _as_text(zlib.decompressobj(wbits=31).decompress(head, 4096))
        return text is not None and text_types.by_opening(text) == "image/svg+xml"
    return False


def _as_text(head: bytes) -> str | None:
    """Return `head` as text good enough to look at, None when it is binary."""
    if wide := wide_encoding(head):
        return codecs.decode(head, wide, "ignore").lstrip("\ufeff")
    if b"\x00" in head and head.count(0) * 50 > len(head):
        return None
    sample = head[:4096]
    if (len(sample) - len(sample.translate(None, _CONTROLS))) * 20 > len(sample):
        return None
    try:
        # The end may stand in the middle of a character.
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _better_than_name(named: str, name: str, text: str) -> tuple[str, By]:
    """Let the text overrule an ending that says nothing (txt) or cannot be right; tell the kinds of JSON apart."""
    if text_types.contradicts(named, text):
        return text_types.by_looks(text), "text"
    if named == "application/json" or (named == PLAIN and text_types.is_json(text)):
        return text_types.json_type(text), "text"
    if named in (PLAIN, *_TABLES) and (clear := text_types.by_clear_looks(text)):
        return clear, "text"
    told = told_apart(name, named, text)
    return told, "name" if told == named else "text"
