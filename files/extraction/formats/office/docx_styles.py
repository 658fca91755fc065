"""What a Word document keeps away from its text: which styles are headings, and the numbers before its paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from files.extraction.formats.office.packages import Package
from files.extraction.safe_xml import attribute, local_name, parse

if TYPE_CHECKING:
    from lxml.etree import _Element

TITLE_LEVEL = 0
_MAX_LEVEL = 8
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"))
_ROMAN_ONES = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_PLACEHOLDER = re.compile(r"%([1-9])")


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Where a paragraph stands in a numbering: which one, and how deep from 0. No `number` means in none."""

    number: str = ""
    level: int = 0


@dataclass(slots=True)
class Style:
    """What a paragraph style says itself."""

    heading: int | None = None
    place: ListPlace | None = None
    base: str = ""


class Styles:
    """The paragraph styles of a document, each with what it has from those it is based on."""

    def __init__(self, package: Package, main: str) -> None:
        self._styles: dict[str, Style] = {}
        for part in package.related(main, "styles")[:1]:
            for element in parse(package.read(part)):
                key = attribute(element, "styleId")
                if local_name(element.tag) == "style" and key:
                    self._styles[key] = _style(element)

    def heading(self, key: str) -> int | None:
        """Return the heading level of a style, 0 for the title, None for text."""
        return next((style.heading for style in self._lineage(key) if style.heading is not None), None)

    def place(self, key: str) -> ListPlace | None:
        """Return the place in a numbering that a style gives its paragraphs."""
        return next((style.place for style in self._lineage(key) if style.place is not None), None)

    def _lineage(self, key: str) -> Iterator[Style]:
        seen: set[str] = set()
        while key in self._styles and key not in seen:
            seen.add(key)
            yield self._styles[key]
            key = self._styles[key].base


@dataclass(frozen=True, slots=True)
class _Level:
    start: int = 1
    form: str = "decimal"
    text: str = ""


@dataclass(slots=True)
class _Counters:
    levels: dict[int, _Level]
    counts: dict[int, int] = field(default_factory=dict)


class Numbering:
    """Counts list items and numbered headings as Word does, in reading order."""

    def __init__(self, package: Package, main: str) -> None:
        self._counters: dict[str, _Counters] = {}
        for part in package.related(main, "numbering")[:1]:
            self._load(parse(package.read(part)))

    def mark(self, place: ListPlace) -> str:
        """Return what stands before the next paragraph at `place`: `2.`, `1.3`, `b)`, or `-` for any bullet."""
        counters = self._counters.get(place.number)
        level = counters.levels.get(place.level) if counters else None
        if counters is None or level is None or level.form in ("bullet", "none"):
            return "-"
        counters.counts[place.level] = counters.counts.get(place.level, level.start - 1) + 1
        for deeper in [at for at in counters.counts if at > place.level]:
            del counters.counts[deeper]
        return _PLACEHOLDER.sub(lambda found: self._number(counters, int(found[1]) - 1), level.text) or "-"

    def _number(self, counters: _Counters, at: int) -> str:
        level = counters.levels.get(at, _Level())
        return _written(counters.counts.get(at, level.start), level.form)

    def _load(self, root: _Element) -> None:
        shared: dict[str, _Counters] = {}
        for element in root:
            if local_name(element.tag) == "abstractNum":
                shared[attribute(element, "abstractNumId")] = _Counters(dict(_levels(element)))
            elif local_name(element.tag) == "num":
                children = {local_name(child.tag): attribute(child, "val") for child in element}
                counters = shared.get(children.get("abstractNumId", ""), _Counters({}))
                if "lvlOverride" in children:  # a list that starts anew with the same look
                    counters = _Counters(counters.levels | dict(_levels(element)))
                self._counters[attribute(element, "numId")] = counters


def list_place(element: _Element) -> ListPlace:
    """Return the place that a `numPr` element tells."""
    values = {local_name(child.tag): attribute(child, "val") for child in element}
    number = values.get("numId", "")
    return ListPlace("" if number == "0" else number, min(_whole(values.get("ilvl", "0"), 0), _MAX_LEVEL))


def _style(element: _Element) -> Style:
    style = Style()
    for setting in element.iter():
        name, value = local_name(setting.tag), attribute(setting, "val")
        if name == "basedOn":
            style.base = value
        elif name == "outlineLvl" and _whole(value, 9) < 9:
            style.heading = _whole(value, 0) + 1
        elif name == "name" and value.casefold() == "title":
            style.heading = TITLE_LEVEL
        elif name == "name" and value.casefold().startswith("heading "):
            style.heading = _whole(value[8:], 9) if _whole(value[8:], 0) else None
        elif name == "numPr":
            style.place = list_place(setting)
    return style


def _levels(element: _Element) -> Iterator[tuple[int, _Level]]:
    for level in element.iter():
        if local_name(level.tag) == "lvl":
            values = {local_name(child.tag): attribute(child, "val") for child in level}
            at = _whole(attribute(level, "ilvl"), 0)
            start = _whole(values.get("start", "1"), 1)
            yield at, _Level(start, values.get("numFmt", "decimal"), values.get("lvlText", "")[:40])


def _written(number: int, form: str) -> str:
    if form in ("lowerLetter", "upperLetter"):
        letters = chr(97 + (number - 1) % 26) * min((number - 1) // 26 + 1, 8) if number > 0 else ""
        return letters.upper() if form == "upperLetter" else letters
    if form in ("lowerRoman", "upperRoman"):
        return _roman(number).upper() if form == "upperRoman" else _roman(number)
    return f"{number:02d}" if form == "decimalZero" else str(number)


def _roman(number: int) -> str:
    if not 0 < number < 4000:
        return str(number)
    letters = ""
    for value, sign in _ROMAN:
        letters += sign * (number // value)
        number %= value
    return letters + _ROMAN_ONES[number]


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else otherwise
