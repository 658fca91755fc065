"""HTML as blocks of Markdown: headings, lists, tables and links, without scripts and styles.

Pages, chapters of books and bodies of mails go through it. `html_decoding` comes before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from files.extraction.document import Place, Segment, SegmentKind
from files.extraction.errors import MalformedFile
from files.extraction.headings import HeadingPath
from files.extraction.table_segments import table_segments

if TYPE_CHECKING:
    from lxml.etree import _Element

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
_NOTE_TAGS = frozenset(("aside", "li", "div", "p", "section"))
_NOTE_KINDS = re.compile(r"(?:^|[\s-])(?:footnote|endnote|rearnote)(?:$|\s)")
_HEADING = re.compile(r"h([1-6])$")
_SPACE = re.compile(r"\s+")
_HREF_CHARS = 200  # a longer address is a tracker's, not a reader's
_SPAN = 40


def html_tree(text: str) -> _Element:
    """Return the root of a page, however broken its markup is. Raises MalformedFile when there is none."""
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as exc:
        raise MalformedFile("There is no page in this file that can be read.") from exc
    return root


@dataclass(slots=True)
class _Table:
    rows: list[list[str]] = field(default_factory=list)


class Walker:
    """One walk over a tree, gathering inline text until a block ends. `headings` is the path to go on from."""

    def __init__(self, headings: HeadingPath | None = None) -> None:
        self._text: list[str] = []
        self._links: list[tuple[int, str]] = []
        self._lists: list[int | None] = []
        self._headings = headings or HeadingPath()
        self._level = 0
        self._pre = 0
        self._mark = ""
        self._notes = 0
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
                if tag in _NOTE_TAGS and _is_note(element):
                    self._notes += 1
                self._add(element.text)
            else:
                if tag not in _SKIPPED:
                    yield from self._end(element, tag)
                    if self._notes and tag in _NOTE_TAGS and _is_note(element):
                        self._notes -= 1
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
            yield from Walker(self._headings).walk(html_tree(element.get("srcdoc", "")))

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
        yield from table_segments(table.rows, Place(headings=self._headings.path))

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
        if self._notes and kind is SegmentKind.PARAGRAPH:
            kind = SegmentKind.NOTE
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


def _is_note(element: _Element) -> bool:
    """Tell a note of a book, by what EPUB or ARIA calls it."""
    return bool(_NOTE_KINDS.search(element.get("epub:type") or element.get("role") or ""))


def _is_layout(table: _Element) -> bool:
    """Tell a table that arranges a page from one that holds data: pages have structure inside their cells."""
    return any(table.find(f".//{tag}") is not None for tag in _LAYOUT_INSIDE)
