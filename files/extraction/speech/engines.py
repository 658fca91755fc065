"""The engines that are known, and the choice among them."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from files.extraction.speech.base import SpeechRecognizer

ENGINES = {"faster-whisper": "files.extraction.speech.whisper.WhisperRecognizer"}


def recognizer(choice: str) -> SpeechRecognizer | None:
    """Return the engine called `choice`, the first installed one for `auto`; None for `off` or one not installed."""
    names = tuple(ENGINES) if choice == "auto" else (choice,)
    found = (_engine(ENGINES[name]) for name in names if name in ENGINES)
    return next((engine for engine in found if engine.is_installed()), None)


@cache
def _engine(dotted: str) -> SpeechRecognizer:
    module, _, kind = dotted.rpartition(".")
    engine = getattr(import_module(module), kind)()
    if not isinstance(engine, SpeechRecognizer):
        raise TypeError(f"{dotted} is not a SpeechRecognizer")
    return engine
