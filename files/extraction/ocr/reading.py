"""Text recognition within one file's budget: which engine, how many pages, how much time, what is noise."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from files.extraction.limits import Limits
from files.extraction.ocr.base import RecognitionFailedError, TextLine
from files.extraction.ocr.engines import recognizer
from files.extraction.ocr.layout import paragraphs
from files.extraction.options import Options

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 2_600  # pixels of the longer side: an A4 page at 220 dpi
_PASSAGE_CHARS = 1_500
_SMALLEST = 24
_MIN_CONFIDENCE = 0.6
_MIN_SHORT_CONFIDENCE = 0.8  # one or two characters are mostly a pattern that looks like letters
_CPU_SHARE = 0.7


class PageReader:
    """Reads the pages of one file until its budget is spent. `confidence` is the mean over what was kept."""

    def __init__(self, options: Options, limits: Limits) -> None:
        self._engine = recognizer(options.ocr)
        self._languages = options.ocr_languages
        self._pages = limits.ocr_pages
        self._cpu = _CPU_SHARE * limits.cpu_seconds
        self._until = time.monotonic() + _CPU_SHARE * limits.wall_seconds
        self._scores: list[float] = []

    @property
    def is_there(self) -> bool:
        """Tell whether there is an engine."""
        return self._engine is not None

    @property
    def can_go_on(self) -> bool:
        """Tell whether another page may be read: an engine is there, pages and time are left."""
        in_time = time.process_time() < self._cpu and time.monotonic() < self._until
        return self._engine is not None and self._pages > 0 and in_time

    @property
    def facts(self) -> dict[str, object]:
        """Return the mean confidence of all lines kept so far; nothing when no line was."""
        if not self._scores:
            return {}
        return {"ocr": True, "ocr_confidence": round(sum(self._scores) / len(self._scores), 3)}

    def passages(self, image: Image) -> list[str] | None:
        """Return the text in a decoded picture as passages of whole paragraphs; None when the engine failed on it."""
        paragraphs_found = self._read(image)
        if paragraphs_found is None:
            return None
        passages: list[str] = []
        for paragraph in paragraphs_found:
            if passages and len(passages[-1]) + len(paragraph) <= _PASSAGE_CHARS:
                passages[-1] += "\n\n" + paragraph
            else:
                passages.append(paragraph)
        return passages

    def _read(self, image: Image) -> list[str] | None:
        self._pages -= 1
        if self._engine is None or min(image.size) < _SMALLEST:
            return []
        try:
            found = self._engine.recognise(image, self._languages)
        except (RecognitionFailedError, MemoryError):  # one page too large must not cost what else was read
            return None
        lines = [line for line in found if _is_text(line)]
        self._scores += [line.confidence for line in lines]
        return paragraphs(lines)


def _is_text(line: TextLine) -> bool:
    letters = sum(character.isalnum() for character in line.text)
    needed = _MIN_CONFIDENCE if letters > 2 else _MIN_SHORT_CONFIDENCE
    return letters > 0 and line.confidence >= needed
