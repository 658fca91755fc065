"""Sound that tinytag refuses, through mutagen: APE, Musepack, damaged headers. Tags that unpack are refused first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece
from files.extraction.errors import MalformedFile, UnsafeArchive
from files.extraction.formats.media.captions import caption
from files.extraction.formats.media.recordings import LABELS, TEXTS, texts, transcript
from files.extraction.limits import Limits

_FIGURES = {
    "length": "duration",
    "sample_rate": "sample_rate",
    "channels": "channels",
    "bitrate": "bit_rate",
    "bits_per_sample": "bit_depth",
}
_EASY = {
    "title": "title",
    "artist": "artist",
    "albumartist": "album_artist",
    "album": "album",
    "composer": "composer",
    "genre": "genre",
    "date": "year",
    "copyright": "copyright",
    "lyricist": "lyricist",
    "conductor": "conductor",
    "comment": "comment",
    "description": "description",
    "lyrics": "lyrics",
}
_ID3_HEAD = 10
_ID3_PACKED = 0x08  # frame flag of ID3v2.4: zlib
_ID3_PACKED_OLD = 0x80  # of ID3v2.3
_TAG_BYTES = 16 << 20
_FRAMES = 5_000


class MutagenSoundExtractor(Extractor):
    """Takes over where the first reader gives up."""

    expects_text = False

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield metadata, a caption of the tags and the texts in them."""
        _refuse_packed_tags(source)
        found = _read(source)
        facts = _facts(found)
        if "duration" not in facts:
            raise MalformedFile
        yield Metadata({key: value for key, value in facts.items() if key not in TEXTS})
        if words := caption(facts, LABELS):
            yield words
        yield from texts(facts)
        yield from transcript(source, limits)


def _read(source: Source) -> Any:
    import mutagen

    try:
        found = mutagen.File(source.path, easy=True)
    except (mutagen.MutagenError, ValueError, OverflowError, EOFError, KeyError, TypeError, IndexError) as exc:
        raise MalformedFile from exc
    if found is None or found.info is None:
        raise MalformedFile
    return found


def _facts(found: Any) -> dict[str, object]:
    facts: dict[str, object] = {}
    for name, key in _FIGURES.items():
        value = getattr(found.info, name, None)
        if isinstance(value, (int, float)) and 0 < value < 1e9:
            facts[key] = round(value, 3) if isinstance(value, float) else value
    for name, key in _EASY.items():
        values = found.tags.get(name) if found.tags is not None else None
        given = [str(value).strip() for value in values[:50]] if isinstance(values, list) else []
        if given and given[0]:
            facts[key] = given[0] if len(given) == 1 else given
    return facts


def _refuse_packed_tags(source: Source) -> None:
    """Raise UnsafeArchive for an ID3 tag with compressed frames: mutagen unpacks them without a bound.

    Only taggers of the last century wrote such frames, for pictures.
    """
    with source.path.open("rb") as file:
        head = file.read(_ID3_HEAD)
        if not head.startswith(b"ID3") or len(head) < _ID3_HEAD:
            return
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        tag = file.read(min(size, _TAG_BYTES))
    packed = _ID3_PACKED if head[3] >= 4 else _ID3_PACKED_OLD
    at = 0
    for _ in range(_FRAMES):
        frame = tag[at : at + 10]
        if len(frame) < 10 or not re.fullmatch(rb"[A-Z0-9]{4}", frame[:4]):
            return
        if frame[9] & packed:
            raise UnsafeArchive("The tags of this recording are compressed, so they were not opened.")
        at += 10 + _frame_size(frame[4:8], head[3])
    raise UnsafeArchive("This recording has far too many tags, so they were not opened.")


def _frame_size(size: bytes, version: int) -> int:
    if version >= 4:
        return sum((byte & 0x7F) << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True))
    return int.from_bytes(size, "big")
