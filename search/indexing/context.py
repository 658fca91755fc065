"""What a passage is embedded with: its document's title and the headings above it, before its own text.

A passage by itself often does not say what it is about. The context is for the vector only: what is shown, and what
words are counted in, stays the passage. Between `chunking` and the embedder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath

from search.indexing.chunking import Chunk

MOST_TOKENS = 64
_LONGEST_TITLE = 200
_WORD = re.compile(r"[^\W\d_]{3,}")
_BLANKS = re.compile(r"[\s_]+")
_FIRST_LINE = re.compile(r"\s*(\S[^\n]{0,199})(?:\n\s*\n|\s*$)")


def title_of(metadata: Mapping[str, object], name: str, beginning: str) -> str:
    """Return a document's title: what it says itself, or a first line that stands alone, or a telling file name."""
    said = _BLANKS.sub(" ", str(metadata.get("title") or "")).strip()
    if said:
        return said[:_LONGEST_TITLE]
    if first := _FIRST_LINE.match(beginning):
        return first[1].lstrip("# ").strip()
    stem = PurePath(name).stem.replace("-", " ").replace("_", " ")
    return stem if len(_WORD.findall(stem)) > 1 else ""


def with_context(chunk: Chunk, title: str, max_tokens: int, count_tokens: Callable[[str], int]) -> str:
    """Return the text to embed: context and passage, within `max_tokens`. The passage itself is never cut for it."""
    room = min(MOST_TOKENS, max_tokens - chunk.token_count)
    context = _fitting(list(_lines(chunk, title)), room, count_tokens)
    return f"{context}\n\n{chunk.text}" if context else chunk.text


def _lines(chunk: Chunk, title: str) -> Iterable[str]:
    """Return title and headings, without those that the passage begins with and those said twice."""
    beginning = _plain(chunk.text[: 4 * _LONGEST_TITLE])
    seen: set[str] = set()
    for line in (title, *chunk.place.headings):
        plain = _plain(line)
        if plain and plain not in seen and not beginning.startswith(plain):
            seen.add(plain)
            yield line.strip()


def _fitting(lines: list[str], room: int, count_tokens: Callable[[str], int]) -> str:
    """Return as much as fits: the heading nearest to the passage goes first where there is no room for all."""
    while lines:
        context = "\n".join(lines)
        if len(context) < 20 * room and count_tokens(context) <= room:
            return context
        lines.pop()
    return ""


def _plain(text: str) -> str:
    return " ".join(text.replace("#", " ").replace("*", " ").lower().split())
