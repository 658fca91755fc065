"""Text to measure with: the same in every run, and with the frequencies of words that real text has.

The frequent words are those of Python's own manual, in their order; the rare ones are put together from syllables.
Each text has a topic, so that its words come in company.
"""

from __future__ import annotations

import itertools
import pydoc_data.topics
import random
import re
from collections import Counter
from functools import cache

REAL_WORDS = 3_000
VOCABULARY = 60_000
TOPICS = 200
_TOPIC_WORDS = 120
_SYLLABLES = "ba cor den fil gra hum in jo kel lam mor nes o pra quin ros sta tur ul ven wis xan yor zet".split()


@cache
def vocabulary() -> list[str]:
    """Return all words, most frequent first."""
    manual = " ".join(pydoc_data.topics.topics.values()).lower()
    frequent = [word for word, _ in Counter(re.findall(r"[a-z]{2,}", manual)).most_common(REAL_WORDS)]
    made = ("".join(parts) for n in (3, 4) for parts in itertools.product(_SYLLABLES, repeat=n))
    known = set(frequent)
    rare = (word for word in made if word not in known)
    return frequent + list(itertools.islice(rare, VOCABULARY - len(frequent)))


@cache
def _zipf(words: int) -> list[float]:
    return list(itertools.accumulate(1 / (rank + 2.7) for rank in range(words)))


class Writer:
    """Writes sentences; the same seed writes the same ones.

    `words` is the size of the vocabulary: real words alone where an embedding model reads them, which cuts words that
    it does not know into many tokens; all of them where words are looked up.
    """

    def __init__(self, seed: int, words: int = REAL_WORDS) -> None:
        self._chance = random.Random(seed)
        self._words = vocabulary()[:words]
        self._weights = _zipf(len(self._words))

    def sentence(self, topic: int) -> str:
        """Return 8 to 24 words, a quarter of them of the topic."""
        count = self._chance.randint(6, 18)
        words = self._chance.choices(self._words, cum_weights=self._weights, k=count)
        words += self._chance.choices(self._topic_words(topic), cum_weights=_zipf(_TOPIC_WORDS), k=count // 3)
        self._chance.shuffle(words)
        return f"{words[0].capitalize()} {' '.join(words[1:])}."

    def paragraph(self, topic: int, characters: int) -> str:
        """Return sentences of about so many characters together."""
        sentences: list[str] = []
        while characters > 0:
            sentences.append(self.sentence(topic))
            characters -= len(sentences[-1])
        return " ".join(sentences)

    def question(self, passage: str) -> str:
        """Return a question with a few words of a passage, as people ask."""
        words = sorted(set(re.findall(r" ([a-z]{5,})", passage)))
        picked = self._chance.sample(words, min(len(words), self._chance.randint(2, 5)))
        start = self._chance.choice(["what is said about", "how does it handle", "where do we find", "why is there a"])
        return f"{start} {' and '.join(picked)}?"

    def _topic_words(self, topic: int) -> list[str]:
        return _topic_words(topic, len(self._words))


@cache
def _topic_words(topic: int, words: int) -> list[str]:
    return random.Random(topic).sample(vocabulary()[200 : min(words, 20_000)], _TOPIC_WORDS)
