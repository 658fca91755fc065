"""What type a file is: by its content first, then by its name, then by a look at its text.

Runs in the worker, on at most a few hundred kilobytes of the file; no third-party code touches them. After it, the
registry says who reads the type.
"""

from __future__ import annotations

import codecs
import re
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from files.extraction import media_types
from files.extraction.containers import OLE_DOCUMENTS, look_into_ole, look_into_zip
from files.extraction.encoding import wide_encoding
from files.extraction.media_types import PLAIN, UNKNOWN, MediaType, by_file_name, kind_of
from files.extraction.same_endings import told_apart
from files.extraction.signatures import by_signature

HEAD_BYTES = 16 * 1024

_HTML = re.compile(r"\s*(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body|title|frameset)\b", re.I | re.S)
_XML = re.compile(r"\s*<\?xml\b")
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]*)")
_XML_PROLOG = re.compile(r"<\?.{0,2000}?\?>|<!--.{0,4000}?-->|<!DOCTYPE[^>\[]*(?:\[.{0,4000}?\])?[^>]*>", re.S)
_FLAT_ODF = re.compile(
    r"""office:mimetype=["'](application/vnd\.oasis\.opendocument\.(?:text|spreadsheet|presentation|graphics))"""
)
_JSON = re.compile(r'\s*(?:\{\s*(?:"(?:[^"\\]|\\.){0,500}"\s*:|\})|\[\s*(?:[\[{"\]]|-?\d|true|false|null))')
_MAIL_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60}):(?: |$)")
_MAIL_HEADERS = frozenset((
    "received", "return-path", "message-id", "mime-version", "delivered-to", "from", "date", "to", "subject",
    "content-type", "x-mailer", "sender", "reply-to", "cc", "dkim-signature",
))  # fmt: skip
_MARKDOWN = re.compile(r"(?m)^(?:#{1,6} \S|```|\|[ :|-]*--[ :|-]*\|\s*$|\[[^\]\n]{1,80}\]: \S)")
_SHEBANGS = (
    ("python", "text/x-python"), ("node", "text/javascript"), ("deno", "text/x-typescript"), ("perl", "text/x-perl"),
    ("ruby", "text/x-ruby"), ("php", "text/x-php"), ("lua", "text/x-lua"), ("Rscript", "text/x-r"),
    ("groovy", "text/x-groovy"), ("swift", "text/x-swift"), ("make", "text/x-makefile"), ("awk", "text/x-awk"),
    ("tclsh", "text/x-tcl"), ("wish", "text/x-tcl"), ("runghc", "text/x-haskell"), ("runhaskell", "text/x-haskell"),
    ("elixir", "text/x-elixir"), ("escript", "text/x-erlang"), ("julia", "text/x-julia"), ("pwsh", "text/x-powershell"),
    ("scala", "text/x-scala"), ("kotlin", "text/x-kotlin"),
)  # fmt: skip
_NOTEBOOK = re.compile(r'\s*\{\s*"(?:cells|worksheets|metadata|nbformat)"\s*:')
_TEX = re.compile(r"\s*(?:%[^\n]{0,400}\n\s*){0,40}\\(?:documentclass|documentstyle|begin\{document\})")
_OTHER_XML = re.compile(
    r"\s*(?:<!DOCTYPE\s+(?!html)[\w:.-]+[\s>\[]|<(?:rss|feed|TS|plist|project|urlset|opml|kml|gpx)\b)"
)
_OPENINGS = (
    ("<svg", "image/svg+xml"), ("<?php", "text/x-php"), ("WEBVTT", "text/vtt"), ("BEGIN:VCALENDAR", "text/calendar"),
    ("BEGIN:VCARD", "text/vcard"),
)  # fmt: skip
_ELEMENT = re.compile(r"\s*<([A-Za-z_][\w.:-]{0,100})(?:\s[^<>]{0,2000})?>")
_PACKAGE_OPENINGS = (b"[Content_Types].xml", b"_rels/", b"mimetype", b"META-INF/container.xml")
_TEXT_CONTROLS = frozenset(b"\t\n\r\x0b\x0c\x1b\x1c\x1d\x1e\x1f\x08\x1a")

By = Literal["content", "name", "text"]


@dataclass(frozen=True, slots=True)
class Detected:
    """A file's type, its family, and what told it."""

    media_type: str
    kind: str
    by: By


def detect(path: Path, name: str = "") -> Detected:
    """Return the type of the file at `path`, which the user calls `name`. An unknown one is octet-stream, `other`."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        media_type, by = _detect(file, head, name or path.name)
    return Detected(media_type, kind_of(media_type), by)


def _detect(file: BinaryIO, head: bytes, name: str) -> tuple[str, By]:
    named = by_file_name(name)
    if found := by_signature(head):
        return _inside(file, head, found, named)
    text = _as_text(head)
    if text is None:
        # Damaged bytes under a known ending go to that format's reader, which can say that they are damaged.
        return (named.name, "name") if named and not named.textual else (UNKNOWN, "content")
    if found := _by_opening(text):
        return found, "content"
    if named and named.textual:
        return _better_than_name(named.name, name, text)
    if named and not head:
        return named.name, "name"
    return _by_looks(text), "text"


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
        return text is not None and _by_opening(text) == "image/svg+xml"
    return False


def _as_text(head: bytes) -> str | None:
    """Return `head` as text good enough to look at, None when it is binary."""
    if wide := wide_encoding(head):
        return codecs.decode(head, wide, "ignore").lstrip("\ufeff")
    if b"\x00" in head and head.count(0) * 50 > len(head):
        return None
    controls = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in head[:4096])
    if controls * 20 > min(len(head), 4096):
        return None
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _by_opening(text: str) -> str | None:
    """Return a type whose first words cannot be anything else."""
    if _HTML.match(text):
        return "text/html"
    if _XML.match(text):
        root = _ROOT.search(_XML_PROLOG.sub("", text))
        local = root[1].rpartition(":")[2].lower() if root else ""
        if local == "document" and (flat := _FLAT_ODF.search(text)):
            return f"{flat[1]}-flat-xml"
        return {"html": "text/html", "svg": "image/svg+xml"}.get(local, "application/xml")
    if _OTHER_XML.match(text):
        return "application/xml"
    opening = text[:200].lstrip()
    return next((media_type for words, media_type in _OPENINGS if opening.upper().startswith(words.upper())), None)


def _better_than_name(named: str, name: str, text: str) -> tuple[str, By]:
    """Let the text overrule an ending that says nothing (txt) and tell JSON from JSON Lines."""
    if named == "application/json" and (_is_json_lines(text) or _is_notebook(text)):
        return _json_type(text), "text"
    if named == PLAIN and _JSON.match(text):
        return _json_type(text), "text"
    if named == PLAIN and _TEX.match(text):
        return "text/x-tex", "text"
    if named == "application/xml" and not text.lstrip().startswith("<"):
        return PLAIN, "text"
    told = told_apart(name, named, text)
    return told, "name" if told == named else "text"


def _by_looks(text: str) -> str:
    for look in (_by_shebang, _by_form, _mail_type, _table_type, _element_type):
        if found := look(text):
            return found
    return "text/markdown" if len(_MARKDOWN.findall(text)) >= 2 else PLAIN


def _by_shebang(text: str) -> str | None:
    if not text.startswith("#!"):
        return None
    line = text[:200].partition("\n")[0]
    return next((media_type for word, media_type in _SHEBANGS if word in line), "text/x-shellscript")


def _by_form(text: str) -> str | None:
    if _JSON.match(text):
        return _json_type(text)
    return "text/x-tex" if _TEX.match(text) else None


def _mail_type(text: str) -> str | None:
    if _is_mail(text):
        return "message/rfc822"
    return "application/mbox" if text.startswith("From ") and _is_mail(text.partition("\n")[2]) else None


def _is_mail(text: str) -> bool:
    """Tell a mail by its first lines: nothing but headers, three of those that mails have, or two and their end."""
    known: set[str] = set()
    for line in text.split("\n")[:60]:
        header = _MAIL_HEADER.match(line)
        if not line.strip():
            return len(known) >= 2
        if header and header[1].lower() in _MAIL_HEADERS:
            known.add(header[1].lower())
        elif not header and line[:1] not in " \t":
            return False
        if len(known) >= 3:
            return True
    return False


def _element_type(text: str) -> str | None:
    """Tell XML that does not say so by an element at the start that is closed."""
    root = _ELEMENT.match(text)
    return "application/xml" if root and (f"</{root[1]}>" in text or f"</{root[1].partition(':')[0]}" in text) else None


def _is_notebook(text: str) -> bool:
    return _NOTEBOOK.match(text) is not None and ('"cell_type"' in text or '"nbformat"' in text)


def _json_type(text: str) -> str:
    if _is_notebook(text):
        return "application/x-ipynb+json"
    return "application/x-ndjson" if _is_json_lines(text) else "application/json"


def _is_json_lines(text: str) -> bool:
    lines = [line.strip() for line in text.splitlines()[:3] if line.strip()]
    return len(lines) > 1 and all(line.startswith("{") and line.endswith("}") for line in lines[:2])


def _table_type(text: str) -> str | None:
    lines = [line for line in text.split("\n")[:-1][:20] if line.strip()]
    if len(lines) < 3:
        return None
    for mark, media_type in (("\t", "text/tab-separated-values"), (",", "text/csv"), (";", "text/csv")):
        counts = {line.count(mark) for line in lines}
        if len(counts) == 1 and counts.pop() >= (1 if mark == "\t" else 2):
            return media_type
    return None
