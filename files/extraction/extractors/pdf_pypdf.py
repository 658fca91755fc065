"""PDF through pypdf, which has bounds of its own and mends what PDFium refuses; slower by an order of magnitude."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import EncryptedFile, MalformedFile, TooManyPages
from files.extraction.limits import Limits

if TYPE_CHECKING:
    from pypdf import PdfReader

_FACTS = {"title": "title", "author": "author", "subject": "subject", "creator": "application", "producer": "producer"}
# What pypdf lets through on damaged files, beside its own errors.
_DAMAGE = (
    ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, EOFError, OSError, RecursionError,
    AssertionError, NotImplementedError, ZeroDivisionError,
)  # fmt: skip


class PypdfExtractor(Extractor):
    """Takes over where PDFium gives up."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the text of each page. Raises EncryptedFile, MalformedFile, TooManyPages."""
        from pypdf.errors import DependencyError, PyPdfError

        logging.getLogger("pypdf").setLevel(logging.CRITICAL)
        try:
            reader, total = _open(source)
        except (PyPdfError, DependencyError, *_DAMAGE) as exc:
            raise MalformedFile from exc
        yield Metadata({"page_count": total, **_facts(reader)})
        unreadable: list[int] = []
        for number in range(1, total + 1):
            if number > limits.pages:
                raise TooManyPages(f"This document has {total} pages; the limit is {limits.pages}.")
            try:
                text = reader.pages[number - 1].extract_text()
            except (PyPdfError, DependencyError, *_DAMAGE):
                unreadable.append(number)
                continue
            if text.strip():
                yield Segment(text, place=Place(page=number))
            yield Coverage("pages", number - len(unreadable), total)
        if len(unreadable) == total:
            raise MalformedFile
        if unreadable:
            yield PieceWarning("page_unreadable", f"{len(unreadable)} of {total} pages are damaged.")


def _open(source: Source) -> tuple[PdfReader, int]:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError

    reader = PdfReader(source.path, strict=False)
    try:
        if reader.is_encrypted and not reader.decrypt(""):
            raise EncryptedFile
        total = len(reader.pages)
    except (DependencyError, FileNotDecryptedError) as exc:
        raise EncryptedFile from exc
    if not total:
        raise MalformedFile
    return reader, total


def _facts(reader: PdfReader) -> dict[str, object]:
    from pypdf.errors import PyPdfError

    facts: dict[str, object] = {}
    try:
        told = reader.metadata
        for name, key in _FACTS.items():
            value = getattr(told, name, None)
            if isinstance(value, str) and value.strip():
                facts[key] = value
    except (PyPdfError, *_DAMAGE):
        pass
    return facts
