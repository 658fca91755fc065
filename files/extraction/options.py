"""What the administrator chose about reading: part of every source, so that an extractor need not know settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Choices that change what is read, not how much of it (`Limits` does that).

    `ocr` and `speech` name an engine, `auto` for the best one that is installed, `off` for none. `ocr_languages` are
    ISO 639-3 codes. `speech_model` is a folder on this machine.
    """

    archive_members: bool = False
    ocr: str = "auto"
    ocr_languages: tuple[str, ...] = ("eng",)
    speech: str = "off"
    speech_model: str = ""
    thumbnails: bool = True
