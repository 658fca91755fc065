"""PDF through pdfplumber: the last to be asked, as it is the slowest and the most forgiving about cross-references."""

from __future__ import annotations

from collections.abc import Iterator

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment
from files.extraction.errors import MalformedFile, TooManyPages
from files.extraction.limits import Limits


class PdfplumberExtractor(Extractor):
    """Takes over where PDFium and pypdf give up."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the text of each page. Raises MalformedFile, TooManyPages."""
        import pdfplumber
        from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

        try:
            with pdfplumber.open(source.path) as document:
                total = len(document.pages)
                if not total:
                    raise MalformedFile
                yield Metadata({"page_count": total})
                for number, page in enumerate(document.pages, 1):
                    if number > limits.pages:
                        raise TooManyPages(f"This document has {total} pages; the limit is {limits.pages}.")
                    if text := page.extract_text():
                        yield Segment(text, place=Place(page=number))
                    page.close()
                    yield Coverage("pages", number, total)
        except (PdfminerException, MalformedPDFException) as exc:
            raise MalformedFile from exc
