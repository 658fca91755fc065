"""The engines that are known, best first, and the choice among them."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from files.extraction.ocr.base import TextRecognizer

_HERE = "files.extraction.ocr."
ENGINES = {
    "rapidocr": _HERE + "rapid.RapidRecognizer",
    "tesseract": _HERE + "tesseract.TesseractRecognizer",
}


def recognizer(choice: str) -> TextRecognizer | None:
    """Return the engine called `choice`, the first installed one for `auto`; None for `off` or one not installed."""
    names = tuple(ENGINES) if choice == "auto" else (choice,)
    found = (_engine(ENGINES[name]) for name in names if name in ENGINES)
    return next((engine for engine in found if engine.is_installed()), None)


@cache
def _engine(dotted: str) -> TextRecognizer:
    module, _, kind = dotted.rpartition(".")
    engine = getattr(import_module(module), kind)()
    if not isinstance(engine, TextRecognizer):
        raise TypeError(f"{dotted} is not a TextRecognizer")
    return engine
