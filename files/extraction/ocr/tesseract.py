"""Tesseract, where its program is installed: one short process per picture, inside the reading process's limits."""

from __future__ import annotations

import csv
import io
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from files.extraction.ocr.base import RecognitionFailedError, TextLine, TextRecognizer

if TYPE_CHECKING:
    from PIL.Image import Image

_PLACES = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")  # the reading process has no PATH
_SECONDS = 60
_WORD = "5"


class TesseractRecognizer(TextRecognizer):
    """Reads with the language data that is installed beside the program."""

    @classmethod
    def is_installed(cls) -> bool:
        """Tell whether the program is in one of the usual places."""
        return _program() is not None

    def recognise(self, image: Image, languages: tuple[str, ...]) -> list[TextLine]:
        """Return the lines of the program's table of words."""
        out = io.BytesIO()
        image.convert("L").save(out, "PPM")
        words = _run(["stdin", "stdout", "-l", _language(languages), "--psm", "3", "tsv"], out.getvalue())
        return _lines(words.decode("utf-8", "replace"))


@cache
def _program() -> str | None:
    found = (Path(place) / "tesseract" for place in _PLACES)
    return next((str(path) for path in found if os.access(path, os.X_OK)), None)


def _run(arguments: list[str], given: bytes) -> bytes:
    program = _program()
    if program is None:
        raise RecognitionFailedError("tesseract is not installed")
    try:
        done = subprocess.run(
            [program, *arguments], input=given, capture_output=True, timeout=_SECONDS, check=True,
            env={"OMP_THREAD_LIMIT": "1"},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as exc:
        raise RecognitionFailedError(type(exc).__name__) from exc
    return done.stdout


@cache
def _language(wanted: tuple[str, ...]) -> str:
    """Return the wanted languages that are installed, in the program's notation; the first installed one if none is."""
    there = _run(["--list-langs"], b"").decode("utf-8", "replace").split("\n")[1:]
    installed = [name.strip() for name in there if name.strip() and name.strip() != "osd"]
    return "+".join(name for name in wanted if name in installed) or (installed[0] if installed else "eng")


def _lines(table: str) -> list[TextLine]:
    found: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row.get("level") == _WORD and (row.get("text") or "").strip():
            found.setdefault((row["block_num"], row["par_num"], row["line_num"]), []).append(row)
    return [_line(words) for words in found.values()]


def _line(words: list[dict[str, str]]) -> TextLine:
    boxes = [tuple(float(word[side]) for side in ("left", "top", "width", "height")) for word in words]
    confidence = sum(float(word["conf"]) for word in words) / len(words) / 100
    return TextLine(
        " ".join(word["text"].strip() for word in words),
        max(0.0, confidence),
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[0] + box[2] for box in boxes),
        max(box[1] + box[3] for box in boxes),
    )
