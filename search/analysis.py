"""Text to the tokens that keywords are made of: the same for passages and for questions. Pure Python.

A token is a word, left to be stemmed by the language of the file that it is looked for in, or it is exact: a number,
an identifier, an address, two neighbouring characters of a script that is written without spaces. Before it: the text
of a passage or a question. After it: `search.indexing.keyword_rows`, or `search.keywords`.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

_ROOT = 5
LONGEST = 80  # what is longer is nothing that a person types; base64 and the like would only fill the index
# Thai, Lao, Burmese, Khmer, kana, Han and Hangul. Korean has spaces, but glues particles to its nouns: pairs of
# syllables find the noun, words do not.
_PAIRED = (
    "\u0e01-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u3130-\u318f"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_INVISIBLE = dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0x0640))
_HYPHENS = dict.fromkeys((0x2010, 0x2011), "-")
_CONNECTORS = "-_./@:+#&~"
_NUMBER = r"\d++(?:[.,]\d++)++"
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")
_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Token(NamedTuple):
    """One token. `exact` ones are kept as they are; a `whole` one is made of others and adds nothing to the length."""

    text: str
    exact: bool
    whole: bool = False


class _Patterns(NamedTuple):
    unit: re.Pattern[str]
    atom: re.Pattern[str]
    word: re.Pattern[str]
    paired: re.Pattern[str]


def tokens(text: str, *, code: bool = False) -> Iterator[Token]:
    """Yield the tokens of `text` in order, in lower case. `code` also yields the parts of identifiers like fooBar."""
    patterns = _patterns()
    for match in patterns.unit.finditer(normalised(text)):
        unit = match.group()
        if match.lastgroup == "paired":
            yield from _pairs(unit)
        elif not code and unit.isalpha() and len(unit) <= LONGEST:
            yield Token(unit.lower(), False)  # nearly all of them: the way below gives the same at four times the cost
        else:
            yield from _unit(unit, patterns.atom, code=code)


def asked(text: str) -> Iterator[Token]:
    """Yield the tokens to look for: as `tokens`, but a character alone only where nothing stands beside it.

    Such a character is the start of all tokens that have it: it is looked for as a prefix.
    """
    before = ""
    for token in tokens(text):
        if len(token.text) > 1 or not (len(before) == 2 and before[1] == token.text and is_paired(before)):
            yield token
        before = token.text


def normalised(text: str) -> str:
    """Return `text` with full-width and other compatibility forms replaced, and without invisible characters."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_replaced())


def sequence(text: str) -> str:
    """Return the words of `text` in order, between blanks, unstemmed: a phrase is in a text if its sequence is."""
    return f" {' '.join(_patterns().word.findall(normalised(text).lower()))} "


def root(word: str) -> str:
    """Return how a word begins, which words of one stem mostly share: to compare texts whose language is not known."""
    return word[:_ROOT].rstrip("s") or word


def is_paired(text: str) -> bool:
    """Return whether `text` is nothing but characters that are indexed in pairs."""
    return _patterns().paired.fullmatch(text) is not None


def _pairs(run: str) -> Iterator[Token]:
    """Yield each character with the next one; the last one alone, so that every character starts a token."""
    for start in range(len(run)):
        yield Token(run[start : start + 2], exact=True)


def _unit(unit: str, atom: re.Pattern[str], *, code: bool) -> Iterator[Token]:
    parts = atom.findall(unit)
    for part in parts:
        yield from _part(part, code=code)
    if len(parts[0]) < len(unit) <= LONGEST:
        yield Token(unit.lower(), exact=True, whole=True)


def _part(part: str, *, code: bool) -> Iterator[Token]:
    if len(part) > LONGEST:
        return
    lower = part.lower()
    if part.isalpha() or not any(map(str.isdigit, part)):
        yield Token(lower, exact=False)
    else:
        yield Token(lower.replace(",", "") if _GROUPED.fullmatch(part) else lower, exact=True)
    if code and part.isascii() and part.isalnum() and len(humps := _HUMPS.findall(part)) > 1:
        yield from (Token(hump.lower(), exact=hump.isdigit(), whole=True) for hump in humps)


@cache
def _patterns() -> _Patterns:
    # Python's \w leaves out combining marks, without which the words of Hindi, Tamil or vowelled Arabic fall apart.
    letter = rf"[^\W_{_PAIRED}]"
    run = rf"{letter}++(?:[{_marks()}]++{letter}*+)*+"
    atom = rf"[vV](?={_NUMBER})|{_NUMBER}|{run}"
    unit = rf"(?P<paired>[{_PAIRED}]++)|(?P<unit>(?>{atom})(?:[{_CONNECTORS}]{{0,2}}(?>{atom}))*+[+#]{{0,2}})"
    return _Patterns(
        re.compile(unit), re.compile(atom), re.compile(rf"[{_PAIRED}]|{run}"), re.compile(rf"[{_PAIRED}]+")
    )


def _marks() -> str:
    """Return the combining marks as the ranges of a character class."""
    marks = [char for char in map(chr, range(0x300, 0x10000)) if unicodedata.category(char) in ("Mn", "Mc")]
    ranges: list[list[str]] = []
    for char in marks:
        if ranges and ord(char) == ord(ranges[-1][1]) + 1:
            ranges[-1][1] = char
        else:
            ranges.append([char, char])
    return "".join(f"{first}-{last}" for first, last in ranges)


@cache
def _replaced() -> dict[int, str | int | None]:
    """Return what characters become: decimal digits of other scripts those that everybody can type."""
    digits = {
        code: str(unicodedata.decimal(chr(code)))
        for code in range(0x80, min(0x20000, sys.maxunicode))
        if unicodedata.category(chr(code)) == "Nd"
    }
    return {**_INVISIBLE, **_HYPHENS, **digits}
