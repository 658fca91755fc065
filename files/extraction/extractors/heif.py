"""HEIC and AVIF by their boxes: size and camera data. The picture itself is not decoded, so it has no thumbnail."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece
from files.extraction.formats.media.captions import caption
from files.extraction.formats.media.heif_boxes import heif_facts
from files.extraction.formats.media.picture_facts import CAPTION_LABELS, exif_facts, xmp_facts
from files.extraction.formats.media.pictures import DAMAGE
from files.extraction.limits import Limits

_TURNED = {0: 1, 1: 8, 2: 3, 3: 6}  # EXIF's numbers for a picture that is stored turned so many quarters


class HeifExtractor(Extractor):
    """Reads what cameras write into HEIC. Its facts alone are a complete reading."""

    expects_text = False

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield metadata and a caption of its words."""
        with source.path.open("rb") as file:
            boxes = heif_facts(file)
        facts: dict[str, object] = {
            "format": "AVIF" if boxes.codec == "av1" else "HEIC",
            "width": boxes.width,
            "height": boxes.height,
            "bit_depth": boxes.bit_depth or 8,
            "codec": boxes.codec,
            "orientation": _TURNED[boxes.turns],
        }
        if boxes.exif:
            found = _exif(boxes.exif)
            facts.update({key: value for key, value in found.items() if key not in facts})
        facts.update({key: value for key, value in xmp_facts(boxes.xmp).items() if key not in facts})
        yield Metadata(facts)
        if words := caption(facts, CAPTION_LABELS):
            yield words


def _exif(block: bytes) -> dict[str, object]:
    from PIL.Image import Exif

    exif = Exif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about damaged tags: told by what is missing
        try:
            exif.load(b"Exif\x00\x00" + block.removeprefix(b"Exif\x00\x00"))
        except DAMAGE:
            return {"unreadable_metadata": "EXIF"}
        return exif_facts(exif)
