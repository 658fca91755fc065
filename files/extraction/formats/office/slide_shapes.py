"""The shapes of a slide in reading order: the title, then from top to bottom and from left to right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from files.extraction.errors import MalformedFile
from files.extraction.formats.office.drawing_ml import description
from files.extraction.formats.office.packages import Package
from files.extraction.safe_xml import attribute, child, local_name, parse

if TYPE_CHECKING:
    from files.extraction.safe_xml import Element

Point = tuple[int, int]  # top, left
Known = dict[tuple[str, str], Point]  # where the layout puts a placeholder: by its role and by its number

_LINE = 182_880  # shapes whose tops differ by less than 0.2 inch stand on one line
_UNPLACED: Point = (1 << 40, 0)
_TITLES = ("title", "ctrTitle")
_SHAPES = frozenset(("sp", "pic", "graphicFrame", "grpSp", "cxnSp", "contentPart", "AlternateContent", "wsp", "wgp"))


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape. `role` is that of its placeholder: title, body, ftr …; empty when it is none."""

    role: str
    body: Element | None
    frame: Element | None
    description: str

    @property
    def is_title(self) -> bool:
        """Tell whether the shape holds the slide's title."""
        return self.role in _TITLES


class Positions:
    """Where layouts and masters put their placeholders: slides say it only where they differ."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._known: dict[str, Known] = {}

    def of(self, slide: str) -> Known:
        """Return the places of the placeholders of a slide's layout, and of that layout's master."""
        for layout in self._package.related(slide, "slideLayout")[:1]:
            if layout not in self._known:
                found: Known = {}
                for part in [*self._package.related(layout, "slideMaster")[:1], layout]:
                    found.update(_placeholders(self._package, part))
                self._known[layout] = found
            return self._known[layout]
        return {}


def shapes(slide: Element, known: Known) -> list[Shape]:
    """Return the shapes of a slide, those of a group together."""
    found: list[Shape] = []
    _gather(child(slide, "cSld", "spTree"), known, found)
    return found


def _gather(tree: Element | None, known: Known, found: list[Shape]) -> None:
    """Append the shapes of a tree. Its depth is bounded by that of the XML."""
    placed = [(_sort_key(element, known), element) for element in _visible(tree)]
    for _, element in sorted(placed, key=lambda pair: pair[0]):
        if local_name(element.tag) in ("grpSp", "wgp"):
            _gather(element, known, found)
        else:
            found.append(_shape(element))


def _visible(tree: Element | None) -> Iterator[Element]:
    for element in tree if tree is not None else ():
        name = local_name(element.tag)
        if name == "AlternateContent":  # several forms of the same shape: the first that has one
            yield from next((inner for choice in element if (inner := list(_visible(choice)))), [])
        elif name in _SHAPES:
            yield element


def _sort_key(element: Element, known: Known) -> tuple[bool, int, int]:
    role, number = _placeholder(element)
    point = _offset(element) or known.get(("", number)) or known.get((role, "")) or _UNPLACED
    return role not in _TITLES, point[0] // _LINE, point[1]


def _shape(element: Element) -> Shape:
    role, number = _placeholder(element)
    name = local_name(element.tag)
    if number and not role:
        role = "obj"
    body = child(element, "txBody")
    frame = element if name == "graphicFrame" else None
    return Shape(role, body, frame, _description(element) if name in ("pic", "graphicFrame") else "")


def _placeholder(element: Element) -> tuple[str, str]:
    """Return the role and the number of a placeholder; two empty strings of any other shape."""
    for settings in element:
        if local_name(settings.tag).startswith("nv"):
            mark = child(settings, "nvPr", "ph")
            if mark is not None:
                return attribute(mark, "type"), attribute(mark, "idx") or "0"
    return "", ""


def _description(element: Element) -> str:
    for settings in element:
        if local_name(settings.tag).startswith("nv"):
            return description(child(settings, "cNvPr"))
    return ""


def _offset(element: Element) -> Point | None:
    for path in (("spPr", "xfrm", "off"), ("grpSpPr", "xfrm", "off"), ("xfrm", "off")):
        offset = child(element, *path)
        if offset is not None:
            return _whole(attribute(offset, "y")), _whole(attribute(offset, "x"))
    return None


def _placeholders(package: Package, part: str) -> Known:
    found: Known = {}
    try:
        tree = child(parse(package.read(part)), "cSld", "spTree")
    except MalformedFile:
        return found  # the slides can still be read, in the order of their shapes
    for element in _visible(tree):
        role, number = _placeholder(element)
        offset = _offset(element)
        if number and offset:
            found[("", number)] = found[(role or "obj", "")] = offset
    return found


def _whole(text: str) -> int:
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 13 else 0
