"""Segments to chunks: the passages that are embedded and found.

Before it: `files.extraction` yields segments. After it: `embedding` turns each chunk's text into a vector. A chunk is
cut at a paragraph, else a row or a sentence, else a word; only a single word longer than a chunk is cut inside.
Streaming: at most one segment and one chunk's worth of words is held.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple, Protocol

from files.extraction.document import Place, Segment
from orchestra.common.errors import OrchestraError
from search.indexing.sections import Section, with_joined_headings
from search.indexing.words import Header, Mark, Word, WordReader

_COUNTED_WORDS = 16_384  # a language's common words: most counts come from here, not from the tokenizer


class Tokenizer(Protocol):
    """What chunking asks of an embedding model; every `Embedder` is one."""

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` takes of the model's window."""


class ChunkOptionsError(OrchestraError):
    """The chunk settings contradict each other."""

    code = "chunk_options_invalid"
    default_message = "The chunk size and overlap do not fit together."
    default_hint = (
        "Choose an overlap of at most half the size, a size of at least 16 and a window of at least 8 tokens."
    )


@dataclass(frozen=True, slots=True)
class ChunkOptions:
    """Limits of one chunk: `size` and `overlap` in characters, `max_tokens` in the model's tokens."""

    size: int = 1000
    overlap: int = 200
    max_tokens: int = 254

    def __post_init__(self) -> None:
        if self.size < 16 or self.max_tokens < 8 or not 0 <= self.overlap <= self.size // 2:
            raise ChunkOptionsError(size=self.size, overlap=self.overlap, max_tokens=self.max_tokens)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage. `ordinal` counts from 0 without gaps; `place` covers all of its text."""

    ordinal: int
    text: str
    place: Place
    token_count: int


def chunk_segments(segments: Iterable[Segment], options: ChunkOptions, tokenizer: Tokenizer) -> Iterator[Chunk]:
    """Yield the chunks of a document in reading order.

    No chunk exceeds `options.size` characters or `options.max_tokens` tokens, none crosses a page, slide, sheet or
    heading, and every word of every segment is in one. Deterministic.
    """
    return (chunk for chunk in chunk_stream(segments, options, tokenizer) if chunk is not None)


def chunk_stream(
    segments: Iterable[Segment | None], options: ChunkOptions, tokenizer: Tokenizer
) -> Iterator[Chunk | None]:
    """Yield the chunks of a document that is still being read: None among its segments means "no more for now".

    Each None comes out again, after the chunks that are whole by then. Where they stand changes no chunk.
    """
    ordinals = itertools.count()
    for draft in _drafts(segments, options, tokenizer):
        yield None if draft is None else Chunk(next(ordinals), draft.text, draft.place, draft.tokens)


class _Draft(NamedTuple):
    text: str
    place: Place
    tokens: int


def _drafts(segments: Iterable[Segment | None], options: ChunkOptions, tokenizer: Tokenizer) -> Iterator[_Draft | None]:
    count = lru_cache(maxsize=_COUNTED_WORDS)(tokenizer.count_tokens)
    reader = WordReader(options.size, options.max_tokens, count)
    packer = _Packer(options, tokenizer.count_tokens)
    current: Section | None = None
    for placed in with_joined_headings(segments):
        if placed is None:
            yield None
            continue
        segment, opens = placed
        section = Section.of(segment.place)
        if opens or section != current:
            yield from packer.flush()
            current = section
        for word in reader.words(segment):
            yield from packer.add(word)
    yield from packer.flush()


class _Packer:
    """Collects the words of one section and cuts them into drafts.

    The first `_carried` words repeat the end of the draft before; a draft is made only when there are more than those.
    """

    def __init__(self, options: ChunkOptions, count_tokens: Callable[[str], int]) -> None:
        self._options = options
        self._count_tokens = count_tokens
        self._restart([], 0)

    def add(self, word: Word) -> Iterator[_Draft]:
        """Take one more word; yield what has become full."""
        self._append(word)
        while len(self._words) > 1 and not self._within(self._chars[-1], self._tokens[-1]):
            if self._carried and self._fitting() <= self._carried:
                self._drop_overlap()  # the new word needs its room
            else:
                yield self._cut()

    def flush(self) -> Iterator[_Draft]:
        """Yield the rest of the section and forget it: no overlap crosses its border."""
        while len(self._words) > self._carried:
            yield self._cut()
        self._restart([], 0)

    def _restart(self, words: Sequence[Word], carried: int) -> None:
        self._words: list[Word] = []
        self._chars: list[int] = []  # length and tokens of the text that ends with each word
        self._tokens: list[int] = []
        self._carried = carried
        for word in words:
            self._append(word)

    def _append(self, word: Word) -> None:
        if self._words:
            self._chars.append(self._chars[-1] + len(word.lead) + len(word.text))
            self._tokens.append(self._tokens[-1] + word.tokens)
        else:
            header = self._header(word)
            self._chars.append(len(word.text) + (len(header.text) + 1 if header else 0))
            self._tokens.append(word.tokens + (header.tokens if header else 0))
        self._words.append(word)

    def _within(self, chars: int, tokens: int) -> bool:
        return chars <= self._options.size and tokens <= self._options.max_tokens

    def _header(self, first: Word) -> Header | None:
        """Return the table head to repeat above a text that starts with `first`, unless the two do not fit together."""
        head = first.header
        if head and self._within(len(head.text) + 1 + len(first.text), head.tokens + first.tokens):
            return head
        return None

    def _drop_overlap(self) -> None:
        self._restart(self._words[self._carried :], 0)

    def _cut(self) -> _Draft:
        """Take one draft from the front, and carry its end over as the overlap of the next one."""
        end = self._best_end(self._fitting())
        text = self._render(end)
        tokens = self._count_tokens(text)
        while tokens > self._options.max_tokens and end > 1:  # a text can have more tokens than its words have alone
            end = self._shorter(end)
            text = self._render(end)
            tokens = self._count_tokens(text)
        draft = _Draft(text, _covering(self._words[:end]), tokens)
        start = self._overlap_start(end, len(text))
        self._restart(self._words[start:], end - start)
        return draft

    def _fitting(self) -> int:
        sums = zip(self._chars, self._tokens, strict=True)
        return max(1, sum(1 for chars, tokens in sums if self._within(chars, tokens)))

    def _shorter(self, end: int) -> int:
        fresh = end - self._carried
        if fresh > 1:
            return self._best_end(end - max(1, fresh // 10))
        self._drop_overlap()
        return fresh

    def _render(self, end: int) -> str:
        first = self._words[0]
        header = self._header(first)
        start = f"{header.text}\n{first.text}" if header else first.text
        return start + "".join(word.lead + word.text for word in self._words[1:end])

    def _best_end(self, most: int) -> int:
        """Return how many words to take: at most `most`, at least one that is not carried over."""
        if most >= len(self._words):
            return len(self._words)
        ends = range(most, self._carried, -1)
        full = self._chars[most - 1]
        row = Mark.ROW if self._words[most].in_table else Mark.WORD
        choices = ((Mark.PARAGRAPH, 0.5), (Mark.SENTENCE, 0.3), (row, 0.0), (Mark.WORD, 0.0))
        for mark, share in choices:
            for end in ends:
                if self._words[end].mark >= mark and self._chars[end - 1] >= share * full:
                    return end
        return most

    def _overlap_start(self, end: int, length: int) -> int:
        """Return the word that the next draft starts with: the first sentence within the overlap, else the first word.

        Where tokens end a draft early, the overlap shrinks with it. Tables do not overlap: their head is repeated.
        """
        room = self._options.overlap * length // self._options.size
        sentence, word = end, end
        for start in range(end - 1, 0, -1):
            candidate = self._words[start]
            room -= len(candidate.lead) + len(candidate.text)
            if room < 0 or candidate.in_table:
                break
            sentence = start if candidate.mark >= Mark.SENTENCE else sentence
            word = start if candidate.mark >= Mark.WORD else word
        return sentence if sentence < end else word


def _covering(words: Sequence[Word]) -> Place:
    """Return the one place that covers all words of a section: its first, with lines and cells to the last."""
    first, last = words[0].place, words[-1].place
    lines = [line for word in words for line in (word.line, word.line_end) if line is not None]
    start, end = (min(lines), max(lines)) if lines else (None, None)
    cells = _joined_cells(first.cells, last.cells)
    return replace(first, line=start, line_end=end, cells=cells, row_end=last.row_end or last.row)


def _joined_cells(first: str | None, last: str | None) -> str | None:
    if first and last and first != last:
        return f"{first.partition(':')[0]}:{last.rpartition(':')[2]}"
    return first
