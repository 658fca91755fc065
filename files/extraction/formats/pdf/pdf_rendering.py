"""A PDF page as a picture, within a time: for a thumbnail, and for text recognition."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfPage

_POINTS_PER_INCH = 72
_OCR_DPI = 200
_OCR_SIDES = (1_600, 2_600)  # a scan may lie on a page of any size, so the dots per inch alone say little


def rendered(page: PdfPage, side: int, seconds: float) -> Image | None:
    """Return `page` as a picture whose longer side has `side` pixels; None when it takes longer or has no size."""
    from pypdfium2 import PdfBitmap, raw

    width, height = page.get_size()
    if not (math.isfinite(width) and math.isfinite(height) and min(width, height) > 0):
        return None
    scale = side / max(width, height)
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    bitmap = PdfBitmap.new_native(wide, high, raw.FPDFBitmap_BGR, rev_byteorder=False)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, wide, high)
    deadline = time.monotonic() + seconds
    pause = raw.IFSDK_PAUSE(version=1)
    pause.NeedToPauseNow = type(pause.NeedToPauseNow)(lambda _pause: time.monotonic() > deadline)
    done = raw.FPDF_RenderPageBitmap_Start(bitmap, page, 0, 0, wide, high, 0, raw.FPDF_ANNOT, pause)
    raw.FPDF_RenderPage_Close(page)
    return bitmap.to_pil() if done == raw.FPDF_RENDER_DONE else None


def ocr_side(page: PdfPage) -> int:
    """Return how many pixels the longer side of `page` needs for its letters to be recognised."""
    longer = max(page.get_size()) * _OCR_DPI / _POINTS_PER_INCH
    low, high = _OCR_SIDES
    return round(min(high, max(low, longer))) if math.isfinite(longer) else low
