"""The interface of an engine that writes down what is said in a recording, and what it gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words said from `start` to `end`, in seconds from the recording's start. `language` is an ISO 639-1 code."""

    start: float
    end: float
    text: str
    language: str = ""


class SpeechRecognizer(ABC):
    """Writes down what is said. Nothing is ever downloaded: the model is a folder on this machine."""

    @classmethod
    @abstractmethod
    def is_installed(cls) -> bool:
        """Tell, without importing the engine, whether it can run on this machine."""

    @abstractmethod
    def transcribe(self, path: Path, model: Path) -> Iterator[Utterance]:
        """Yield what is said in the sound or film at `path`, in order. Raises TranscriptionFailedError."""


class TranscriptionFailedError(RuntimeError):
    """The engine could not work on this recording."""
