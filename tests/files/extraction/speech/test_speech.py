from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from files.extraction.base import Source
from files.extraction.document import Segment
from files.extraction.limits import Limits
from files.extraction.options import Options
from files.extraction.speech import reading
from files.extraction.speech.base import SpeechRecognizer, TranscriptionFailedError, Utterance
from files.extraction.speech.engines import recognizer
from tests.files.extraction import media_samples, samples
from tests.files.extraction.contract import facts, read, segments, text_of, warnings_of

ON = Options(speech="faster-whisper", speech_model="/models/tiny")


class FakeSpeech(SpeechRecognizer):
    def __init__(self, said: list[Utterance], *, fails: bool = False) -> None:
        self.said, self.fails = said, fails
        self.models: list[Path] = []

    @classmethod
    def is_installed(cls) -> bool:
        return True

    def transcribe(self, path: Path, model: Path) -> Iterator[Utterance]:
        self.models.append(model)
        yield from self.said
        if self.fails:
            raise TranscriptionFailedError("told to")


def use(monkeypatch: pytest.MonkeyPatch, engine: SpeechRecognizer | None) -> None:
    monkeypatch.setattr(reading, "recognizer", lambda _choice: engine)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    return samples.write(tmp_path / "x.wav", media_samples.wave())


def test_what_is_said_becomes_passages_at_their_second(wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeSpeech(
        [Utterance(0.5, 2, "The harbour", "en"), Utterance(2, 4, "is open."), Utterance(200, 201, "Bye.")]
    )
    use(monkeypatch, engine)
    pieces = read(wav, "audio/wav", options=ON)
    assert [(segment.text, segment.place.second) for segment in segments(pieces)] == [
        ("The harbour is open.", 0.5),
        ("Bye.", 200),
    ]
    assert (facts(pieces)["transcribed"], facts(pieces)["language"]) == (True, "en")
    assert engine.models == [Path("/models/tiny")]


def test_nothing_is_asked_without_a_model(wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeSpeech([Utterance(0, 1, "words")])
    use(monkeypatch, engine)
    assert not text_of(read(wav, "audio/wav", options=Options(speech="auto")))
    assert not engine.models


def test_a_failing_engine_is_told_and_what_it_said_is_kept_apart(wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeSpeech([], fails=True))
    assert warnings_of(read(wav, "audio/wav", options=ON)) == ["speech_not_read"]


def test_speech_is_off_unless_chosen() -> None:
    assert Options().speech == "off"
    assert recognizer("off") is None
    assert recognizer("nobody") is None


def test_long_speech_is_cut_into_passages(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeSpeech([Utterance(at, at + 1, "word " * 40) for at in range(20)]))
    source = Source(Path("x"), "x", "audio/wav", ON)
    found = [piece for piece in reading.transcribed(source, Limits()) if isinstance(piece, Segment)]
    assert len(found) > 3
    assert all(len(segment.text) <= 1000 for segment in found)
