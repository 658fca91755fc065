"""A question that leans on those before it, made whole without a model: by content words of the question before. Pure.

"And in Spain?" finds nothing by itself. Words are only added, never taken away or replaced, so that what the question
says keeps its weight. English, German, Spanish and Chinese are known; in other languages a question leans where it is
a single word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from search.analysis import is_paired, normalised, sequence
from search.ranking.query_syntax import parse_query
from search.small_words import CHINESE_FUNCTION, CHINESE_GOING_ON, CHINESE_POINTING, LANGUAGES, SmallWords

_MOST_ADDED = 12  # words
_FEW = 3  # content words, up to which a question that points back is taken to be about what it points to
_BETWEEN = re.compile(r"[\s.,;:!?()\[\]{}\"\u00a1\u00bf\u2026\u3001\u3002\uff0c\uff01\uff1f\uff1b\uff1a\u201c\u201d]+")
# Longer ones first: the run of characters is cut at each of them.
_CHINESE_CUT = re.compile("|".join(sorted({*CHINESE_FUNCTION, *CHINESE_POINTING}, key=lambda one: (-len(one), one))))
_CHINESE_FEW = 6  # characters of content


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A question that was asked before, and the text of its answer."""

    question: str
    answer: str = ""


def follow_up(question: str, turns: Sequence[PastTurn]) -> str:
    """Return the question, with the content words of the one before where it leans on it. `turns`: oldest first.

    Where that one leaned on an earlier one itself, it is made whole first.
    """
    if not turns or not leans(question):
        return question
    before = follow_up(turns[-1].question, turns[:-1])
    own = set(_content(question))
    added = [word for word in dict.fromkeys(_content(before)) if word not in own][:_MOST_ADDED]
    return " ".join([question, *added])


def leans(question: str) -> bool:
    """Whether a question is not understood without the one before.

    It has no word of content or a single one, or it has few and points back ("its", "davon") or goes on ("and …").
    """
    content, words = _content(question), _words(question)
    if any(map(is_paired, words)):
        return _leans_in_chinese(words, content)
    if len(content) <= 1:
        return True
    language = _spoken(words)
    points_back = any(word in language.pointing for word in words) or _goes_on(words, language)
    return points_back and len(content) <= _FEW


def _leans_in_chinese(words: Sequence[str], content: Sequence[str]) -> bool:
    text = "".join(words)
    size = sum(map(len, content))
    points_back = text.startswith(CHINESE_GOING_ON) or any(word in text for word in CHINESE_POINTING)
    return size <= 2 or (points_back and size <= _CHINESE_FEW)


def _goes_on(words: Sequence[str], language: SmallWords) -> bool:
    start = " ".join(words[:4]) + " "
    return any(start.startswith(f"{beginning} ") for beginning in language.going_on)


def _content(question: str) -> list[str]:
    """Return the words that say what a question is about, in order; what it excludes by `-word` is none of it."""
    words = _words(parse_query(question).text)
    language = _spoken(words)
    found: list[str] = []
    for word in words:
        if is_paired(word):
            found.extend(filter(None, _CHINESE_CUT.split(word)))
        elif word not in language.function:
            found.append(word)
    return found


def _words(question: str) -> list[str]:
    """Return the words in order, in small letters; a run of Chinese characters is one."""
    return [word for part in _BETWEEN.split(normalised(question)) for word in _joined(sequence(part).split())]


def _joined(words: Sequence[str]) -> Iterator[str]:
    """Yield the words, with neighbours that are single characters of an unspaced script put together."""
    run = ""
    for word in words:
        if is_paired(word):
            run += word
            continue
        if run:
            yield run
        run = ""
        yield word
    if run:
        yield run


def _spoken(words: Sequence[str]) -> SmallWords:
    """Return the language that most of the small words are of; the first one where none is."""
    return max(LANGUAGES, key=lambda one: sum(word in one.function for word in words))
