"""faster-whisper, where it is installed beside Orchestra and a model's folder is named."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from files.extraction.speech.base import SpeechRecognizer, TranscriptionFailedError, Utterance


class WhisperRecognizer(SpeechRecognizer):
    """Runs on one core, in eight-bit numbers, with the model's own detection of language and silence."""

    @classmethod
    def is_installed(cls) -> bool:
        """Tell whether the package is there."""
        return find_spec("faster_whisper") is not None

    def transcribe(self, path: Path, model: Path) -> Iterator[Utterance]:
        """Yield the segments of the model."""
        whisper = import_module("faster_whisper")  # by name: it is no requirement, so nothing may need it to be checked
        try:
            loaded = whisper.WhisperModel(
                str(model), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
            )
            found, told = loaded.transcribe(str(path), beam_size=1)
            for part in found:
                yield Utterance(float(part.start), float(part.end), str(part.text).strip(), str(told.language))
        except (RuntimeError, ValueError, OSError) as exc:
            raise TranscriptionFailedError(type(exc).__name__) from exc
