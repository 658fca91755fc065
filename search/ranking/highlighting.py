"""A hit to a snippet: the part of the passage that answers best, and where its matched words are.

After `fusion`, before the API and the pages. Offsets are returned, never HTML: who renders, escapes. Linear in the
length of the text, whatever it is: no pattern here can backtrack.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"')\]\u201d\u00bb]{0,3}\s|\n|[\u3002\uff01\uff1f]")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_MOST_TERMS = 64
_LONGEST_WORD = 64  # what is longer is no word that anybody looks for by its stem
_ELLIPSIS = "\u2026"


@dataclass(frozen=True, slots=True)
class Snippet:
    """Plain text, at most as long as asked for, and the (start, end) of each matched word in it, in order."""

    text: str
    spans: tuple[tuple[int, int], ...]


class _Match(NamedTuple):
    start: int
    end: int
    term: str


def highlight(text: str, terms: Iterable[str], max_chars: int = 300) -> Snippet:
    """Return the stretch of `text` with most of the `terms`, from a sentence's start where there is room for it.

    A term is a word or its stem (a lexeme): words that it starts, and not much longer, match, whatever their case and
    accents. Terms in scripts written without spaces match anywhere. Without a match: the text's start.
    """
    matches = _joined(_matches(text, tuple(dict.fromkeys(filter(None, map(_folded, terms))))[:_MOST_TERMS]))
    start, end = _window(text, matches, max_chars)
    lead = _ELLIPSIS if text[:start].strip() else ""
    tail = _ELLIPSIS if text[end:].strip() else ""
    shift = len(lead) - start
    spans = [(match.start + shift, match.end + shift) for match in matches if start <= match.start and match.end <= end]
    return Snippet(lead + text[start:end] + tail, tuple(spans))


@lru_cache(maxsize=4096)
def _folded(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word[:_LONGEST_WORD]).casefold()
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _matches(text: str, terms: Sequence[str]) -> Iterator[_Match]:
    stems = frozenset(term for term in terms if not _UNSPACED.search(term))
    lengths = sorted({len(stem) for stem in stems}, reverse=True)
    if stems:
        for word in _WORD.finditer(text):
            if (stem := _stem_of(_folded(word.group()[:_LONGEST_WORD]), stems, lengths)) is not None:
                yield _Match(word.start(), word.end(), stem)
    for term in terms:
        if term not in stems:
            yield from (_Match(found.start(), found.end(), term) for found in re.finditer(re.escape(term), text))


def _stem_of(word: str, stems: frozenset[str], lengths: Sequence[int]) -> str | None:
    """Return the longest stem that the word starts with; a short stem takes a short ending: not 'car' in 'carnival'."""
    for length in lengths:
        ending = len(word) - length
        if word[:length] in stems and 0 <= ending <= (length if length > 2 else 0) + 1:
            return word[:length]
    if word.endswith("y") and word[:-1] + "i" in stems:  # stemmers write 'happi' for 'happy'
        return word[:-1] + "i"
    return None


def _joined(matches: Iterable[_Match]) -> list[_Match]:
    joined: list[_Match] = []
    for match in sorted(matches):
        if joined and match.start < joined[-1].end:
            joined[-1] = joined[-1]._replace(end=max(joined[-1].end, match.end))
        else:
            joined.append(match)
    return joined


def _window(text: str, matches: Sequence[_Match], max_chars: int) -> tuple[int, int]:
    """Return the start and end of the snippet in the text, with room left for an ellipsis at each end."""
    room = max(1, max_chars - 2)
    if len(text) <= max_chars:
        return 0, len(text)
    first, last = _densest(matches, room)
    start = _start_before(text, first, max(0, room - (last - first)))
    end = _end_after(text, start + room, max(last, start + room // 2))
    start += len(text[start:end]) - len(text[start:end].lstrip())
    return start, start + len(text[start:end].rstrip())


def _densest(matches: Sequence[_Match], room: int) -> tuple[int, int]:
    """Return where the matches begin and end that hold most different terms, then most matches, within `room`."""
    best, best_value = (0, 0), (0, 0)
    inside: Counter[str] = Counter()
    oldest = 0
    for newest, match in enumerate(matches):
        inside[match.term] += 1
        while oldest < newest and match.end - matches[oldest].start > room:
            inside[matches[oldest].term] -= 1
            if not inside[matches[oldest].term]:
                del inside[matches[oldest].term]
            oldest += 1
        value = (len(inside), newest - oldest)
        if value > best_value:
            best, best_value = (matches[oldest].start, match.end), value
    return best


def _start_before(text: str, position: int, slack: int) -> int:
    """Return the start of the sentence that holds `position`, or of a word, at most `slack` before it."""
    earliest = max(0, position - slack)
    if earliest == 0:
        return 0
    before = text[earliest:position]
    ends = [match.end() for match in _SENTENCE_END.finditer(before)]
    if ends:
        return earliest + ends[-1]
    near = max(0, len(before) - slack // 3)
    blank = before.find(" ", near)
    return earliest + blank + 1 if blank >= 0 else position


def _end_after(text: str, latest: int, earliest: int) -> int:
    """Return the end of the last whole sentence, or word, between `earliest` and `latest`."""
    if latest >= len(text):
        return len(text)
    after = text[earliest : latest + 1]
    ends = [match.end() for match in _SENTENCE_END.finditer(after) if match.end() <= len(after) - 1]
    if ends:
        return earliest + ends[-1]
    blank = after.rfind(" ")
    return earliest + blank if blank > 0 else latest
