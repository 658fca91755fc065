"""A hit to a snippet: the sentences of the passage that answer best, and where its matched words are.

After `fusion`, before the API and the pages. Offsets are returned, never HTML: who renders, escapes. Linear in the
length of the text, whatever it is: no pattern here can backtrack.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"')\]\u201d\u00bb]{0,3}\s|\n|[\u3002\uff01\uff1f]")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_MOST_TERMS = 64
_LONGEST_WORD = 64  # what is longer is no word that anybody looks for by its stem
_ELLIPSIS = "\u2026"
_GAP = f" {_ELLIPSIS} "  # between sentences that do not touch
_MOST_SENTENCES = 3
_REMNANT = 30  # characters of a next sentence that are not worth showing


@dataclass(frozen=True, slots=True)
class Snippet:
    """Plain text, at most as long as asked for, and the (start, end) of each matched word in it, in order."""

    text: str
    spans: tuple[tuple[int, int], ...]


class _Match(NamedTuple):
    start: int
    end: int
    term: str


class _Stretch(NamedTuple):
    """A part of the text, from `start` up to `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


def highlight(
    text: str, terms: Iterable[str], max_chars: int = 300, weights: Mapping[str, float] | None = None
) -> Snippet:
    """Return the sentences of `text` whose `terms` weigh most, in their order, and what follows them.

    A term is a word or its stem (a lexeme): words that it starts, and not much longer, match, whatever their case and
    accents. Terms in scripts written without spaces match anywhere. `weights` tell how much a term says, such as its
    inverse document frequency; 1 where it has none. Without a match: the text's start.
    """
    wanted = tuple(dict.fromkeys(filter(None, map(_folded, terms))))[:_MOST_TERMS]
    matches = sorted(_matches(text, wanted))
    if len(text) <= max_chars:
        return _snippet(text, [_Stretch(0, len(text))], matches)
    room = max_chars - 2 * len(_ELLIPSIS)
    if room < 1:
        return Snippet(text[: max(0, max_chars)], ())
    weighed = {_folded(term): weight for term, weight in (weights or {}).items()}
    sentences = _best(_sentences(text, room), matches, weighed, room)
    return _snippet(text, _filled(text, sentences, room), matches)


def terms_in(text: str, terms: Iterable[str]) -> set[str]:
    """Return those of the terms, folded, that have a word in `text`, as `highlight` matches them."""
    wanted = tuple(dict.fromkeys(filter(None, map(_folded, terms))))[:_MOST_TERMS]
    return {match.term for match in _matches(text, wanted)}


def folded(word: str) -> str:
    """Return a word without case and accents, as terms are compared."""
    return _folded(word)


@lru_cache(maxsize=4096)
def _folded(word: str) -> str:
    if word.isascii():
        return word[:_LONGEST_WORD].lower()
    decomposed = unicodedata.normalize("NFKD", word[:_LONGEST_WORD]).casefold()
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _matches(text: str, terms: Sequence[str]) -> Iterator[_Match]:
    stems = frozenset(term for term in terms if not _UNSPACED.search(term))
    lengths = sorted({len(stem) for stem in stems}, reverse=True)
    if stems:
        for word in _starting(stems).finditer(text) if text.isascii() else _WORD.finditer(text):
            if (stem := _stem_of(_folded(word.group()[:_LONGEST_WORD]), stems, lengths)) is not None:
                yield _Match(word.start(), word.end(), stem)
    for term in terms:
        if term not in stems:
            yield from (_Match(found.start(), found.end(), term) for found in re.finditer(re.escape(term), text))


@lru_cache(maxsize=256)
def _starting(stems: frozenset[str]) -> re.Pattern[str]:
    """Return what finds the words of an ASCII text that may be meant: a look at each word takes ten times as long."""
    starts = {*stems, *(stem[:-1] + "y" for stem in stems if stem.endswith("i"))}
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, sorted(starts)))})[^\W_]*", re.IGNORECASE)


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


def _sentences(text: str, room: int) -> list[_Stretch]:
    """Return the sentences that are not blank; one that is longer than `room` in parts of half of that, at words."""
    found: list[_Stretch] = []
    start = 0
    for end in (*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)):
        while end - start > room:
            half = start + max(1, room // 2)
            cut = text.rfind(" ", start, half) + 1 or half
            found.append(_Stretch(start, cut))
            start = cut
        found.append(_Stretch(start, end))
        start = end
    return [sentence for sentence in found if text[sentence.start : sentence.end].strip()]


def _best(
    sentences: Sequence[_Stretch], matches: Sequence[_Match], weights: Mapping[str, float], room: int
) -> list[_Stretch]:
    """Return sentences that fit together, best first: each is the one whose terms, those not yet shown, weigh most."""
    terms = _terms_of(sentences, matches)
    chosen: list[_Stretch] = []
    shown: set[str] = set()
    left = room
    while len(chosen) < _MOST_SENTENCES:
        worth = {
            place: math.fsum(weights.get(term, 1.0) for term in found - shown)
            for place, found in terms.items()
            if sentences[place].length <= left
        }
        place = max(worth, key=lambda place: (worth[place], -place), default=None)
        if place is None or worth[place] <= 0:
            break
        chosen.append(sentences[place])
        shown |= terms.pop(place)
        left -= sentences[place].length + len(_GAP)
    return chosen or list(sentences[:1])


def _terms_of(sentences: Sequence[_Stretch], matches: Iterable[_Match]) -> dict[int, set[str]]:
    """Return the terms that begin in each sentence, by its position; sentences without any are left out."""
    found: dict[int, set[str]] = {}
    place = 0
    for match in matches:
        while place < len(sentences) - 1 and match.start >= sentences[place].end:
            place += 1
        found.setdefault(place, set()).add(match.term)
    return found


def _filled(text: str, sentences: Sequence[_Stretch], room: int) -> list[_Stretch]:
    """Return the sentences in the order of the text, those that touch as one; what room is left goes to the best.

    To what follows it first: that explains a sentence more often than what stands before it.
    """
    stretches = _merged(sentences)
    if not stretches:
        return []
    left = room - sum(stretch.length for stretch in stretches) - len(_GAP) * (len(stretches) - 1)
    best = next(stretch for stretch in stretches if stretch.end >= sentences[0].end)
    others = [stretch for stretch in stretches if stretch is not best]
    floor = max((stretch.end for stretch in others if stretch.end <= best.start), default=0)
    ceiling = min((stretch.start for stretch in others if stretch.start >= best.end), default=len(text))
    end = _end_after(text, best.end, left, ceiling)
    start = _start_before(text, best.start, left - (end - best.end), floor)
    return _merged([*others, _Stretch(start, end)])


def _merged(stretches: Iterable[_Stretch]) -> list[_Stretch]:
    """Return the stretches in order, as one where less lies between them than the mark of a gap takes."""
    merged: list[_Stretch] = []
    for stretch in sorted(stretches):
        if merged and stretch.start - merged[-1].end <= len(_GAP):
            merged[-1] = _Stretch(merged[-1].start, stretch.end)
        else:
            merged.append(stretch)
    return merged


def _end_after(text: str, end: int, left: int, ceiling: int) -> int:
    """Return where a stretch that ends at `end` may end with `left` characters more: at a word, if not a sentence."""
    latest = end + left
    if latest >= ceiling:
        return ceiling
    ends = [match.end() for match in _SENTENCE_END.finditer(text, end, latest)]
    last = ends[-1] if ends else end
    if latest - last < _REMNANT:
        return last
    blank = text.rfind(" ", last, latest + 1)
    return blank if blank >= 0 else latest if _UNSPACED.search(text, last, latest) else last


def _start_before(text: str, start: int, left: int, floor: int) -> int:
    """Return where a stretch that starts at `start` may start with `left` characters more: at a sentence."""
    earliest = start - left
    if earliest <= floor:
        return floor
    return next((match.end() for match in _SENTENCE_END.finditer(text, earliest, start)), start)


def _snippet(text: str, stretches: Sequence[_Stretch], matches: Iterable[_Match]) -> Snippet:
    """Return the stretches with an ellipsis for each part that is left out, and where the matches stand in that."""
    joined = _joined(matches)
    written = _ELLIPSIS if stretches and text[: stretches[0].start].strip() else ""
    spans: list[tuple[int, int]] = []
    for number, stretch in enumerate(stretches):
        shown = text[stretch.start : stretch.end]
        start = stretch.start + len(shown) - len(shown.lstrip())
        end = start + len(shown.strip())
        written += _GAP if number else ""
        shift = len(written) - start
        spans += [(m.start + shift, m.end + shift) for m in joined if start <= m.start and m.end <= end]
        written += text[start:end]
    return Snippet(written + (_ELLIPSIS if stretches and text[stretches[-1].end :].strip() else ""), tuple(spans))
