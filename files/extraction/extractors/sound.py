"""Sound: tags and figures by tinytag, codec and chapters by MediaInfo. Nothing is decoded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece
from files.extraction.errors import MalformedFile
from files.extraction.formats.media.captions import caption
from files.extraction.formats.media.media_streams import Recording, probe
from files.extraction.formats.media.pictures import cover_thumbnail
from files.extraction.formats.media.recordings import LABELS, TEXTS, chapters, texts, transcript
from files.extraction.limits import Limits

if TYPE_CHECKING:
    from tinytag import TinyTag

_FIGURES = {"duration": "duration", "samplerate": "sample_rate", "channels": "channels", "bitdepth": "bit_depth"}
_TAGS = {
    "title": "title",
    "artist": "artist",
    "albumartist": "album_artist",
    "album": "album",
    "composer": "composer",
    "genre": "genre",
    "track": "track",
    "track_total": "track_count",
    "disc": "disc",
    "year": "year",
    "comment": "comment",
    "lyrics": "lyrics",
    "description": "description",
    "copyright": "copyright",
    "publisher": "publisher",
    "language": "language",
    "isrc": "isrc",
    "lyricist": "lyricist",
    "conductor": "conductor",
    "subtitle": "subtitle",
    "bpm": "bpm",
    "keywords": "keywords",
    "set_subtitle": "subtitle",
    "podcast_description": "description",
    "unsyncedlyrics": "lyrics",
}
_NUMBERS = ("track", "track_count", "disc")
_LRC_MARK = re.compile(r"^(?:\[\d{1,3}:\d{2}(?:[.:]\d{1,3})?\])+\s*", re.M)
_MAX_VALUES = 50


class SoundExtractor(Extractor):
    """Reads MP3, WAV, FLAC, Ogg, Opus, M4A, AIFF and WMA. Its facts alone are a complete reading."""

    expects_text = False

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield metadata, a caption of the tags, comments and lyrics, chapters with their second, the cover."""
        tag = _read(source)
        found = _streams(source)
        facts = {**found.facts, **_facts(tag)}
        if "duration" not in facts and "audio_codec" not in facts:
            raise MalformedFile
        facts["codec"] = facts.get("audio_codec", "")
        yield Metadata({key: value for key, value in facts.items() if key not in TEXTS})
        if words := caption(facts, LABELS):
            yield words
        yield from texts(facts)
        yield from chapters(found.chapters)
        yield from transcript(source, limits)
        cover = tag.images.any
        data = cover.data if cover and cover.data else found.cover
        if data and source.options.thumbnails and (small := cover_thumbnail(data, limits)):
            yield small


def _read(source: Source) -> TinyTag:
    from tinytag import TinyTag, TinyTagException

    try:
        with source.path.open("rb") as file:
            return TinyTag.get(file_obj=file, image=source.options.thumbnails)
    except TinyTagException as exc:
        raise MalformedFile from exc


def _streams(source: Source) -> Recording:
    """Return what MediaInfo adds; nothing where it cannot read the file, as the tags do not depend on it."""
    try:
        return probe(source.path)
    except MalformedFile:
        return Recording()


def _facts(tag: TinyTag) -> dict[str, object]:
    told = tag.as_dict()
    facts: dict[str, object] = {}
    for name, key in _FIGURES.items():
        value = told.get(name)
        if isinstance(value, (int, float)) and 0 < value < 1e9:
            facts[key] = round(value, 3) if isinstance(value, float) else value
    if tag.bitrate and 0 < tag.bitrate < 1e7:
        facts["bit_rate"] = round(tag.bitrate * 1000)
    for name, key in _TAGS.items():
        values = told.get(name)
        if isinstance(values, list) and (texts := [text for value in values[:_MAX_VALUES] if (text := value.strip())]):
            facts.setdefault(key, texts[0] if len(texts) == 1 else texts)
    facts.update({key: int(str(facts[key])) for key in _NUMBERS if str(facts.get(key, "")).isdigit()})
    if isinstance(lyrics := facts.get("lyrics"), str):
        facts["lyrics"] = _LRC_MARK.sub("", lyrics)
    return facts
