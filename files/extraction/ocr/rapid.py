"""RapidOCR: the PP-OCR models on ONNX Runtime. The models lie in its wheel; nothing is downloaded."""

from __future__ import annotations

from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from files.extraction.ocr.base import RecognitionFailedError, TextLine, TextRecognizer

if TYPE_CHECKING:
    from PIL.Image import Image

# The detector's memory grows with its input: 960 keeps a page under 500 MB and finds the same lines as 2,400 does.
# Lines are then cut from the full picture, one at a time: a batch costs more memory and, on one core, no less time.
_SETTINGS = {
    "Global.log_level": "critical",
    "Global.use_cls": False,
    "Global.max_side_len": 3200,
    "Global.text_score": 0.5,
    "Det.limit_type": "max",
    "Det.limit_side_len": 960,
    "Rec.rec_batch_num": 1,
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    "EngineConfig.onnxruntime.enable_cpu_mem_arena": False,
}


class RapidRecognizer(TextRecognizer):
    """Reads Chinese, Japanese and the languages in Latin letters with one model; `languages` is not needed."""

    @classmethod
    def is_installed(cls) -> bool:
        """Tell whether rapidocr and its runtime are there."""
        return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None

    def recognise(self, image: Image, languages: tuple[str, ...]) -> list[TextLine]:
        """Return the lines that the two models find."""
        import numpy as np

        pixels = np.asarray(image.convert("RGB"))[:, :, ::-1]
        try:
            found = self._engine(np.ascontiguousarray(pixels))
        except MemoryError:
            raise
        except Exception as exc:  # OpenCV, Shapely and the runtime each have their own; a page must not end a document
            raise RecognitionFailedError(type(exc).__name__) from exc
        if found.boxes is None or not found.txts:
            return []
        return [
            TextLine(text, float(score), *_rectangle(box))
            for box, text, score in zip(found.boxes.tolist(), found.txts, found.scores, strict=True)
        ]

    @cached_property
    def _engine(self) -> Any:
        from rapidocr import RapidOCR

        return RapidOCR(params=_SETTINGS)


def _rectangle(corners: list[list[float]]) -> tuple[float, float, float, float]:
    across, down = zip(*corners, strict=True)
    return min(across), min(down), max(across), max(down)
