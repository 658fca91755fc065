"""Segment to words: the stream that `chunking` packs.

A word carries the strength of the boundary before it, so that the packer can choose where to cut without looking at
the text again. Words are read one at a time: memory depends on the longest segment, not on the document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import NamedTuple

from files.extraction.document import Place, Segment, SegmentKind

_CHARACTERS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CJK_STOPS = "\u3001\u3002\uff0c\uff01\uff1f\uff1a\uff1b\u300d\u300f\uff09"
_CLOSERS = "\"')]}\u2019\u201d\u00bb" + _CJK_STOPS[-3:]
_ITEM = re.compile(r"[-*+\u2022#|>]+$|\d{1,3}[.)]$")
_RULE = re.compile(r"[\s|:+=-]+")
_INDENT = 40  # more leading blanks than this say nothing about structure


class Mark(IntEnum):
    """How good a place the start of a word is for a cut."""

    INSIDE = 0
    WORD = 1
    SENTENCE = 2
    ROW = 3
    PARAGRAPH = 4


class Header(NamedTuple):
    """The head of a table, repeated above rows that a cut parts from it."""

    text: str
    tokens: int


class Word(NamedTuple):
    """One word: `lead` is the white space before it, `place` that of its segment, `line` and `line_end` its own."""

    lead: str
    text: str
    mark: Mark
    tokens: int
    place: Place
    line: int | None
    line_end: int | None
    in_table: bool
    header: Header | None


class WordReader:
    """Splits segments into words of at most `max_chars` characters and `max_tokens` tokens.

    Scripts written without spaces (Chinese, Japanese, Thai, Khmer …) are split by character.
    """

    def __init__(self, max_chars: int, max_tokens: int, count_tokens: Callable[[str], int]) -> None:
        self._max_chars = max_chars
        self._max_tokens = max_tokens
        self._count_tokens = count_tokens
        # The bound keeps a line of many megabytes without a space from being copied whole.
        self._pattern = re.compile(rf"[{_CHARACTERS}][{_CJK_STOPS}]{{0,8}}|[^\s{_CHARACTERS}]{{1,{max_chars}}}")

    def words(self, segment: Segment) -> Iterator[Word]:
        """Yield the words of `segment` in order; the first one starts a paragraph."""
        text, lines = segment.text, _LineCounter(segment)
        header, header_end = self._header(segment)
        in_table, previous, end = segment.kind is SegmentKind.TABLE, "", 0
        for match in self._pattern.finditer(text):
            gap, word = text[end : min(match.start(), end + 400)], match.group()
            line, line_end = lines.after(end, match.start())
            mark = _mark(segment.kind, gap, previous, word) if previous else Mark.PARAGRAPH
            lead = _lead(segment.kind, gap) if previous else "\n\n"
            for piece, tokens in self._pieces(word):
                yield Word(
                    lead, piece, mark, tokens, segment.place, line, line_end, in_table,
                    header if match.start() >= header_end else None,
                )  # fmt: skip
                lead, mark = "", Mark.INSIDE
            previous, end = word, match.end()

    def _pieces(self, word: str) -> Iterator[tuple[str, int]]:
        tokens = self._count_tokens(word)
        if tokens <= self._max_tokens or len(word) == 1:
            yield word, tokens
            return
        half = len(word) // 2
        yield from self._pieces(word[:half])
        yield from self._pieces(word[half:])

    def _header(self, segment: Segment) -> tuple[Header | None, int]:
        if segment.kind is not SegmentKind.TABLE:
            return None, 0
        start = len(segment.text) - len(segment.text.lstrip())
        first, _, rest = segment.text[start : start + 2 * self._max_chars].partition("\n")
        second = rest.partition("\n")[0]
        body = start + len(first)
        if second and _RULE.fullmatch(second):
            body += 1 + len(second)  # the rule below the head says nothing and costs a token for each dash
        tokens = self._count_tokens(first)
        if not first.strip() or len(first) > self._max_chars // 3 or tokens > self._max_tokens // 3:
            return None, 0  # a head that fills the chunk leaves no room for the rows
        return Header(first.rstrip(), tokens), body


class _LineCounter:
    """Gives each word its own line where the segment's lines are those of the file, else the segment's range."""

    def __init__(self, segment: Segment) -> None:
        place, self._text = segment.place, segment.text
        self._range = (place.line, place.line_end or place.line)
        self._line = place.line
        faithful = place.line_end is None or place.line is None
        self._own = faithful or place.line_end == (place.line or 0) + segment.text.rstrip("\n").count("\n")

    def after(self, start: int, end: int) -> tuple[int | None, int | None]:
        if self._line is None or not self._own:
            return self._range
        self._line += self._text.count("\n", start, end)
        return self._line, self._line


def _mark(kind: SegmentKind, gap: str, previous: str, word: str) -> Mark:
    breaks = gap.count("\n")
    if breaks and kind is SegmentKind.TABLE:
        return Mark.ROW
    if breaks > 1:
        return Mark.PARAGRAPH
    if breaks and (kind is SegmentKind.CODE or _ITEM.match(word)):
        return Mark.SENTENCE
    if _ends_sentence(previous, word, spaced=bool(gap)):
        return Mark.SENTENCE
    return Mark.WORD if gap or _by_character(previous[0]) or _by_character(word[0]) else Mark.INSIDE


def _ends_sentence(previous: str, word: str, *, spaced: bool) -> bool:
    bare = previous.rstrip(_CLOSERS) or previous
    last = bare[-1]
    if last in "\u3002\uff01\uff1f\u0964\u06d4\u061f":
        return True
    if not spaced or last not in ".!?\u2026":
        return False
    initial = last == "." and len(bare) == 2 and bare[0].isupper()
    return not initial and not word[0].islower()


def _by_character(char: str) -> bool:
    return char >= "\u0e00" and re.match(f"[{_CHARACTERS}]", char) is not None


def _lead(kind: SegmentKind, gap: str) -> str:
    """Return the white space to keep: line breaks and the indentation after them, one blank between words of prose."""
    breaks = gap.count("\n")
    if breaks:
        return "\n" * min(breaks, 2) + gap.rpartition("\n")[2][:_INDENT]
    if kind is SegmentKind.CODE:
        return gap[:_INDENT]
    return " " if gap else ""
