"""What a language model writes, piece by piece, to sentences with the numbers that they cite.

Nothing of a model's text is taken but words: no images, no links, no markup, no address and nothing encoded that its
passages do not have, and nothing of its instructions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from search.analysis import sequence
from search.answering.disguises import HIDDEN, KnownText, visible
from search.answering.sentences import ABBREVIATIONS

MOST_CHARACTERS = 40_000
_RUN = 8  # words in a row that an answer has from its instructions by no accident
_WHOLE = 4  # the same, where these are all of a sentence
_LOOKED_BACK = 400  # signs, for instructions that are given away a word a line
_LONGEST_HEADING = 120

_NUMBERS = r"\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\]"
_CITED = re.compile(rf"\s*({_NUMBERS})")
_BOUNDARY = re.compile(
    rf"[.!?\u2026][\"')\u201d\u00bb]{{0,3}}(?:\s*{_NUMBERS})*(?=\s+[^\s\[a-z])"
    rf"|[\u3002\uff01\uff1f](?:{_NUMBERS})*(?=[^\s\[])|\n"
)
_ABBREVIATION = re.compile(rf"\b(?:{ABBREVIATIONS}|\d{{1,2}})\.$")
_BULLET = re.compile(r"^\s*(?:[-*\u2022]|\d{1,2}[.)])\s+")
_IMAGE = re.compile(r"!\[([^\]\n]{0,1000})\](?:\([^)\n]*\)?|\[[^\]\n]{0,1000}\])?")
_LINK = re.compile(r"\[([^\]\n]{1,1000})\]\([^)\n]*\)?")
_TAG = re.compile(
    r"</?[A-Za-z!][^<>\n]{0,500}>|<(?:img|image|script|iframe|svg|video|audio|a|link|form)\b[^<>\n]*$", re.I
)
_HOST = r"(?:(?:[\w-]{1,63}\.){1,10}[a-z]{2,63}|\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?"
_ADDRESS = re.compile(
    r"\b(?:[a-z][a-z0-9+.-]{1,15}://|(?:data|javascript|vbscript|mailto|tel|blob|file):|www\.)[^\s<>\"]+"
    rf"|(?<![\w/])//{_HOST}[^\s<>\"]*|(?<![\w.-]){_HOST}/[^\s<>\"]*|\\\\[\w.-]{{1,253}}\\[^\s<>\"]+",
    re.I,
)
_OPAQUE = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")  # no word of any language
_EMPHASIS = re.compile(r"\*\*|__|`")


@dataclass(frozen=True, slots=True)
class Read:
    """A sentence as a model wrote it, without its marks."""

    text: str
    cited: tuple[int, ...]
    section: str


class Reader:
    """Takes the pieces of one answer and gives its sentences as soon as they are whole."""

    def __init__(self, instructions: str, mark: str, sources: str) -> None:
        """Take what must not come out again, and the text of the passages, whose addresses may."""
        self._instructions = sequence(instructions)
        self._known_text = KnownText(instructions)
        self._before = ""
        self._mark = mark
        self._sources = sources
        self._waiting = ""
        self._section = ""
        self._taken = 0

    def feed(self, piece: str) -> Iterator[Read]:
        """Yield the sentences that a piece completes."""
        piece = piece[: MOST_CHARACTERS - self._taken]
        self._taken += len(piece)
        self._waiting += HIDDEN.sub("", piece)
        while (end := self._end()) is not None:
            whole, self._waiting = self._waiting[:end], self._waiting[end:]
            yield from self._read(whole)

    def close(self) -> Iterator[Read]:
        """Yield what the end of the answer completes."""
        whole, self._waiting = self._waiting, ""
        for line in whole.split("\n"):
            yield from self._read(line)

    def _end(self) -> int | None:
        heading = self._waiting.lstrip().startswith("#")
        for match in _BOUNDARY.finditer(self._waiting):
            before = self._waiting[: match.end()]
            if match[0] == "\n" or not (heading or _ABBREVIATION.search(before)):
                return match.end()
        return None

    def _read(self, whole: str) -> Iterator[Read]:
        line = whole.strip()
        if line.startswith("#"):
            heading, _ = self._said(_BULLET.sub("", line.lstrip("# ")))
            self._section = heading[:_LONGEST_HEADING]
            return
        text, cited = self._said(_BULLET.sub("", line))
        if any(map(str.isalnum, text)):
            yield Read(text, cited, self._section)

    def _said(self, line: str) -> tuple[str, tuple[int, ...]]:
        """Return the words of a line, none where they are those of the instructions, and the numbers that it cites."""
        line = visible(line)
        marks = _CITED.findall(line)
        cited = dict.fromkeys(int(number) for found in marks for number in re.findall(r"\d+", found))
        text = self._plain(_CITED.sub("", _without_links(line)))
        repeats = self._repeats(text)
        self._before = f"{self._before} {text}"[-_LOOKED_BACK:]
        return "" if repeats else text, tuple(cited)

    def _plain(self, text: str) -> str:
        bare = _EMPHASIS.sub("", _TAG.sub("", text))
        known = _ADDRESS.sub(lambda found: self._known(found[0], "[address left out]"), bare)
        return " ".join(_OPAQUE.sub(lambda found: self._known(found[0], "[left out]"), known).split())

    def _known(self, found: str, otherwise: str) -> str:
        """Return an address or the like if the passages have it."""
        return found if found.rstrip(".,;:!?)'") in self._sources else otherwise

    def _repeats(self, text: str) -> bool:
        """Tell whether a sentence has the request's mark, or a run of the instructions, in whatever disguise."""
        whole = sequence(text)
        said = whole.split()
        if self._mark in text or (len(said) >= _WHOLE and whole in self._instructions):
            return True
        runs = (f" {' '.join(said[start : start + _RUN])} " for start in range(len(said) - _RUN + 1))
        return any(run in self._instructions for run in runs) or self._known_text.is_in(text, self._before)


def _without_links(text: str) -> str:
    """Return the text with images and links as the words that stand for them."""
    return _LINK.sub(r"\1", _IMAGE.sub(r"\1", text)).replace("![", "[")
