"""HTML as Markdown: headings, lists, tables and links, without scripts and styles."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.encoding import guess_encoding, marked_encoding, wide_encoding
from files.extraction.errors import MalformedFile
from files.extraction.headings import HeadingPath
from files.extraction.limits import Limits
from files.extraction.markdown_table import Row, split_header, table_chunks

if TYPE_CHECKING:
    from lxml.etree import _Element

_CHARSET = re.compile(
    rb"""<meta[^>]{0,400}?charset\s*=\s*["']?\s*([\w:.-]{2,40})|<\?xml[^>]{0,200}?encoding=["']([\w.-]{2,40})""", re.I
)
# Names on the web mean the larger Windows set that contains the one they say.
_MEANT = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-8859-9": "cp1254",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac_cyrillic",
    "macintosh": "mac_roman",
}
# fmt: off
_SKIPPED = frozenset((
    "script", "style", "template", "head", "svg", "math", "object", "embed", "canvas", "audio", "video", "map",
    "datalist",
))
_BLOCKS = frozenset((
    "html", "body", "div", "p", "section", "article", "main", "aside", "header", "footer", "nav", "address",
    "blockquote", "form", "fieldset", "legend", "figure", "figcaption", "ul", "ol", "li", "dl", "dt", "dd", "details",
    "summary", "dialog", "center", "hgroup", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "table", "caption", "tr",
    "iframe", "option", "noscript", "menu", "tbody", "thead", "tfoot",
))
# fmt: on
_LAYOUT_INSIDE = ("table", "h1", "h2", "h3", "form", "ul", "ol", "pre")
_HEADING = re.compile(r"h([1-6])$")
_SPACE = re.compile(r"\s+")
_HREF_CHARS = 200  # a longer address is a tracker's, not a reader's
_SPAN = 40
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
        root = _tree(text)
        yield Metadata({"encoding": encoding, **_facts(root)})
        yield from _Walker().walk(root)


def decode_page(data: bytes) -> tuple[str, str]:
    """Return a page as text and the encoding it was in: mark, declaration, UTF-8, guess, in this order."""
    name = marked_encoding(data) or wide_encoding(data)
    if name is None:
        name = _declared(data)
        if name is None or _wrong(data, name):
            name = _utf8_or_guess(data)
    return data.decode(name, "replace").lstrip("\ufeff"), name


def _declared(data: bytes) -> str | None:
    found = _CHARSET.search(data[:8192])
    if not found:
        return None
    said = (found[1] or found[2]).decode("ascii").lower()
    try:
        name = codecs.lookup(_MEANT.get(said, said)).name
    except LookupError:
        return None
    return None if name.startswith(("utf-16", "utf-32")) else name  # it could not have been read as ASCII


def _wrong(data: bytes, name: str) -> bool:
    """Tell whether a declaration is not true: many bytes that its encoding does not have."""
    bad = data[: 1 << 20].decode(name, "replace").count("\ufffd")
    return bad > 3 and bad * 200 > sum(byte > 127 for byte in data[: 1 << 20])


def _utf8_or_guess(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return guess_encoding(b"".join(re.findall(rb"[^\n]*[\x80-\xff][^\n]*\n?", data[: 1 << 20]))[: 1 << 16])
    return "utf-8"


def _tree(text: str) -> _Element:
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as exc:
        raise MalformedFile("There is no page in this file that can be read.") from exc
    return root


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


@dataclass(slots=True)
class _Table:
    rows: list[list[str]] = field(default_factory=list)


class _Walker:
    """One walk over a tree, gathering inline text until a block ends."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._links: list[tuple[int, str]] = []
        self._lists: list[int | None] = []
        self._headings = HeadingPath()
        self._level = 0
        self._pre = 0
        self._mark = ""
        self._table: _Table | None = None

    def walk(self, root: _Element) -> Iterator[Segment]:
        """Yield the segments under `root`."""
        from lxml import etree

        steps = etree.iterwalk(root, events=("start", "end"))
        for event, element in steps:
            tag = element.tag
            if event == "start":
                if tag in _SKIPPED:
                    steps.skip_subtree()
                    continue
                yield from self._start(element, tag)
                self._add(element.text)
            else:
                if tag not in _SKIPPED:
                    yield from self._end(element, tag)
                if element is not root:
                    self._add(element.tail)
        yield from self._flush()

    def _start(self, element: _Element, tag: str) -> Iterator[Segment]:
        if self._table is not None and tag in ("tr", "td", "th"):
            self._start_in_table(self._table, tag)
            return
        if tag in _BLOCKS or tag in ("td", "th"):
            yield from self._flush()
        if found := _HEADING.match(tag):
            self._level = int(found[1])
        elif tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._mark = self._list_mark()
        elif tag == "pre":
            self._pre += 1
        elif tag == "table" and self._table is None and not _is_layout(element):
            self._table = _Table()
        else:
            yield from self._start_inline(element, tag)

    def _start_inline(self, element: _Element, tag: str) -> Iterator[Segment]:
        if tag == "br":
            self._text.append("\n")
        elif tag == "a":
            self._links.append((len(self._text), element.get("href", "").strip()))
        elif tag == "img":
            self._add(f" {element.get('alt', '')} ")
        elif tag == "iframe" and element.get("srcdoc") and element.get("srcdoc", "").strip():
            inner = _Walker()
            inner._headings = self._headings
            yield from inner.walk(_tree(element.get("srcdoc", "")))

    def _end(self, element: _Element, tag: str) -> Iterator[Segment]:
        if tag == "a":
            self._close_link()
        elif self._table is not None and tag in ("td", "th", "table"):
            yield from self._end_in_table(self._table, element, tag)
        elif tag in _BLOCKS or tag in ("td", "th"):
            yield from self._flush(SegmentKind.CAPTION if tag in ("caption", "figcaption") else SegmentKind.PARAGRAPH)
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
            elif tag == "pre":
                self._pre -= 1
            elif _HEADING.match(tag):
                self._level = 0

    def _start_in_table(self, table: _Table, tag: str) -> None:
        if tag == "tr" or not table.rows:
            table.rows.append([])
        self._text.clear()
        self._links.clear()

    def _end_in_table(self, table: _Table, element: _Element, tag: str) -> Iterator[Segment]:
        if tag in ("td", "th"):
            span = element.get("colspan", "1")
            width = min(int(span), _SPAN) if span.isdecimal() and len(span) < 6 else 1
            table.rows[-1] += [self._take().strip(), *[""] * (width - 1)]
            return
        self._table = None
        yield from self._flush()
        yield from self._table_segments(table.rows)

    def _table_segments(self, rows: Sequence[Row]) -> Iterator[Segment]:
        numbered = [(at, row) for at, row in enumerate(rows) if any(cell.strip() for cell in row)]
        if not numbered:
            return
        width = max(len(row) for _, row in numbered)
        if width == 1:
            for _, row in numbered:
                yield self._segment(row[0], SegmentKind.PARAGRAPH)
            return
        padded = [(at, [*row, *[""] * (width - len(row))]) for at, row in numbered]
        header, captions = split_header(padded)
        for _, row in captions:
            yield self._segment("".join(row), SegmentKind.CAPTION)
        body = padded[len(captions) + (header is not None) :]
        for chunk in table_chunks(header or (0, [""] * width), body):
            yield self._segment(chunk.text, SegmentKind.TABLE)

    def _add(self, text: str | None) -> None:
        if text:
            self._text.append(text if self._pre else _SPACE.sub(" ", text))

    def _take(self) -> str:
        text = "".join(self._text)
        self._text.clear()
        self._links.clear()
        if self._pre:
            return text.strip("\n")
        return "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()

    def _flush(self, kind: SegmentKind = SegmentKind.PARAGRAPH) -> Iterator[Segment]:
        if self._table is not None:  # a block inside a cell only separates words
            self._text.append(" ")
            return
        text = self._take()
        if not text.strip():
            return
        if self._level:
            above = self._headings.enter(self._level, " ".join(text.split()))
            yield Segment(f"{'#' * self._level} {text}", SegmentKind.HEADING, Place(headings=above))
            return
        mark, self._mark = self._mark, ""
        yield self._segment(mark + text, SegmentKind.CODE if self._pre else kind)

    def _segment(self, text: str, kind: SegmentKind) -> Segment:
        return Segment(text, kind, Place(headings=self._headings.path))

    def _list_mark(self) -> str:
        if not self._lists:
            return "- "
        indent = "  " * (len(self._lists) - 1)
        number = self._lists[-1]
        if number is None:
            return indent + "- "
        self._lists[-1] = number + 1
        return f"{indent}{number + 1}. "

    def _close_link(self) -> None:
        if not self._links:
            return
        start, href = self._links.pop()
        text = "".join(self._text[start:]).strip()
        keep = href.startswith(("http://", "https://", "mailto:", "/", "./", "../")) and len(href) <= _HREF_CHARS
        if not text or text == href or not keep or " " in href or self._pre:
            return
        before = " " if self._text[start][:1].isspace() else ""
        after = " " if self._text[-1][-1:].isspace() else ""
        self._text[start:] = [f"{before}[{text}]({href}){after}"]


def _is_layout(table: _Element) -> bool:
    """Tell a table that arranges a page from one that holds data: pages have structure inside their cells."""
    return any(table.find(f".//{tag}") is not None for tag in _LAYOUT_INSIDE)
