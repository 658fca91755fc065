"""RapidOCR: the PP-OCR models on ONNX Runtime. The models lie in its wheel; nothing is downloaded."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import cache, cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from files.extraction.ocr.base import RecognitionFailedError, TextLine, TextRecognizer

if TYPE_CHECKING:
    from PIL.Image import Image

_ARENA_MAX, _MMAP_THRESHOLD = -8, -3  # of mallopt(3)
_MMAP_BYTES = 8 << 20  # less saves more memory and costs up to twice the time
# The detector's memory grows with its input: 960 keeps a page under 400 MB and finds the same lines as 2,400 does.
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
        except _failures() as exc:
            raise RecognitionFailedError(type(exc).__name__) from exc
        if found.boxes is None or not found.txts:
            return []
        return [
            TextLine(text, float(score), *_rectangle(box))
            for box, text, score in zip(found.boxes.tolist(), found.txts, found.scores, strict=True)
        ]

    @cached_property
    def _engine(self) -> Any:
        _return_memory_at_once()
        import cv2
        from rapidocr import RapidOCR

        cv2.setNumThreads(1)
        return RapidOCR(params=_SETTINGS)


@cache
def _failures() -> tuple[type[Exception], ...]:
    """Return what the engine and the libraries under it raise on a picture; none of their errors has a common root."""
    import cv2
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException
    from rapidocr.ch_ppocr_det.utils import ResizeImgError
    from rapidocr.inference_engine.onnxruntime.main import ONNXRuntimeError

    ordinary = (ValueError, TypeError, IndexError, AttributeError, RuntimeError, OSError, ArithmeticError)
    return (*ordinary, cv2.error, Fail, InvalidArgument, RuntimeException, ONNXRuntimeError, ResizeImgError)


def _return_memory_at_once() -> None:
    """Make glibc give large blocks back when they are freed, and keep one heap: a page then takes 390 MB, not 500.

    The address space, which the sandbox limits, falls from 1,280 MB to 680, together with one thread per library.
    """
    with suppress(AttributeError, OSError):  # other C libraries have no such setting
        tune = ctypes.CDLL(None).mallopt
        tune(_ARENA_MAX, 1)
        tune(_MMAP_THRESHOLD, _MMAP_BYTES)


def _rectangle(corners: list[list[float]]) -> tuple[float, float, float, float]:
    across, down = zip(*corners, strict=True)
    return min(across), min(down), max(across), max(down)
