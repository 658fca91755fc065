from __future__ import annotations

from typing import ClassVar

import pytest

from files.extraction.ocr.base import TextRecognizer
from files.extraction.ocr.engines import ENGINES, recognizer
from tests.files.extraction import media_samples
from tests.files.extraction.ocr.fake import FakeRecognizer

LINES = ["Harbour rules for small boats", "Berth 42 costs 17 crowns a day"]


class RecognizerContract:
    """What every engine must do. It is skipped where the engine is not installed."""

    name: ClassVar[str]

    @pytest.fixture
    def engine(self) -> TextRecognizer:
        engine = recognizer(self.name)
        if engine is None:
            pytest.skip(f"{self.name} is not installed")
        return engine

    def test_finds_lines_with_their_place_and_confidence(self, engine: TextRecognizer) -> None:
        found = engine.recognise(media_samples.page(LINES), ("eng",))
        assert sorted(line.text for line in found) == sorted(LINES)
        for line in found:
            assert 0.5 < line.confidence <= 1
            assert 0 <= line.left < line.right <= 900
            assert 0 <= line.top < line.bottom <= 420

    def test_finds_nothing_on_an_empty_page(self, engine: TextRecognizer) -> None:
        assert engine.recognise(media_samples.page([]), ("eng",)) == []

    def test_takes_a_grey_page(self, engine: TextRecognizer) -> None:
        assert engine.recognise(media_samples.page(LINES).convert("L"), ("eng",))


class TestRapidRecognizer(RecognizerContract):
    name = "rapidocr"


class TestTesseractRecognizer(RecognizerContract):
    name = "tesseract"


def test_off_and_unknown_engines_are_none() -> None:
    assert recognizer("off") is None
    assert recognizer("crystal ball") is None


def test_auto_takes_the_first_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "rapidocr", "tests.files.extraction.ocr.test_engines.Absent")
    monkeypatch.setitem(ENGINES, "tesseract", "tests.files.extraction.ocr.fake.FakeRecognizer")
    assert isinstance(recognizer("auto"), FakeRecognizer)


class Absent(FakeRecognizer):
    @classmethod
    def is_installed(cls) -> bool:
        return False
