"""A reader that is as slow as text recognition is. Tests of what happens meanwhile put it into the registry."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import ClassVar

import pytest

from files.extraction import registry
from files.extraction.base import Source
from files.extraction.document import Coverage, Metadata, Piece, Segment
from files.extraction.extractors.text import TextExtractor
from files.extraction.limits import Limits

PAUSE_SECONDS = 0.3
CRASH = "Here the reader crashes."
LATE_TITLE = "This document is called Tides."


class PausingText(TextExtractor):
    """The product's reader of plain text, but silent for a while after every few segments."""

    every: ClassVar[int] = 20

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield what the text holds; it may tell its title at its end, or make the reader crash half-way."""
        late = False
        total = source.path.stat().st_size // 1000
        for number, piece in enumerate(super().extract(source, limits), 1):
            yield piece
            if isinstance(piece, Segment):
                late = late or LATE_TITLE in piece.text
                if CRASH in piece.text:
                    time.sleep(PAUSE_SECONDS)
                    os.abort()
            if number % self.every == 0:
                yield Coverage("parts", min(number, total), total)
                time.sleep(PAUSE_SECONDS)
        if late:
            yield Metadata({"title": "Tides"})


class SleepyText(PausingText):
    """The same, asleep for longer than its text takes to be embedded."""

    every: ClassVar[int] = 5


def use_for_plain_text(monkeypatch: pytest.MonkeyPatch, reader: type[PausingText] = PausingText) -> None:
    """Let `reader` read plain text until the test ends."""
    path = f"pausing.{reader.__name__}"
    line = registry.Format("", ("text/plain",), (path,), package="tests.files.extraction")
    monkeypatch.setattr(registry, "FORMATS", [line, *registry.FORMATS])


def long_text(paragraphs: int = 150, *extra: str) -> bytes:
    """Return a text of some 900 characters a paragraph, `extra` sentences in its middle."""
    lines = [
        f"Chapter {n}. " + f"The harbour of town {n % 17} opens before sunrise, says pilot {n}. " * 13
        for n in range(paragraphs)
    ]
    lines[paragraphs // 2 : paragraphs // 2] = extra
    return "\n\n".join(lines).encode()
