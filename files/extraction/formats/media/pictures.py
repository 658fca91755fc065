"""Pillow behind a guard: open a picture for its facts, decode it only within the pixel limit, make it small.

Used by the readers of pictures and by those that meet one inside something else: a cover, a scanned page.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from files.extraction.document import THUMBNAIL_BYTES, THUMBNAIL_PIXELS, Thumbnail
from files.extraction.errors import MalformedFile, TooManyPixels
from files.extraction.limits import Limits

if TYPE_CHECKING:
    from PIL.Image import Image

# What Pillow's plugins raise on damaged files, all of it seen.
DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    AssertionError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zlib.error,
)
_MODES_TO_SCALE = ("L", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I;16")
_QUALITIES = (80, 60, 40, 20)
_PALETTE_PIXELS = 20_000_000


@contextmanager
def opened(source: Path | bytes) -> Iterator[Image]:
    """Open a picture without decoding it, whatever size it claims. Raises MalformedFile."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about damaged tags: told by what is missing
        Image.MAX_IMAGE_PIXELS = None  # `decoded` holds the limit; the facts of a larger picture are still wanted
        try:
            image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
        except DAMAGE as exc:
            raise MalformedFile from exc
        with image:
            yield image


def decoded(image: Image, limits: Limits, *, side: int = 0) -> Image:
    """Decode `image`, at a lower resolution where `side` pixels suffice and the format can. Turns it as its EXIF says.

    Raises TooManyPixels before anything is decoded, MalformedFile.
    """
    from PIL import Image, ImageOps

    if side:
        image.draft("RGB", (2 * side, 2 * side))
    check_pixels(image.size, limits)
    Image.MAX_IMAGE_PIXELS = limits.pixels  # for pictures inside the picture, such as an icon's
    try:
        image.load()
        if side and max(image.size) > side:
            image = shrunk(image, side)
        return ImageOps.exif_transpose(image)
    except DAMAGE as exc:
        raise MalformedFile("This picture is damaged or incomplete.") from exc
    finally:
        Image.MAX_IMAGE_PIXELS = None


def check_pixels(size: tuple[int, int], limits: Limits) -> None:
    """Raise TooManyPixels for a picture that is larger than the limit."""
    width, height = size
    if width * height > limits.pixels:
        raise TooManyPixels(
            f"This picture has {width} x {height} pixels; the limit is {limits.pixels // 1_000_000} million."
        )


def shrunk(image: Image, side: int) -> Image:
    """Return `image` with its longer side at `side` pixels. Palettes become colours, after a cheap step if huge."""
    from PIL.Image import Resampling

    if image.mode not in _MODES_TO_SCALE:
        if image.width * image.height > _PALETTE_PIXELS:
            image = image.copy()
            image.thumbnail((4 * side, 4 * side), resample=Resampling.NEAREST)
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    small = image.copy() if max(image.size) < 4 * side else image
    small.thumbnail((side, side), reducing_gap=2.0)
    return small


def thumbnail_of(image: Image) -> Thumbnail | None:
    """Return a decoded picture as a thumbnail; None when it does not fit into THUMBNAIL_BYTES at any quality."""
    small = shrunk(image, THUMBNAIL_PIXELS) if max(image.size) > THUMBNAIL_PIXELS else image
    if small.mode not in ("RGB", "RGBA"):
        small = small.convert("RGBA" if small.mode in ("LA", "PA") or "transparency" in small.info else "RGB")
    for quality in _QUALITIES:
        out = io.BytesIO()
        small.save(out, "WEBP", quality=quality, method=2, exif=b"", xmp=b"", icc_profile=None)
        if out.tell() <= THUMBNAIL_BYTES:
            return Thumbnail(out.getvalue(), "image/webp", small.width, small.height)
    return None


def cover_thumbnail(data: bytes, limits: Limits) -> Thumbnail | None:
    """Return the thumbnail of a picture that came with something else; None when it cannot be had."""
    try:
        with opened(data) as image:
            return thumbnail_of(decoded(image, limits, side=THUMBNAIL_PIXELS))
    except (MalformedFile, TooManyPixels, *DAMAGE):
        return None
