"""Web pages: what they say of themselves, then their text as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece
from files.extraction.formats.markup.html_blocks import Walker, html_tree
from files.extraction.formats.markup.html_decoding import decode_page
from files.extraction.limits import Limits

if TYPE_CHECKING:
    from lxml.etree import _Element

_META = {
    "description": "description",
    "author": "author",
    "keywords": "keywords",
    "og:title": "og_title",
    "og:site_name": "site_name",
}


class HtmlExtractor(Extractor):
    """Decodes a page as a browser would, then walks its tree once."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield a segment per heading, paragraph, list item, table part and block of code."""
        text, encoding = decode_page(source.path.read_bytes())
        root = html_tree(text)
        yield Metadata({"encoding": encoding, **_facts(root)})
        yield from Walker().walk(root)


def _facts(root: _Element) -> dict[str, object]:
    facts: dict[str, object] = {}
    if title := root.findtext(".//title"):
        facts["title"] = " ".join(title.split())
    if lang := root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang"):
        facts["language"] = lang
    for meta in root.iterfind(".//meta"):
        key = _META.get((meta.get("name") or meta.get("property") or "").lower())
        if key and meta.get("content"):
            facts.setdefault(key, meta.get("content"))
    for link in root.iterfind(".//link[@rel='canonical']"):
        facts["canonical"] = link.get("href", "")
    return facts
