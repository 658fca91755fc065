"""What an OpenDocument file keeps in its styles: which paragraphs are titles, how lists count, what is hidden."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from files.extraction.safe_xml import attribute, local_name

if TYPE_CHECKING:
    from files.extraction.safe_xml import Element

_LINEAGE = 20
_MARK_CHARS = 20


@dataclass(frozen=True, slots=True)
class ListLevel:
    """How one level of a list marks its items. An empty `form` is a bullet."""

    form: str = ""
    before: str = ""
    after: str = ""
    start: int = 1

    def mark(self, number: int) -> str:
        """Return what stands before item `number`, counted from 1: `2.`, `b)`, or `-` for a bullet."""
        if not self.form:
            return "-"
        value = number + self.start - 1
        written = str(value)
        if self.form in ("a", "A") and value > 0:
            written = chr(97 + (value - 1) % 26) * min((value - 1) // 26 + 1, 8)
        return f"{self.before}{written.upper() if self.form == 'A' else written}{self.after or '.'}"


@dataclass(slots=True)
class OdfStyles:
    """The styles that change what is read, by name."""

    parents: dict[str, str] = field(default_factory=dict)
    lists: dict[str, dict[int, ListLevel]] = field(default_factory=dict)
    list_of: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    master_of: dict[str, str] = field(default_factory=dict)
    masters: dict[str, Element] = field(default_factory=dict)

    def load(self, element: Element) -> None:
        """Take in a group of styles."""
        for style in element:
            name = local_name(style.tag)
            if name == "master-page":
                self.masters[attribute(style, "name")] = style
            elif name == "list-style":
                self.lists[attribute(style, "name")] = dict(map(_level, style))
            elif name == "style":
                self._load_style(style)

    def is_title(self, name: str) -> bool:
        """Tell whether a paragraph of a style is the document's title."""
        for _ in range(_LINEAGE):
            if name == "Title":
                return True
            name = self.parents.get(name, "")
        return False

    def level(self, list_style: str, depth: int) -> ListLevel:
        """Return how a list marks its items at a depth counted from 1."""
        return self.lists.get(list_style, {}).get(depth, ListLevel())

    def used_masters(self) -> list[Element]:
        """Return the page masters that the document uses; the first when it does not say."""
        named = [name for name in dict.fromkeys(self.master_of.values()) if name in self.masters]
        defaults = [name for name in ("Standard", "Default") if name in self.masters]
        names = dict.fromkeys([*named, *defaults]) or dict.fromkeys(list(self.masters)[:1])
        return [self.masters[name] for name in names]

    def _load_style(self, style: Element) -> None:
        name = attribute(style, "name")
        self.parents[name] = attribute(style, "parent-style-name")
        if lists := attribute(style, "list-style-name"):
            self.list_of[name] = lists
        if master := attribute(style, "master-page-name"):
            self.master_of[name] = master
        for settings in style:
            if attribute(settings, "visibility") == "hidden" or (
                local_name(settings.tag) == "table-properties" and attribute(settings, "display") == "false"
            ):
                self.hidden.add(name)


def _level(element: Element) -> tuple[int, ListLevel]:
    depth = attribute(element, "level")
    form = attribute(element, "num-format") if local_name(element.tag) == "list-level-style-number" else ""
    start = attribute(element, "start-value")
    level = ListLevel(
        form,
        attribute(element, "num-prefix")[:_MARK_CHARS],
        attribute(element, "num-suffix")[:_MARK_CHARS],
        int(start) if start.isdecimal() and len(start) < 7 else 1,
    )
    return int(depth) if depth.isdecimal() and len(depth) < 4 else 0, level
