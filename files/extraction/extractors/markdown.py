"""Markdown as it stands: headings give the path, fences give code, the front matter gives the facts."""

from __future__ import annotations

from collections.abc import Iterator

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece
from files.extraction.formats.markup.markdown_blocks import MarkdownBlocks
from files.extraction.formats.markup.markup_blocks import read_line_by_line
from files.extraction.limits import Limits


class MarkdownExtractor(Extractor):
    """Yields one segment per heading, paragraph, table or code block, with its lines and its heading path."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield the blocks of `source` as written. Memory does not grow with the file."""
        reader = MarkdownBlocks()
        yield from read_line_by_line(source.path, reader)
        if reader.headings.title and "title" not in reader.facts:
            yield Metadata({"title": reader.headings.title})
