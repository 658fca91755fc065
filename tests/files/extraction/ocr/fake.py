"""An engine that recognises what the test tells it to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from files.extraction.ocr.base import RecognitionFailedError, TextLine, TextRecognizer

if TYPE_CHECKING:
    from PIL.Image import Image


class FakeRecognizer(TextRecognizer):
    """Gives one line a page, in turn; fails where it has none left and is told to."""

    def __init__(self, pages: list[str] | None = None, *, fails: bool = False) -> None:
        self.pages = pages or []
        self.fails = fails
        self.sizes: list[tuple[int, int]] = []

    @classmethod
    def is_installed(cls) -> bool:
        return True

    def recognise(self, image: Image, languages: tuple[str, ...]) -> list[TextLine]:
        self.sizes.append(image.size)
        if self.fails:
            raise RecognitionFailedError("told to")
        text = self.pages.pop(0) if self.pages else ""
        return [TextLine(text, 0.95, 10, 10, 200, 30)] if text else []
