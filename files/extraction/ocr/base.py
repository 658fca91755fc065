"""The interface of an engine that finds text in a picture, and what it gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text in a picture: its box in pixels from the upper left corner, confidence from 0 to 1."""

    text: str
    confidence: float
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """Return how high the line is."""
        return self.bottom - self.top


class TextRecognizer(ABC):
    """Finds the lines of text in pictures. No model is loaded before the first picture; nothing is ever downloaded."""

    @classmethod
    @abstractmethod
    def is_installed(cls) -> bool:
        """Tell, without importing the engine, whether it can run on this machine."""

    @abstractmethod
    def recognise(self, image: Image, languages: tuple[str, ...]) -> list[TextLine]:
        """Return the lines in an RGB or grey picture, in any order. `languages` are ISO 639-3 codes, best first.

        Raises RecognitionFailedError.
        """


class RecognitionFailedError(RuntimeError):
    """The engine could not work on this picture."""
