"""A file's passages to its rows of postings.

Before it: `search.analysis`, which makes tokens of text, and `search.stemming`. After it: `writing`, which copies the
rows into the database. One block of passages is held at a time: memory does not grow with the file.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from search.analysis import Token, is_paired, tokens
from search.indexing.languages import lexeme_prefix

ANALYSIS = 1  # counts up whenever the same text would get other tokens; `manage.py rebuild_keywords` looks for it
BLOCK = 1024
MOST_TIMES = 63
MOST_WORDS = 32_767

Stems = Callable[[str, Collection[str]], Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class KeywordRow:
    """The postings of one lexeme in one block of passages, packed as `KeywordPosting` says."""

    block: int
    lexeme: str
    postings: list[int]


class KeywordRows:
    """The rows of one file, and the sum of its passages' lengths once they are all read.

    A length counts words; two characters that are indexed in pairs count as one, so that the passages of an owner who
    has files in Chinese and in English are measured alike.
    """

    def __init__(self, configuration: str, stems: Stems, *, code: bool = False) -> None:
        self._configuration = configuration
        self._stems = stems
        self._code = code
        self.length = 0

    def rows(self, passages: Iterable[tuple[int, str]]) -> Iterator[KeywordRow]:
        """Yield the rows of (ordinal, text) pairs that come in the order of their ordinals."""
        for block, members in itertools.groupby(passages, key=lambda passage: passage[0] // BLOCK):
            yield from self._block(block, [(ordinal % BLOCK, self._counted(text)) for ordinal, text in members])

    def _counted(self, text: str) -> Counter[Token]:
        return Counter(tokens(text, code=self._code))

    def _block(self, block: int, passages: list[tuple[int, Counter[Token]]]) -> Iterator[KeywordRow]:
        words = {token.text for _, counted in passages for token in counted if not token.exact}
        stems = self._stems(self._configuration, words) if words else {}
        prefix = lexeme_prefix(self._configuration)
        lexemes = {word: tuple(prefix + stem for stem in found) for word, found in stems.items()}
        postings: dict[str, list[int]] = defaultdict(list)
        for ordinal, counted in passages:
            found, length = _lexemes(counted, lexemes)
            self.length += length
            for lexeme, times in found.items():
                postings[lexeme].append(ordinal << 21 | min(times, MOST_TIMES) << 15 | length)
        for lexeme, packed in postings.items():
            yield KeywordRow(block, lexeme, packed)


def _lexemes(counted: Counter[Token], stems: Mapping[str, tuple[str, ...]]) -> tuple[Counter[str], int]:
    """Return how often a passage has each lexeme, and how long it is."""
    found: Counter[str] = Counter()
    words = pairs = 0
    for token, times in counted.items():
        lexemes = (token.text,) if token.exact else stems[token.text]
        for lexeme in lexemes:
            found[lexeme] += times
        if lexemes and not token.whole:
            paired = token.exact and is_paired(token.text)
            words, pairs = words + (0 if paired else times), pairs + (times if paired else 0)
    return found, min(words + (pairs + 1) // 2, MOST_WORDS)
