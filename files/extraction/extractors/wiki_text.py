"""MediaWiki and Textile: headings give the path, the rest stays as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece
from files.extraction.encoding import detect_encoding, read_lines
from files.extraction.formats.markup.markup_blocks import MarkupBlocks
from files.extraction.limits import Limits

_WIKI = re.compile(r"(={1,6})[ \t]*([^=\n].*?)[ \t]*={1,6}[ \t]*$")
_TEXTILE = re.compile(r"h([1-6])(?:\([^()\n]{0,100}\)|\{[^{}\n]{0,100}\})?\.[ \t]+(.*\S)")
_LINE_CHARS = 1_000
_WIKI_LINK = re.compile(r"\[\[(?:[^\[\]|\n]{1,300}\|)?([^\[\]|\n]{1,300})\]\]")
_TEXTILE_LINK = re.compile(r'"([^"\n]{1,300})":(https?://[^\s]{1,1000})')


class WikiTextExtractor(Extractor):
    """Yields headings and paragraphs with their lines."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield the text of `source`. Memory does not grow with the file."""
        encoding = detect_encoding(source.path)
        yield Metadata({"encoding": encoding})
        blocks = MarkupBlocks(_shown)
        number = 0
        for line in read_lines(source.path, encoding):
            number = line.number
            text = line.text[:_LINE_CHARS]
            if found := _WIKI.match(text) or _TEXTILE.match(text):
                yield from blocks.flush()
                level = len(found[1]) if found[1][0] == "=" else int(found[1])
                yield from blocks.heading(level, found[2], number, number)
            elif not text.strip():
                yield from blocks.flush()
            else:
                yield from blocks.add(line)
        yield from blocks.flush()
        yield Metadata({"line_count": number, "title": blocks.headings.title})


def _shown(text: str) -> str:
    return _TEXTILE_LINK.sub(r"[\1](\2)", _WIKI_LINK.sub(r"\1", text))
