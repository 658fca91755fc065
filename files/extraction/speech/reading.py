"""What is said in one recording, as passages with their second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from files.extraction.base import Source
from files.extraction.document import Metadata, Piece, Place, Segment
from files.extraction.document import Warning as PieceWarning
from files.extraction.limits import Limits
from files.extraction.speech.base import SpeechRecognizer, TranscriptionFailedError, Utterance
from files.extraction.speech.engines import recognizer

_PASSAGE_CHARS = 800
_PASSAGE_SECONDS = 90.0


def transcribed(source: Source, limits: Limits) -> Iterator[Piece]:
    """Yield passages of what is said; nothing where no engine or no model is chosen.

    A recording that the engine cannot work on gives the warning `speech_not_read`: speech was asked for.
    """
    engine = recognizer(source.options.speech)
    if engine is None or not source.options.speech_model:
        return
    try:
        yield from _passages(engine, source)
    except TranscriptionFailedError:
        yield PieceWarning("speech_not_read", "What is said in this recording could not be written down.")


def _passages(engine: SpeechRecognizer, source: Source) -> Iterator[Piece]:
    held: list[Utterance] = []
    language = ""
    for utterance in engine.transcribe(source.path, Path(source.options.speech_model)):
        language = language or utterance.language
        if held and (
            sum(len(said.text) for said in held) + len(utterance.text) > _PASSAGE_CHARS
            or utterance.start - held[0].start > _PASSAGE_SECONDS
        ):
            yield _segment(held)
            held = []
        if utterance.text.strip():
            held.append(utterance)
    if held:
        yield _segment(held)
    yield Metadata({"transcribed": True, "language": language})


def _segment(held: list[Utterance]) -> Segment:
    return Segment(" ".join(said.text for said in held), place=Place(second=round(held[0].start, 3)))
