from __future__ import annotations

import pytest

from files.extraction.limits import Limits
from files.extraction.ocr import reading
from files.extraction.ocr.base import TextLine
from files.extraction.ocr.reading import PageReader
from files.extraction.options import Options
from tests.files.extraction import media_samples
from tests.files.extraction.ocr.fake import FakeRecognizer


def page_reader(
    monkeypatch: pytest.MonkeyPatch, engine: FakeRecognizer | None, limits: Limits | None = None
) -> PageReader:
    monkeypatch.setattr(reading, "recognizer", lambda _choice: engine)
    return PageReader(Options(), limits or Limits())


def test_without_an_engine_no_page_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = page_reader(monkeypatch, None)
    assert not pages.is_there
    assert not pages.can_go_on


def test_pages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = page_reader(monkeypatch, FakeRecognizer(["one", "two"]), Limits(ocr_pages=1))
    assert pages.passages(media_samples.page([])) == ["one"]
    assert not pages.can_go_on


def test_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not page_reader(monkeypatch, FakeRecognizer(), Limits(cpu_seconds=0)).can_go_on
    assert not page_reader(monkeypatch, FakeRecognizer(), Limits(wall_seconds=-1)).can_go_on


def test_a_page_that_the_engine_fails_on_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert page_reader(monkeypatch, FakeRecognizer(fails=True)).passages(media_samples.page([])) is None


def test_noise_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    class Noisy(FakeRecognizer):
        def recognise(self, image: object, languages: tuple[str, ...]) -> list[TextLine]:
            told = [("Harbour", 0.9), ("Il|", 0.55), ("B", 0.7), ("---", 0.99)]
            return [TextLine(text, score, 0, 40 * at, 100, 40 * at + 20) for at, (text, score) in enumerate(told)]

    pages = page_reader(monkeypatch, Noisy())
    assert pages.passages(media_samples.page([])) == ["Harbour"]
    assert pages.facts == {"ocr": True, "ocr_confidence": 0.9}
