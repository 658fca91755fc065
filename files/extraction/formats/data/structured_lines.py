"""Text whose lines have a structure (YAML, TOML, INI): every line is kept as written, and cut where the structure is.

A reader of such a format tells where each key stands (`Anchor`); the segments that come out carry the path of keys that
all their lines share. Comments and order survive, and nothing of the file is interpreted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from files.extraction.document import Place, Segment, SegmentKind
from files.extraction.encoding import Line

SEGMENT_CHARS = 1_000
_PATH_CHARS = 200
_KEYS = 200


@dataclass(frozen=True, slots=True)
class Anchor:
    """A line on which a key or an item starts, and the keys that lead to it, its own included."""

    line: int
    path: tuple[str, ...]


@dataclass(slots=True)
class _Run:
    """Lines that will be one segment."""

    first: int = 0
    last: int = 0
    depth: int = 0
    parts: list[str] = field(default_factory=list)
    size: int = 0
    shared: tuple[str, ...] | None = None

    def add(self, line: Line, path: tuple[str, ...]) -> None:
        if not self.parts:
            self.first, self.depth = line.number, len(path)
        self.last = line.number
        self.parts.append(line.text + "\n" if line.whole else line.text)
        self.size += len(line.text) + 1
        if line.text.strip():
            self.shared = path if self.shared is None else _common(self.shared, path)

    def is_full(self, anchor: Anchor | None) -> bool:
        """Tell whether the next line, at `anchor` if a key starts on it, begins another segment."""
        if anchor is not None and len(anchor.path) <= self.depth:
            return self.size > SEGMENT_CHARS // 2
        return self.size > (SEGMENT_CHARS if anchor is not None else 2 * SEGMENT_CHARS)

    def segment(self) -> Iterator[Segment]:
        text = "".join(self.parts).rstrip()
        if text.strip():
            headings = tuple(key[:_PATH_CHARS] for key in self.shared or () if key.strip())
            yield Segment(text, SegmentKind.CODE, Place(line=self.first, line_end=self.last, headings=headings))


def cut_at_keys(lines: Iterable[Line], anchors: Iterable[Anchor]) -> Iterator[Segment]:
    """Yield all lines in segments of about SEGMENT_CHARS. `anchors` come in the order of their lines."""
    waiting = iter(anchors)
    following = next(waiting, None)
    run = _Run()
    path: tuple[str, ...] = ()
    for line in lines:
        starting = None
        while following is not None and following.line <= line.number:
            starting, following = starting or following, next(waiting, None)
        if run.parts and run.is_full(starting):
            yield from run.segment()
            run = _Run()
        path = starting.path if starting is not None else path
        run.add(line, path)
    yield from run.segment()


def top_keys(anchors: Iterable[Anchor]) -> list[str]:
    """Return the outermost keys, each once, in their order."""
    keys: dict[str, None] = {}
    for anchor in anchors:
        if anchor.path and len(keys) < _KEYS:
            keys[anchor.path[0]] = None
    return list(keys)


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        length += 1
    return one[:length]
