"""Cells of a sheet whose few values lie far apart, straight from its XML: no rectangle is ever held in memory.

Slower than calamine and without number formats; only for sheets that calamine would need gigabytes for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from files.extraction.formats.office.packages import Package
from files.extraction.safe_xml import iterate, local_name

if TYPE_CHECKING:
    from lxml.etree import _Element

_NAMESPACES = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)


def sparse_cells(package: Package, workbook: str, part: str) -> Iterator[tuple[str, str]]:
    """Yield (reference, text) of each cell of `part` that holds something, in the order of the file."""
    strings: list[str] | None = None
    for element in _elements(package, part, "c"):
        kind = element.get("t", "n")
        value = "".join(text for name, text in _texts(element) if name in ("v", "t"))
        if kind == "s" and value.isdecimal():
            if strings is None:
                strings = _shared_strings(package, workbook)
            value = strings[int(value)] if int(value) < len(strings) else ""
        if value.strip():
            yield element.get("r", ""), value


def _shared_strings(package: Package, workbook: str) -> list[str]:
    found: list[str] = []
    for part in package.related(workbook, "sharedStrings")[:1]:
        for element in _elements(package, part, "si"):
            found.append("".join(text for name, text in _texts(element) if name == "t"))
    return found


def _elements(package: Package, part: str, name: str) -> Iterator[_Element]:
    with package.open(part) as stream:
        for event, element in iterate(stream, tuple(f"{{{namespace}}}{name}" for namespace in _NAMESPACES)):
            if event == "end":
                yield element
                element.clear()
                while (before := element.getprevious()) is not None:
                    element.getparent().remove(before)


def _texts(element: _Element) -> Iterator[tuple[str, str]]:
    for child in element.iter():
        yield local_name(child.tag), child.text or ""
