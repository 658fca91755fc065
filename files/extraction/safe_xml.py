"""XML from strangers: no entities, no network, no DTD, bounded depth and size; never a parser with its defaults."""

from __future__ import annotations

import io
from collections.abc import Hashable, Iterator
from functools import lru_cache
from typing import IO, TYPE_CHECKING

from files.extraction.errors import MalformedFile

if TYPE_CHECKING:
    from lxml.etree import _Element

    Element = _Element  # for the annotations of modules that work on trees and make none

_CHUNK = 256 * 1024


@lru_cache(maxsize=4096)  # a document has few names and asks for each a million times
def local_name(tag: Hashable) -> str:
    """Return a tag without its namespace; an empty string for comments and processing instructions."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: _Element, name: str) -> str:
    """Return an attribute whatever its namespace is, an empty string when it is not there."""
    return next((value for key, value in element.attrib.items() if local_name(key) == name), "")


def child(element: _Element | None, *path: str) -> _Element | None:
    """Return what is found by going down `path` of local names, the first of each; None when a step is missing."""
    for name in path:
        if element is None:
            return None
        element = next((inner for inner in element if local_name(inner.tag) == name), None)
    return element


def children(element: _Element | None, name: str) -> list[_Element]:
    """Return the direct children with a local name; none of None."""
    return [] if element is None else [inner for inner in element if local_name(inner.tag) == name]


def iterate(stream: IO[bytes], tags: tuple[str, ...]) -> Iterator[tuple[str, _Element]]:
    """Yield (event, element) at the start and end of each of `tags`, while `stream` is read. Raises MalformedFile."""
    from lxml import etree

    events = etree.iterparse(
        stream,
        events=("start", "end"),
        tag=tags,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        yield from events
    except etree.XMLSyntaxError as exc:
        raise MalformedFile from exc


def parse(data: bytes) -> _Element:
    """Return the root element of a small document. Raises MalformedFile."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.parse(io.BytesIO(data), parser).getroot()
    except etree.XMLSyntaxError as exc:
        raise MalformedFile from exc
