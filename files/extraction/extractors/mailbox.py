"""Mailboxes (MBOX): message by message, each a part of the file, with memory for one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from files.extraction.base import Extractor, Source
from files.extraction.document import Child, Metadata, Piece, Place
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import MalformedFile
from files.extraction.formats.mail.mail_parts import MailFile
from files.extraction.formats.mail.mail_reading import read_mail
from files.extraction.limits import Limits

_LINE = 64 * 1024
_SEPARATOR = re.compile(rb"From \S")
_DATED = re.compile(
    rb"From \S+ .{0,80}\d\d:\d\d.{0,40}\d{4}|From \S+ .{0,80}\d{4}.{0,40}\d\d:\d\d"
)  # needs no empty line before
_SHORTEST = 3  # a message of line ends alone
_NAME_CHARS = 120


class MailboxExtractor(Extractor):
    """Reads the messages in the order of the file; what they are called is their number and subject."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the pieces of every message, placed in it. Attachments are read as far as the limits allow."""
        count = attached = 0
        left = limits.children
        with source.path.open("rb") as file:
            for start, end in _messages(file):
                count += 1
                if end - start < _SHORTEST:
                    continue
                for piece in _message(MailFile(file, quotes_from=True), start, end, count, left):
                    if isinstance(piece, Metadata):
                        found = piece.values.get("attachment_count", 0)
                        attached += found if isinstance(found, int) else 0
                        continue
                    left -= isinstance(piece, Child)
                    yield piece
        if not count:
            raise MalformedFile
        yield Metadata({"message_count": count, "attachment_count": attached})
        if attached > limits.children:
            yield PieceWarning("child_not_read", f"Only the first {limits.children} attachments were read.")


def _message(mail: MailFile, start: int, end: int, number: int, children: int) -> Iterator[Piece]:
    root = mail.part(start, end)
    subject = root.headers.text("subject")[:_NAME_CHARS]
    place = Place(part=(f"{number}: {subject}" if subject else f"message {number}",))
    yield from read_mail(mail, root, place, children=children)


def _messages(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield where the messages begin and end; a separator stands at the start or after an empty line."""
    start: int | None = None
    at = 0
    may_separate, at_line_start = True, True
    file.seek(0)
    while line := file.readline(_LINE):
        if at_line_start and _SEPARATOR.match(line) and (may_separate or _DATED.match(line)):
            resume = at + len(line)
            if start is not None:
                yield start, at
                file.seek(resume)
            start = resume
            may_separate = True
        elif at_line_start:
            may_separate = not line.strip(b"\r\n")
        at_line_start = line.endswith(b"\n")
        at += len(line)
    if start is not None:
        yield start, at
