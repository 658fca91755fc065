"""OpenDocument files, packed or flat: their parts, what they say of themselves, their styles, and their top blocks.

In a package the parts are files (styles.xml, content.xml); a flat document has all of them in one XML.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from files.extraction.base import Source
from files.extraction.document import Metadata
from files.extraction.errors import EncryptedFile, MalformedFile, UnsafeArchive
from files.extraction.formats.office.odf_styles import OdfStyles
from files.extraction.formats.office.packages import Package, open_package
from files.extraction.limits import Limits
from files.extraction.safe_xml import attribute, iterate, local_name, parse

if TYPE_CHECKING:
    from files.extraction.safe_xml import Element

_NS = "urn:oasis:names:tc:opendocument:xmlns:"
OFFICE, TEXT, TABLE, DRAW = (f"{{{_NS}{name}:1.0}}" for name in ("office", "text", "table", "drawing"))
SETTINGS = tuple(OFFICE + name for name in ("meta", "styles", "automatic-styles", "master-styles"))
_META = {
    "title": "title",
    "initial-creator": "author",
    "creator": "last_modified_by",
    "subject": "subject",
    "description": "description",
    "creation-date": "created",
    "date": "modified",
    "language": "language",
    "generator": "application",
}
_COUNTS = {"page-count": "page_count", "word-count": "word_count"}


@dataclass(slots=True)
class OpenDocument:
    """One OpenDocument file. `package` is None for a flat one. `styles` fills while the parts are walked."""

    source: Source
    package: Package | None
    styles: OdfStyles = field(default_factory=OdfStyles)

    def blocks(self, tags: tuple[str, ...]) -> Iterator[tuple[str, Element]]:
        """Yield (event, element) for the topmost elements among `tags`; each is dropped after its end was seen."""
        depth = 0
        for event, element in self.events(tags):
            depth += 1 if event == "start" else -1
            if depth == (event == "start"):
                yield event, element
                if event == "end":
                    drop(element)

    def events(self, tags: tuple[str, ...]) -> Iterator[tuple[str, Element]]:
        """Yield (event, element) for `tags` in the body of the document. The settings before it are taken in."""
        for part in self._parts():
            with self._open(part) as stream:
                inside = 0
                for event, element in iterate(stream, (*SETTINGS, *tags)):
                    if element.tag in SETTINGS:
                        inside += 1 if event == "start" else -1
                        if event == "end" and inside == 0:
                            self._take(element)
                    elif not inside:
                        yield event, element

    def metadata(self) -> Metadata:
        """Return title, author, dates and counts as the writing program stored them."""
        values: dict[str, object] = {}
        for _, element in self._settings("meta"):
            for entry in element.iter():
                name, text = local_name(entry.tag), (entry.text or "").strip()
                if name in _META and text:
                    values[_META[name]] = text
                elif name == "keyword" and text:
                    values["keywords"] = f"{values['keywords']}, {text}" if "keywords" in values else text
                elif name == "document-statistic":
                    counts = {key: attribute(entry, name) for name, key in _COUNTS.items()}
                    values |= {key: int(count) for key, count in counts.items() if count.isdecimal()}
        values.setdefault("author", values.get("last_modified_by", ""))
        return Metadata(values)

    def _settings(self, name: str) -> Iterator[tuple[str, Element]]:
        part = f"{name}.xml"
        if self.package is not None and part not in self.package:
            return
        with self._open(part) as stream:
            for event, element in iterate(stream, (OFFICE + name,)):
                if event == "end":
                    yield event, element
                    return

    def _parts(self) -> list[str]:
        if self.package is None:
            return ["content.xml"]
        if "content.xml" not in self.package:
            raise MalformedFile
        return [part for part in ("styles.xml", "content.xml") if part in self.package]

    @contextmanager
    def _open(self, part: str) -> Iterator[IO[bytes]]:
        if self.package is None:
            with self.source.path.open("rb") as file:
                yield file
        else:
            with self.package.open(part) as stream:
                yield stream

    def _take(self, element: Element) -> None:
        self.styles.load(element)
        if local_name(element.tag) != "master-styles":  # headers and footers are read from it at the end
            drop(element)


def drop(element: Element) -> None:
    """Free an element that has been read, and those before it."""
    element.clear()
    while (before := element.getprevious()) is not None:
        element.getparent().remove(before)


@contextmanager
def open_document(source: Source, limits: Limits) -> Iterator[OpenDocument]:
    """Open a packed or a flat OpenDocument file. Raises EncryptedFile, MalformedFile, UnsafeArchive."""
    with source.path.open("rb") as file:
        packed = file.read(2) == b"PK"
    if not packed:
        if source.path.stat().st_size > limits.unpacked_bytes:
            raise UnsafeArchive
        yield OpenDocument(source, None)
        return
    with open_package(source, limits) as package:
        _refuse_encrypted(package)
        yield OpenDocument(source, package)


def _refuse_encrypted(package: Package) -> None:
    """Every encrypted part is listed with its key's derivation; the text matters, a protected picture does not."""
    if "META-INF/manifest.xml" not in package:
        return
    try:
        manifest = parse(package.read("META-INF/manifest.xml"))
    except MalformedFile:
        return
    for entry in manifest:
        encrypted = any(local_name(inner.tag) == "encryption-data" for inner in entry)
        if encrypted and attribute(entry, "full-path") in ("content.xml", "encrypted-package"):
            raise EncryptedFile
