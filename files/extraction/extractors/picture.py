"""Pictures through Pillow: their facts without decoding, their text by recognition, a thumbnail."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from files.extraction.base import Extractor, Source
from files.extraction.document import THUMBNAIL_PIXELS, Coverage, Metadata, Piece, Place, Segment
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import MalformedFile, TooManyPixels, as_warning
from files.extraction.formats.media.captions import caption
from files.extraction.formats.media.picture_facts import CAPTION_LABELS, exif_facts, iptc_facts, xmp_facts
from files.extraction.formats.media.picture_headers import header_facts
from files.extraction.formats.media.pictures import DAMAGE, decoded, opened, thumbnail_of
from files.extraction.limits import Limits
from files.extraction.ocr.reading import SIDE, PageReader

if TYPE_CHECKING:
    from PIL.Image import Exif, Image

_HEAD = 256 * 1024
_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I": 32, "F": 32}
_IPTC_BLOCK, _EXIF_BLOCK, _XMP_BLOCK = 1028, 1058, 1060
_PNG_TEXTS = {"creation time": "created", "software": "application", "source": "camera_model"}
_FRAMES_BYTES = 64 << 20
_TEXT_CHARS = 20_000
_TEXTS = 100


class PictureExtractor(Extractor):
    """Reads JPEG, PNG, GIF, TIFF, BMP, WEBP, AVIF, JPEG 2000, PSD and icons. Its facts alone are a complete reading."""

    expects_text = False

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield metadata, a caption of its words, recognised text per page, and a thumbnail.

        A picture above the pixel limit gives its metadata and the warning `too_many_pixels`, a damaged one `malformed`.
        """
        facts: dict[str, object] = {}
        try:
            with opened(source.path) as image:
                facts = _facts(image, source)
                yield Metadata(facts)
                if words := caption(facts, CAPTION_LABELS):
                    yield words
                yield from _Content(image, source, limits).pieces()
        except (MalformedFile, TooManyPixels) as error:
            if not facts:
                with source.path.open("rb") as file:
                    facts = header_facts(file.read(_HEAD))
                if not facts:
                    raise
                yield Metadata(facts)
            yield as_warning(error)


class _Content:
    """What is to be seen in one picture."""

    def __init__(self, image: Image, source: Source, limits: Limits) -> None:
        self._image = image
        self._options = source.options
        self._limits = limits
        self._ocr = PageReader(source.options, limits)
        # Fax and scanner software writes one page per frame; the frames of other formats are one moving picture.
        self._pages = _frames(image) if image.format == "TIFF" else 1
        self._is_scan = image.format == "TIFF" and (self._pages > 1 or image.mode == "1")

    def pieces(self) -> Iterator[Piece]:
        """Yield recognised text, page after page, and a thumbnail of the first."""
        unread: list[int] = []
        for number in range(1, self._pages + 1):
            if number > 1 and not self._ocr.can_go_on:
                unread += range(number, self._pages + 1)
                break
            try:
                yield from self._page(number)
            except DAMAGE as exc:
                raise MalformedFile(f"Page {number} of this picture is damaged.") from exc
            if self._pages > 1:
                yield Coverage("pages", number, self._pages)
        yield Metadata(self._ocr.facts)
        if self._is_scan and (unread or not self._ocr.is_there):
            yield PieceWarning("needs_ocr", self._complaint(len(unread)))

    def _page(self, number: int) -> Iterator[Piece]:
        first = number == 1
        wants_thumbnail = first and self._options.thumbnails
        if not (wants_thumbnail or self._ocr.can_go_on):
            return
        if not first:
            self._image.seek(number - 1)
        page = decoded(self._image, self._limits, side=SIDE if self._ocr.can_go_on else THUMBNAIL_PIXELS)
        if self._pages == 1:
            self._image.close()  # its pixels take memory that recognition needs
        if wants_thumbnail and (small := thumbnail_of(page)):
            yield small
        if self._ocr.can_go_on:
            place = Place(page=number) if self._pages > 1 else Place()
            yield from (Segment(text, place=place) for text in self._ocr.passages(page) or ())

    def _complaint(self, unread: int) -> str:
        if self._ocr.is_there:
            return f"{unread} of {self._pages} pages were not searched for text: the limit for that was reached."
        return "This is a scan, and no engine that could read its text is installed or switched on."


def _facts(image: Image, source: Source) -> dict[str, object]:
    """Return what the picture says about itself. EXIF wins over IPTC, IPTC over XMP, except for words of no content."""
    facts: dict[str, object] = {"format": "JPEG" if image.format == "MPO" else image.format}
    facts.update(width=image.width, height=image.height, color_mode=image.mode, bit_depth=_bit_depth(image, source))
    facts.update(_dpi(image))
    if (frames := _frames(image, source.path.stat().st_size)) > 1:
        facts["page_count" if image.format == "TIFF" else "frame_count"] = frames
    exif, iptc, xmp = _blocks(image)
    for found in (exif, iptc, xmp, _texts(image)):
        facts.update({key: value for key, value in found.items() if key not in facts})
    return {key: value for key, value in facts.items() if value not in (None, "")}


def _blocks(image: Image) -> tuple[dict[str, object], dict[str, object], dict[str, object]]:
    """Return the facts of the EXIF, IPTC and XMP blocks, wherever the format keeps them."""
    blocks = image.info.get("photoshop")
    blocks = dict(blocks) if isinstance(blocks, dict) else {}
    blocks.update({number: data for number, _, data in getattr(image, "resources", [])})  # PSD
    try:
        exif = _exif(image)
        if not exif and isinstance(blocks.get(_EXIF_BLOCK), bytes):
            exif.load(blocks[_EXIF_BLOCK])
        facts = exif_facts(exif)
        iptc = blocks.get(_IPTC_BLOCK) or exif.get(0x83BB)
        xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or blocks.get(_XMP_BLOCK) or exif.get(700)
    except DAMAGE:
        return {"unreadable_metadata": "EXIF"}, {}, {}
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    return (
        facts,
        iptc_facts(iptc) if isinstance(iptc, bytes) else {},
        xmp_facts(xmp) if isinstance(xmp, bytes) else {},
    )


def _exif(image: Image) -> Exif:
    from PIL.Image import Image as AnyImage

    # That of a PNG decodes the whole picture first, to look behind it.
    return AnyImage.getexif(image) if image.format == "PNG" else image.getexif()


def _texts(image: Image) -> dict[str, object]:
    """Return the texts of a PNG under standard keys, and the comments of the other formats."""
    if image.format != "PNG":
        comments = [data for mark, data in getattr(image, "applist", []) if mark == "COM"]
        comments = comments or [image.info.get("comment", b"")]
        return {"comment": "\n".join(text for comment in comments[:_TEXTS] if (text := _decoded(comment)))}
    facts: dict[str, object] = {}
    more = []
    for name, value in list(image.info.items())[:_TEXTS]:
        key = str(name)
        if not isinstance(value, str) or key.startswith(("XML:", "Raw profile")) or not value.strip():
            continue
        known = _PNG_TEXTS.get(key.lower(), key.lower())
        if known in ("title", "author", "description", "copyright", "comment", *_PNG_TEXTS.values()):
            facts[known] = value[:_TEXT_CHARS]
        else:
            more.append(f"{key}: {value[:_TEXT_CHARS]}")
    if more:
        facts["comment"] = "\n".join([str(facts.get("comment", "")), *more]).strip()
    return facts


def _decoded(comment: object) -> str:
    if not isinstance(comment, bytes):
        return str(comment).strip()[:_TEXT_CHARS]
    comment = comment[:_TEXT_CHARS].strip(b"\0 \r\n")
    try:
        return comment.decode("utf-8")
    except UnicodeDecodeError:
        return comment.decode("latin-1")


def _bit_depth(image: Image, source: Source) -> int:
    if image.format == "PNG":  # Pillow tells the depth of what it decodes to
        with source.path.open("rb") as file:
            return file.read(25)[24]
    bits = getattr(image, "tag_v2", {}).get(258)
    if isinstance(bits, tuple) and bits and isinstance(bits[0], int):
        return bits[0]
    return _BITS.get(image.mode, 8)


def _dpi(image: Image) -> dict[str, object]:
    given = image.info.get("dpi")
    if not (isinstance(given, tuple) and len(given) == 2):
        return {}
    values = [float(value) for value in given if math.isfinite(float(value)) and 1 <= float(value) <= 100_000]
    return {"dpi": round(values[0], 2)} if len(values) == 2 else {}


def _frames(image: Image, size: int = 0) -> int:
    """Return how many frames there are; 1 where counting them would take long or fails."""
    if size > _FRAMES_BYTES and image.format == "GIF":  # counted by walking through all of them
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except DAMAGE:
        return 1
