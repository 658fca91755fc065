"""What texts hide: characters that nobody sees, and a text that comes again however it is spelt.

A model that is told to give its instructions away is told how to disguise that, too: spaced out, turned round, encoded,
in look-alike letters. Letters are compared: what is translated, or said in other words, is not known again. No Django.
"""

from __future__ import annotations

import base64
import codecs
import html
import re
from collections.abc import Iterator

from search.analysis import normalised

RUN = 40
"""Letters in a row that two texts have in common by no accident."""

HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
"""Characters that nobody sees, but for the two joiners."""

# Joiners belong into words of Persian or Hindi and into emoji: one at a time, between letters that are not ASCII.
_JOINERS = re.compile(r"[\u200c\u200d]{2,}|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
# Letters of Cyrillic and Greek that look like Latin ones, and digits that are read as letters.
_LOOK_ALIKES = str.maketrans("аеорсухіјѕԁһԛѡӏкмтвнαοερικνυχτ013457", "aeopcyxijsdhqwlkmtbhaoepiknuxtoieast")


def visible(text: str) -> str:
    """Return the text without characters that nobody sees."""
    return _JOINERS.sub("", HIDDEN.sub("", text))


class KnownText:
    """A text that must not come out again."""

    def __init__(self, text: str) -> None:
        """Take the text; one of fewer letters than RUN is never known again."""
        letters = _letters(_folded(text))
        self._runs = frozenset(letters[start : start + RUN] for start in range(len(letters) - RUN + 1))

    def is_in(self, text: str, before: str = "") -> bool:
        """Tell whether `text` has a run of its letters; one may begin in `before`, which came right before."""
        alone = _folded(text)
        new = len(_letters(alone))
        for form in _forms(_folded(f"{before} {text}")):
            letters = _letters(form)
            if self._has_run(letters[max(0, len(letters) - new - RUN + 1) :]):
                return True
        return any(self._has_run(_letters(form)) for form in (alone[::-1], *map(_folded, _decoded(text))))

    def _has_run(self, letters: str) -> bool:
        return any(letters[start : start + RUN] in self._runs for start in range(len(letters) - RUN + 1))


def _forms(text: str) -> Iterator[str]:
    """Yield what a text may be the disguise of, letter by letter in its order."""
    yield text
    yield codecs.encode(text, "rot13")
    yield " ".join(word[::-1] for word in text.split())


def _decoded(text: str) -> Iterator[str]:
    """Yield the texts that stretches of a text are base64 or hexadecimal digits of, each alone and all together."""
    found = [match.rstrip("=") for match in _ENCODED.findall(text)]
    for one in dict.fromkeys([*found, "".join(found)]):
        for decode in (_base64, bytes.fromhex):
            try:
                yield decode(one).decode("utf-8", "ignore")
            except ValueError:
                continue


def _base64(text: str) -> bytes:
    standard = text.translate(str.maketrans("-_", "+/"))
    return base64.b64decode(standard + "=" * (-len(standard) % 4))


def _folded(text: str) -> str:
    return normalised(html.unescape(text)).casefold().translate(_LOOK_ALIKES)


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))
