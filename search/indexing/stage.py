"""Second stage: segments to chunks to vectors, made visible in one transaction.

Before it: `files.extraction_stage`. After it the file is found by meaning and by word.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from uuid import UUID

from django.conf import settings
from django.db.models import F

from files.extraction.document import Segment, SegmentKind
from files.findings import place_from_json
from files.models import FileRecord
from files.pipeline import Stage, StageContext
from files.selectors import segments_of
from search import spaces
from search.indexing import languages, writing
from search.indexing.chunking import ChunkOptions, chunk_segments
from search.indexing.context import title_of, with_context
from search.indexing.spool import ChunkSpool

_BATCH = 32
_FIRST_SEGMENTS = 200


class IndexStage(Stage):
    """Chunks, embeds and indexes the file's current segments."""

    name = "index"

    def run(self, context: StageContext) -> None:
        """Embed everything into a spool, then swap old rows for new ones in one fenced transaction."""
        file = context.file
        space = spaces.for_writing()
        embedder = spaces.embedder_of(space)
        options = ChunkOptions(settings.CHUNK_SIZE, settings.CHUNK_OVERLAP, embedder.max_tokens)
        reading = _Reading(file)
        beginning = reading.beginning()
        title = title_of(file.metadata, file.name, beginning)
        language = languages.of_file(file.kind, file.language, beginning)
        with ChunkSpool() as spool:
            chunks = chunk_segments(reading.segments(), options, embedder)
            while batch := list(itertools.islice(chunks, _BATCH)):
                texts = [with_context(chunk, title, embedder.max_tokens, embedder.count_tokens) for chunk in batch]
                spool.add(batch, embedder.embed_passages(texts))
                context.report(min(reading.characters, file.character_count), file.character_count, "characters")
            with context.fenced():
                writing.replace(file, context.claim.attempt, spool, space, language.of_words)
                FileRecord.objects.filter(pk=file.pk).update(
                    chunk_count=spool.count, language=language.of_record, version=F("version") + 1
                )

    def discard(self, file_id: UUID) -> None:
        """Remove the file's passages, vectors and words."""
        writing.remove(file_id)


class _Reading:
    """The file's segments, counting what was handed out."""

    def __init__(self, file: FileRecord) -> None:
        self._file = file
        self.characters = 0

    def beginning(self) -> str:
        """Return enough of the text to tell its title and its language from."""
        texts = segments_of(self._file).values_list("text", flat=True)[:_FIRST_SEGMENTS]
        return languages.sample(texts.iterator(chunk_size=50))

    def segments(self) -> Iterator[Segment]:
        for row in segments_of(self._file).iterator(chunk_size=200):
            self.characters += len(row.text)
            yield Segment(row.text, SegmentKind(row.kind), place_from_json(row.place))
