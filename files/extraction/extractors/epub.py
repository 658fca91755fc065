"""E-books (EPUB 2 and 3): chapters in the order of the spine, named by the table of contents."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import EncryptedFile, MalformedFile, TooManyPages
from files.extraction.formats.markup.html_blocks import Walker, html_tree
from files.extraction.formats.markup.html_decoding import decode_page
from files.extraction.formats.office.packages import Package, open_package
from files.extraction.headings import HeadingPath
from files.extraction.limits import Limits
from files.extraction.safe_xml import attribute, child, children, local_name, parse

if TYPE_CHECKING:
    from files.extraction.safe_xml import Element

_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document")
_PAGE_ENDINGS = (".xhtml", ".html", ".htm", ".xml")
# Fonts are made unreadable with these, for their licence's sake; it is no protection of the text.
_FONT_METHODS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_DUBLIN_CORE = {
    "title": "title",
    "creator": "author",
    "publisher": "publisher",
    "language": "language",
    "subject": "keywords",
    "description": "description",
    "date": "created",
    "identifier": "identifier",
    "rights": "rights",
    "contributor": "contributor",
}
_SEVERAL = ("author", "keywords", "contributor", "identifier")


class EpubExtractor(Extractor):
    """Reads every chapter, those beside the reading order last."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield per chapter its headings and blocks; a chapter without a heading gets its name in the contents."""
        with open_package(source, limits) as package:
            book = _open_book(package)
            locked = _locked(package)
            if book.chapters and all(chapter in locked for chapter in book.chapters):
                raise EncryptedFile("This e-book is protected against copying, so its text cannot be read.")
            yield Metadata({**book.facts, "chapter_count": len(book.chapters)})
            headings = HeadingPath()
            for done, part in enumerate(book.chapters, 1):
                if done > limits.pages:
                    raise TooManyPages
                if part in locked:
                    yield PieceWarning("encrypted", f"The chapter {posixpath.basename(part)} is protected.")
                else:
                    yield from _chapter(package, part, book.names.get(part, ""), headings)
                yield Coverage("chapters", done, len(book.chapters))


@dataclass(frozen=True, slots=True)
class _Book:
    facts: dict[str, object]
    chapters: list[str]
    names: dict[str, str]


def _open_book(package: Package) -> _Book:
    """Return what the package document says. Raises MalformedFile when it names no chapter that is there."""
    opf = _package_document(package)
    root = parse(package.read(opf))
    folder = posixpath.dirname(opf)
    manifest = {attribute(item, "id"): item for item in children(child(root, "manifest"), "item")}
    spine = child(root, "spine")
    listed: list[str] = []
    for linear in (True, False):
        for entry in children(spine, "itemref"):
            if (attribute(entry, "linear") != "no") is linear and attribute(entry, "idref") in manifest:
                listed.append(_target(folder, attribute(manifest[attribute(entry, "idref")], "href")))
    if not any(part in package for part in listed):
        pages = [item for item in manifest.values() if attribute(item, "media-type") in _PAGES]
        listed = [_target(folder, attribute(item, "href")) for item in pages]
    chapters = [part for part in dict.fromkeys(listed) if part in package]
    if not chapters:
        raise MalformedFile
    return _Book(_facts(root), chapters, _names(package, folder, list(manifest.values())))


def _package_document(package: Package) -> str:
    if "META-INF/container.xml" in package:
        for element in parse(package.read("META-INF/container.xml")).iter():
            path = attribute(element, "full-path") if local_name(element.tag) == "rootfile" else ""
            if path and path in package:
                return path
    found = next((name for name in package.names("") if name.lower().endswith(".opf")), None)
    if found is None:
        raise MalformedFile
    return found


def _facts(root: Element) -> dict[str, object]:
    facts: dict[str, object] = {}
    metadata = child(root, "metadata")
    for element in metadata.iter() if metadata is not None else ():
        key = _DUBLIN_CORE.get(local_name(element.tag))
        text = " ".join("".join(element.itertext()).split())
        if attribute(element, "property") == "dcterms:modified":
            key = "modified"
        if key and text and key in facts and key in _SEVERAL:
            facts[key] = f"{facts[key]}, {text}"
        elif key and text:
            facts.setdefault(key, text)
    return facts


def _names(package: Package, folder: str, manifest: list[Element]) -> dict[str, str]:
    """Return the first name that the table of contents gives each file: that of EPUB 3, or of EPUB 2."""
    for item in manifest:
        is_nav = "nav" in attribute(item, "properties").split()
        if is_nav or attribute(item, "media-type") == "application/x-dtbncx+xml":
            part = _target(folder, attribute(item, "href"))
            try:
                found = (_nav_names if is_nav else _ncx_names)(package, part) if part in package else {}
            except MalformedFile:
                continue  # the chapters have headings of their own
            if found:
                return found
    return {}


def _nav_names(package: Package, part: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for nav in html_tree(decode_page(package.read(part))[0]).iter("nav"):
        if attribute(nav, "epub:type") in ("", "toc"):
            for link in nav.iter("a"):
                target = _target(posixpath.dirname(part), link.get("href", ""))
                found.setdefault(target, " ".join("".join(link.itertext()).split()))
    return found


def _ncx_names(package: Package, part: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for point in parse(package.read(part)).iter():
        content = child(point, "content") if local_name(point.tag) == "navPoint" else None
        if content is not None:
            label = child(point, "navLabel", "text")
            name = " ".join((label.text or "").split()) if label is not None else ""
            found.setdefault(_target(posixpath.dirname(part), attribute(content, "src")), name)
    return found


def _locked(package: Package) -> set[str]:
    """Return the parts that are encrypted, fonts aside."""
    if "META-INF/encryption.xml" not in package:
        return set()
    found: set[str] = set()
    try:
        root = parse(package.read("META-INF/encryption.xml"))
    except MalformedFile:
        return found
    for data in root.iter():
        if local_name(data.tag) != "EncryptedData":
            continue
        method = child(data, "EncryptionMethod")
        reference = child(data, "CipherData", "CipherReference")
        font = method is not None and attribute(method, "Algorithm") in _FONT_METHODS
        if reference is not None and not font:
            found.add(_target("", attribute(reference, "URI")))
    return found


def _chapter(package: Package, part: str, name: str, headings: HeadingPath) -> Iterator[Piece]:
    try:
        text, _ = decode_page(package.read(part))
        segments = Walker(headings).walk(html_tree(text))
        first = next(segments, None)
    except MalformedFile:
        yield PieceWarning("malformed", f"The chapter {posixpath.basename(part)} could not be read.")
        return
    if first is None:
        return
    if name and first.kind is not SegmentKind.HEADING:
        above = headings.enter(1, name)
        yield Segment(f"# {name}", SegmentKind.HEADING, Place(headings=above))
        first = Segment(first.text, first.kind, Place(headings=headings.path))
    yield first
    yield from segments


def _target(folder: str, href: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0])))
