"""The definitions of a source file, and its lines cut at them.

`grammars` or `code_scanner` finds the definitions; what comes out here becomes segments, whose heading path keeps a
chunk inside one definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

FUNCTION: Literal["function"] = "function"
TYPE: Literal["type"] = "type"
SCOPE: Literal["scope"] = "scope"  # a namespace, a module, an implementation: a name on the path and nothing more
Kind = Literal["function", "type", "scope"]

_TINY = 200  # a definition smaller than this shares its segment with its neighbours
_SMALL = 900  # about one chunk: a type that fits is not cut, neighbours are not joined beyond it
_LARGE = 8_000  # a longer run of lines comes in several segments
_LEVELS = 4  # how deep definitions inside definitions are cut apart
_NAME_CHARS = 120
_LEADS = ("//", "#", "*", "/*", "--", ";", "%", "@", "[", "'''", '"""', "rem ", "::")


@dataclass(frozen=True, slots=True)
class Definition:
    """Something with a name. `first` and `last` are line numbers from 1."""

    kind: Kind
    name: str
    first: int
    last: int
    owner: str = ""  # what the name belongs to where it does not stand inside it: a receiver, a class in a C++ file


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines `first` to `last` of a file, and the names of the definitions around them."""

    first: int
    last: int
    path: tuple[str, ...]


def passages(lines: Sequence[str], definitions: Sequence[Definition]) -> Iterator[Passage]:
    """Yield passages that cover all of `lines` in order, cut at `definitions`, which come in the order of the file."""
    sizes = [len(line) + 1 for line in lines]
    cutter = _Cutter(lines, sizes)
    root = _tree(definitions, len(lines))
    yield from _parts(_joined(cutter.cut(root, ()), lines, sizes), lines, sizes)


@dataclass(slots=True)
class _Node:
    first: int
    last: int
    name: str = ""
    owner: str = ""
    inside: list[_Node] = field(default_factory=list)


def _tree(definitions: Sequence[Definition], length: int) -> _Node:
    """Nest `definitions` by their lines; those that share a line with one before them cannot be cut apart."""
    root = _Node(1, length)
    above = [root]
    for found in definitions:
        while len(above) > 1 and found.first > above[-1].last:
            above.pop()
        parent, last = above[-1], min(found.last, above[-1].last)
        after = parent.inside[-1].last if parent.inside else parent.first - (parent is root)
        if len(above) > _LEVELS or found.first <= after or found.first > last:
            continue
        node = _Node(found.first, last, found.name[:_NAME_CHARS], found.owner[:_NAME_CHARS])
        parent.inside.append(node)
        above.append(node)
    return root


class _Cutter:
    def __init__(self, lines: Sequence[str], sizes: Sequence[int]) -> None:
        self._lines = lines
        self._sizes = sizes

    def cut(self, node: _Node, path: tuple[str, ...]) -> Iterator[Passage]:
        """Yield the passages of `node`; the recursion is no deeper than `_LEVELS`."""
        here = tuple(name for name in (*path, node.owner, node.name) if name.strip())
        if not node.inside or ((path or node.name) and sum(self._sizes[node.first - 1 : node.last]) <= _SMALL):
            yield Passage(node.first, node.last, here)
            return
        at = node.first
        for child in node.inside:
            start = self._with_what_leads(child.first, at)
            if start > at:
                yield Passage(at, start - 1, here)
            yield from self.cut(_Node(start, child.last, child.name, child.owner, child.inside), here)
            at = child.last + 1
        if at <= node.last:
            yield Passage(at, node.last, here)

    def _with_what_leads(self, line: int, floor: int) -> int:
        """Return the line that the comments and decorators right above a definition start at."""
        while line > floor and self._lines[line - 2].strip().lower().startswith(_LEADS):
            line -= 1
        return line


def _joined(found: Iterator[Passage], lines: Sequence[str], sizes: Sequence[int]) -> Iterator[Passage]:
    """Join a tiny passage with its neighbour when the two fit into one chunk and lie next to each other in the path."""
    waiting = list(found)
    held = waiting[0]
    for at, passage in enumerate(waiting[1:], 2):
        opens = at < len(waiting) and waiting[at].path[: len(passage.path)] == passage.path != ()
        joined = None if opens and passage.path != held.path else _join(held, passage, lines, sizes)
        if joined is None:
            yield held
        held = joined or passage
    yield held


def _join(held: Passage, passage: Passage, lines: Sequence[str], sizes: Sequence[int]) -> Passage | None:
    """Return the two as one where they belong together: empty lines and closing brackets belong to what they follow."""
    own = lines[passage.first - 1 : min(passage.last, passage.first + _TINY)]
    if _size(passage, sizes) < _TINY and not any(char.isalnum() for line in own for char in line):
        return Passage(held.first, passage.last, held.path)
    common = _common(held.path, passage.path)
    one, other = _size(held, sizes), _size(passage, sizes)
    near = max(len(held.path), len(passage.path)) - len(common) <= 1
    if near and min(one, other) < _TINY and one + other <= _SMALL:
        main = held if one > other else passage
        little = common != main.path and min(one, other) * 4 < max(one, other)
        leads = (passage if one > other else held).path == common  # what is around a definition, not one beside it
        return Passage(held.first, passage.last, main.path if little and leads else common)
    return None


def _size(passage: Passage, sizes: Sequence[int]) -> int:
    return sum(sizes[passage.first - 1 : passage.last])


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return one[:at]
    return min(one, other, key=len)


def _parts(found: Iterator[Passage], lines: Sequence[str], sizes: Sequence[int]) -> Iterator[Passage]:
    """Cut passages above `_LARGE` at empty lines, else at any line."""
    for passage in found:
        start, size = passage.first, 0
        for number in range(passage.first, passage.last + 1):
            size += sizes[number - 1]
            empty = not lines[number - 1].strip()
            if number < passage.last and (size > _LARGE or (empty and size > _LARGE // 2)):
                yield Passage(start, number, passage.path)
                start, size = number + 1, 0
        yield Passage(start, passage.last, passage.path)
