"""The parts of a mail: found in one pass over its lines, kept as places in the file, so that memory stays flat.

Depth and number of parts are bounded; what is beyond them stays text of the part that it is in.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from files.extraction.formats.mail.mail_headers import (
    Field,
    Headers,
    base64_chunks,
    read_headers,
    text_of,
    transfer_decoded,
)
from files.extraction.media_types import BY_NAME

_LINE = 64 * 1024
_QUOTED_FROM = re.compile(rb"(?m)^>(>*From )")
_DEPTH = 20
_PARTS = 2_000
_TEXT_BYTES = 32 << 20
_BLOCK = 1 << 18
_NAME_CHARS = 200


@dataclass(slots=True)
class Part:
    """One part: its headers, where its body lies in the file, and the parts in it."""

    headers: Headers
    content: Field
    start: int
    end: int
    parts: list[Part] = field(default_factory=list)

    @property
    def media_type(self) -> str:
        """Return the declared type, plain text when there is none."""
        return self.content.value if "/" in self.content.value else "text/plain"

    @property
    def name(self) -> str:
        """Return the file name that the part was sent under, empty when it has none."""
        name = self.disposition.parameters.get("filename") or self.content.parameters.get("name", "")
        return name.replace("\\", "/").rpartition("/")[2].strip()[:_NAME_CHARS]

    @property
    def disposition(self) -> Field:
        """Return the header that tells attachments from text."""
        return self.headers.field("content-disposition")

    @property
    def encoding(self) -> str:
        """Return how the body is wrapped for its way: base64, quoted-printable or nothing."""
        return self.headers.field("content-transfer-encoding").value

    def walk(self) -> Iterator[Part]:
        """Yield this part and those in it, in their order."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(slots=True)
class MailFile:
    """A file of one mail or many, and how many parts may still be found in it."""

    file: BinaryIO
    parts_left: int = _PARTS
    quotes_from: bool = False  # mailboxes put a mark before lines that begin with the word that parts mails

    def part(self, start: int, end: int) -> Part:
        """Return the mail between two places of the file."""
        self.file.seek(start)
        root = self._head(end)
        open_parts = [root] if _boundary(root) else []
        current: Part | None = None if open_parts else root
        at_line_start = True
        while (at := self.file.tell()) < end:
            line = self.file.readline(min(_LINE, end - at))
            found = _closed_by(line, open_parts) if at_line_start and open_parts and line[:2] == b"--" else -1
            at_line_start = line.endswith(b"\n")
            if found < 0:
                continue
            if current is not None:
                current.end = at
            is_last = line.rstrip().endswith(b"--" + _boundary(open_parts[found]) + b"--")
            del open_parts[found + (0 if is_last else 1) :]
            current = None if is_last or not self.parts_left else self._inner(open_parts, end)
        return root

    def _inner(self, open_parts: list[Part], end: int) -> Part | None:
        """Read the head of a part in the innermost open one; return it where its body is a leaf's."""
        self.parts_left -= 1
        part = self._head(end)
        open_parts[-1].parts.append(part)
        if _boundary(part) and len(open_parts) < _DEPTH:
            open_parts.append(part)
            return None
        return part

    def _head(self, end: int) -> Part:
        headers = read_headers(self.file, end)
        return Part(headers, headers.field("content-type"), self.file.tell(), end)

    def text(self, part: Part) -> str:
        """Return the text of a part, the first 32 MiB of it."""
        return text_of(self.data(part), part.content.parameters.get("charset", ""))

    def data(self, part: Part) -> bytes:
        """Return the bytes of a part, the first 32 MiB of it."""
        self.file.seek(part.start)
        data = self.file.read(min(part.end - part.start, _TEXT_BYTES))
        if self.quotes_from:
            data = _QUOTED_FROM.sub(rb"\1", data)
        return transfer_decoded(data, part.encoding)

    def chunks(self, part: Part) -> Iterator[bytes]:
        """Yield the bytes of a part of any size."""
        if part.encoding == "base64":
            yield from base64_chunks(self.file, part.start, part.end)
            return
        self.file.seek(part.start)
        left = part.end - part.start
        while left > 0 and (block := self.file.read(min(_BLOCK, left))):
            left -= len(block)
            if part.encoding == "quoted-printable":
                block += self.file.readline(min(left, _LINE)) if left else b""
                left = part.end - self.file.tell()
                block = binascii.a2b_qp(block)
            yield block


def file_name(part: Part, number: int) -> str:
    """Return the name of an attachment, made up from its type where it has none."""
    known = BY_NAME.get(part.media_type)
    ending = known.endings[0] if known and known.endings else ""
    name = part.name or f"part-{number}"
    has_ending = "." in name
    return name if has_ending or not ending else f"{name}.{ending}"


def _boundary(part: Part) -> bytes:
    if not part.content.value.startswith("multipart/"):
        return b""
    return part.content.parameters.get("boundary", "").encode("utf-8", "replace")


def _closed_by(line: bytes, open_parts: list[Part]) -> int:
    """Return which of the open parts a line is a boundary of, -1 when of none."""
    mark = line[2:].rstrip()
    for at in range(len(open_parts) - 1, -1, -1):
        boundary = _boundary(open_parts[at])
        if mark == boundary or mark == boundary + b"--":
            return at
    return -1
