"""YAML: the text as written, cut at its keys. No object is made of it: no alias multiplies and no tag is obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece
from files.extraction.encoding import detect_encoding, open_text, read_lines
from files.extraction.formats.data.structured_lines import Anchor, cut_at_keys, top_keys
from files.extraction.limits import Limits

_PARSED_BYTES = 16 << 20
_DEPTH = 100
_EVENTS = 2_000_000
_TOLD = ("title", "name", "description", "version", "author", "apiVersion", "kind")
_VALUE_CHARS = 500


class YamlExtractor(Extractor):
    """Follows the parser's events, which tell the line of every key, and leaves the values as they are written."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the text with the path of keys of each segment; what is not valid YAML comes as its lines alone."""
        encoding = detect_encoding(source.path)
        outline = _Outline()
        if source.path.stat().st_size <= _PARSED_BYTES:
            _follow(source, encoding, outline)
        yield Metadata({"encoding": encoding, **outline.facts()})
        lines = 0
        for segment in cut_at_keys(read_lines(source.path, encoding), outline.anchors):
            lines = segment.place.line_end or lines
            yield segment
        yield Metadata({"line_count": lines})


@dataclass(slots=True)
class _Level:
    """An open mapping or sequence: the path that leads to it, and in a mapping the key whose value comes next."""

    path: tuple[str, ...]
    is_mapping: bool
    key: str | None = None


@dataclass(slots=True)
class _Outline:
    """Where the keys are, as far as the text is YAML."""

    anchors: list[Anchor] = field(default_factory=list)
    levels: list[_Level] = field(default_factory=list)
    documents: int = 0
    aliases: int = 0
    depth: int = 0
    told: dict[str, object] = field(default_factory=dict)
    is_valid: bool = False

    def facts(self) -> dict[str, object]:
        """Return the metadata."""
        facts: dict[str, object] = {"valid": self.is_valid}
        if self.anchors:
            facts |= {"keys": top_keys(self.anchors), "document_count": self.documents, "depth": self.depth}
        if self.aliases:
            facts["alias_count"] = self.aliases
        told = {key: value for key, value in self.told.items() if key != "name"}
        if name := self.told.get("name"):
            told.setdefault("title", name)
        return {**facts, **told}

    def scalar(self, text: str, line: int) -> None:
        """Take a scalar: a key, a value or an item."""
        level = self.levels[-1] if self.levels else None
        if level is None:
            return
        if not level.is_mapping:
            self.anchors.append(Anchor(line, level.path))
        elif level.key is None:
            level.key = text
            self.anchors.append(Anchor(line, (*level.path, text)))
        else:
            if len(self.levels) == 1 and level.key in _TOLD and text.strip():
                self.told.setdefault(level.key, text[:_VALUE_CHARS])
            level.key = None

    def enter(self, line: int, *, is_mapping: bool) -> None:
        """Take the start of a mapping or a sequence."""
        outer = self.levels[-1] if self.levels else None
        path: tuple[str, ...] = ()
        if outer is not None:
            path = (*outer.path, outer.key) if outer.key is not None else outer.path
            if not outer.is_mapping:
                self.anchors.append(Anchor(line, path))
            elif outer.key is None:  # a key that is itself a mapping
                outer.key = ""
        self.levels.append(_Level(path, is_mapping))
        self.depth = max(self.depth, len(self.levels))

    def leave(self) -> None:
        """Take the end of a mapping or a sequence: the outer one's value is complete."""
        self.levels.pop()
        if self.levels:
            self.levels[-1].key = None


def _follow(source: Source, encoding: str, outline: _Outline) -> None:
    """Fill `outline`; stop where the text is no YAML, too deep or too long, with what was found until there."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with open_text(source.path, encoding) as file:
        text = file.read().lstrip("\ufeff")
    try:
        for count, event in enumerate(yaml.parse(text, Loader=loader)):
            if count > _EVENTS or len(outline.levels) > _DEPTH:
                return
            _take(outline, event, yaml)
    except (yaml.YAMLError, RecursionError, ValueError):
        return
    outline.is_valid = bool(outline.anchors)


def _take(outline: _Outline, event: Any, yaml: Any) -> None:
    line = event.start_mark.line + 1
    if isinstance(event, yaml.ScalarEvent):
        outline.scalar(event.value, line)
    elif isinstance(event, yaml.AliasEvent):
        outline.aliases += 1
        outline.scalar("*" + event.anchor, line)
    elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
        outline.enter(line, is_mapping=isinstance(event, yaml.MappingStartEvent))
    elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
        outline.leave()
    elif isinstance(event, yaml.DocumentStartEvent):
        outline.documents += 1
        outline.levels.clear()
