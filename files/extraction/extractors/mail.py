"""Mails and saved web pages (EML, EMLX, MHTML): one message, its text and the files that hang on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from files.extraction.base import Extractor, Source
from files.extraction.document import Piece, Place
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import MalformedFile
from files.extraction.formats.mail.mail_parts import MailFile
from files.extraction.formats.mail.mail_reading import read_mail
from files.extraction.limits import Limits


class MailExtractor(Extractor):
    """Reads the plain text of a mail, or its page where that says more."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield subject, addresses and text, then the attachments. Raises MalformedFile for what is no mail."""
        with source.path.open("rb") as file:
            start, end = _bounds(file)
            mail = MailFile(file)
            root = mail.part(start, end)
            if b"\0" in _head(file, start) and "from" not in root.headers:
                raise MalformedFile
            yield from read_mail(mail, root, Place(), children=limits.children)
            if not mail.parts_left:
                yield PieceWarning("too_many_parts", "This mail has more parts than are read.")


def _bounds(file: BinaryIO) -> tuple[int, int]:
    """Return where the mail lies: Apple's EMLX has its length before it and settings after it."""
    end = file.seek(0, 2)
    file.seek(0)
    first = file.readline(32)
    if first.strip().isdigit() and first.endswith(b"\n"):
        return len(first), min(end, len(first) + int(first))
    return 0, end


def _head(file: BinaryIO, start: int) -> bytes:
    file.seek(start)
    return file.read(1024)
