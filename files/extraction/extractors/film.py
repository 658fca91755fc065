"""Films, and the recordings that only MediaInfo knows: streams, tags, chapters and cover. Nothing is decoded."""

from __future__ import annotations

from collections.abc import Iterator

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece
from files.extraction.formats.media.captions import caption
from files.extraction.formats.media.media_streams import probe
from files.extraction.formats.media.pictures import cover_thumbnail
from files.extraction.formats.media.recordings import LABELS, TEXTS, chapters, texts, transcript
from files.extraction.limits import Limits


class FilmExtractor(Extractor):
    """Reads what the container says. Its facts alone are a complete reading."""

    expects_text = False

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield metadata, a caption of the tags, long texts, chapters with their second, what is said, a thumbnail."""
        film = probe(source.path)
        yield Metadata({key: value for key, value in film.facts.items() if key not in TEXTS})
        if words := caption(film.facts, LABELS):
            yield words
        yield from texts(film.facts)
        yield from chapters(film.chapters)
        yield from transcript(source, limits)
        if film.cover and source.options.thumbnails and (small := cover_thumbnail(film.cover, limits)):
            yield small
