"""Every sentence of an answer beside the passages that it cites: what they do not support is said to be so.

Three things are asked: that a passage has the numbers of the sentence, enough of its words, and, where it has few of
them, nearly its meaning. A citation that fails is dropped; a sentence that has none left is not supported, nor is one
with a stretch of words that none of its passages has: a claim that was hung onto a true sentence. What is said in the
words of a passage but denies it passes: this looks at words and vectors, and does not reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from search.analysis import is_paired
from search.answering import sentences
from search.answering.answer import Citation, Sentence
from search.retrieval import Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Embed: TypeAlias = "Callable[[Sequence[str]], NDArray[np.float32]]"
"""Texts to one unit vector each."""

_STRETCH = 6.0  # words in a row that say something; a character of Han is half of one
_LABEL = 3  # the words of a heading that claims nothing: "Summary", "Open questions"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a passage supports a sentence: by this share of its words alone, or by half of it and this cosine."""

    overlap: float = 0.5
    similarity: float = 0.6


class Checker:
    """Checks sentences against numbered passages. `embed` is None where there is no model: words alone decide then."""

    def __init__(self, sources: Sequence[Hit], thresholds: Thresholds, embed: Embed | None = None) -> None:
        """Take the passages; the first one has the number 1."""
        self._sources = sources
        self._thresholds = thresholds
        self._embed = embed
        self._vectors: dict[int, NDArray[np.float32]] = {}

    def checked(self, text: str, cited: Sequence[int], section: str = "") -> Sentence:
        """Return a sentence with those of its citations that support it."""
        kept = tuple(number for number in dict.fromkeys(cited) if self._supports(number, text))
        if kept and _foreign(text, [self._sources[number - 1].text for number in kept]) >= _STRETCH:
            kept = ()
        return Sentence(text, kept, bool(kept), section)

    def heading(self, text: str) -> str:
        """Return a heading if it is a mere label, or the passages together have enough of its words; else none."""
        every = " ".join(source.text for source in self._sources)
        if sentences.numbers(text) - sentences.numbers(every):
            return ""
        claims = len(sentences.words(text)) > _LABEL
        return "" if claims and overlap_of(text, every) < self._thresholds.overlap else text

    def citations(self, said: Sequence[Sentence]) -> tuple[Citation, ...]:
        """Return the citations that the sentences use, by number."""
        used = sorted({number for sentence in said for number in sentence.citations})
        return tuple(citation_of(number, self._sources[number - 1]) for number in used)

    def _supports(self, number: int, text: str) -> bool:
        if not 1 <= number <= len(self._sources):
            return False
        passage = self._sources[number - 1].text
        if sentences.numbers(text) - sentences.numbers(passage):
            return False
        overlap = overlap_of(text, passage)
        if overlap >= self._thresholds.overlap:
            return True
        if self._embed is None or overlap < self._thresholds.overlap / 2:
            return False
        return self._similarity(number, text, self._embed) >= self._thresholds.similarity

    def _similarity(self, number: int, text: str, embed: Embed) -> float:
        """Return the cosine of a sentence and of the passage, or of the passage's sentence that is nearest."""
        if number not in self._vectors:
            passage = self._sources[number - 1].text
            self._vectors[number] = embed([passage, *sentences.split(passage)])
        return float((self._vectors[number] @ embed([text])[0]).max())


def overlap_of(text: str, passage: str) -> float:
    """Return which share of the words of a sentence a passage has; 1 where it has no words that say anything."""
    said = sentences.words(text)
    return len(said & sentences.words(passage)) / len(said) if said else float(text in passage)


def _foreign(text: str, passages: Sequence[str]) -> float:
    """Return how many words in a row a sentence has that none of the passages does."""
    known = frozenset().union(*map(sentences.words, passages))
    longest = run = 0.0
    for word in sentences.ordered_words(text):
        run = 0.0 if word in known else run + (0.5 if is_paired(word) else 1.0)
        longest = max(longest, run)
    return longest


def citation_of(number: int, hit: Hit) -> Citation:
    """Return the citation of a hit under a number."""
    return Citation(number, hit.chunk_id, hit.file_id, hit.file_name, hit.place)
