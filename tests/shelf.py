"""A source in memory, for tests of what is made of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from integrations.sources.base import Reading, Source, SourceItem


@dataclass
class Shelf(Source):
    """Documents in memory: by key their bytes, or what reading them raises."""

    name = "shelf"
    held: dict[str, bytes | Exception] = field(default_factory=dict)
    parts: dict[str, dict[str, bytes | Exception]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    breaks_off: Exception | None = None
    hidden: set[str] = field(default_factory=set)
    read: list[str] = field(default_factory=list)

    def items(self) -> Iterator[SourceItem]:
        for key, content in self.held.items():
            if key not in self.hidden:
                yield self._item(key, content)
        if self.breaks_off is not None:
            raise self.breaks_off

    def gone(self, key: str) -> bool:
        return key not in self.held

    def _item(self, key: str, content: bytes | Exception) -> SourceItem:
        origin = self.origins.get(key, f"https://shelf.example.org/{len(key)}")
        version = f"{content!r}{sorted(self.parts.get(key, {}).items())}"[:150]
        return SourceItem(key, self.names.get(key, f"{key}.txt"), version, origin, lambda: self._open(key, content))

    @contextmanager
    def _open(self, key: str, content: bytes | Exception) -> Iterator[Reading]:
        self.read.append(key)
        if isinstance(content, Exception):
            raise content
        inside = self.parts.get(key, {})
        yield Reading(iter([content]), tuple(self._item(part, held) for part, held in inside.items()))
