"""Second stage: segments to chunks to vectors, made visible in one transaction.

Before it: `files.extraction_stage`. After it the file is found by meaning and by word.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from uuid import UUID

from django.conf import settings
from django.db.models import F

from files.extraction.document import Segment, SegmentKind
from files.findings import place_from_json
from files.models import FileRecord
from files.pipeline import Stage, StageContext
from files.selectors import segments_of
from orchestra.common import failpoints
from search import metrics, spaces
from search.indexing import languages, mentions, shelving, writing
from search.indexing.about import About
from search.indexing.chunking import Chunk, ChunkOptions, chunk_stream
from search.indexing.context import with_context
from search.indexing.embedding import Embedder
from search.indexing.languages import FileLanguage
from search.indexing.posting_spool import PostingSpool
from search.indexing.spool import ChunkSpool
from search.retrieval import Space

_BATCH = 32
_PAGE = 200
_ENOUGH = languages.SAMPLE_CHARACTERS  # to tell title and language from; less than a batch of passages in any case


class IndexStage(Stage):
    """Chunks, embeds and indexes the file's current segments."""

    name = "index"

    def run(self, context: StageContext) -> None:
        """Embed everything into a spool, then swap old rows for new ones in one fenced transaction."""
        for _ in self.steps(context):
            pass

    def steps(self, context: StageContext) -> Generator[bool]:
        """Do so in steps of one batch, the first ones while the text is still being read.

        Every passage is embedded with the title, and title and language may be told by the last page. What was made
        ahead is kept only where the title is the same in the end, so that the result is that of a file read before.
        """
        while not context.complete and context.file.character_count < _ENOUGH:
            yield False
        space, ahead, about = spaces.for_writing(), not context.complete, About.of(context.file)
        with ChunkSpool() as spool, PostingSpool(about.configuration, code=context.file.kind == "code") as postings:
            yield from _embedded(context, spaces.embedder_of(space), about.title, spool, postings)
            title, about = about.title, About.of(context.file) if ahead else about
            if about.title == title:
                postings.finish()
                with context.fenced():
                    _replace(context, space, spool, postings, about.language)
                return
        yield from self.steps(context)

    def discard(self, file_id: UUID) -> None:
        """Remove the file's passages, vectors and words, and its mention in what was searched and measured."""
        mentions.forget(file_id)
        writing.remove(file_id)

    def hide(self, file_id: UUID) -> None:
        """Take the file out of every search."""
        shelving.shelve(file_id)

    def show(self, file_id: UUID) -> None:
        """Let the file be found as before."""
        shelving.unshelve(file_id, FileRecord.objects.values_list("owner_id", flat=True).get(pk=file_id))


def _embedded(
    context: StageContext, embedder: Embedder, title: str, spool: ChunkSpool, postings: PostingSpool
) -> Generator[bool]:
    """Put all passages into the spools, in batches that do not depend on how much text was there when."""
    options = ChunkOptions(settings.CHUNK_SIZE, settings.CHUNK_OVERLAP, embedder.max_tokens)
    reading = _Reading(context)

    def add(batch: list[Chunk]) -> None:
        failpoints.reach("index.chunked")
        texts = [with_context(chunk, title, embedder.max_tokens, embedder.count_tokens) for chunk in batch]
        with metrics.embedding_of(len(texts)):
            vectors = embedder.embed_passages(texts)
        spool.add(batch, vectors)
        failpoints.reach("index.embedded")
        postings.add((chunk.ordinal, chunk.text) for chunk in batch)
        length = context.file.character_count
        context.report(min(reading.characters, length), length, "characters")

    batch: list[Chunk] = []
    for chunk in chunk_stream(reading.segments(), options, embedder):
        if chunk is None:
            yield False
            continue
        batch.append(chunk)
        if len(batch) == _BATCH:
            add(batch)
            batch = []
            yield True
    if batch:
        add(batch)


def _replace(
    context: StageContext, space: Space, spool: ChunkSpool, postings: PostingSpool, language: FileLanguage
) -> None:
    file, attempt = context.file, context.claim.attempt
    failpoints.reach("index.writing")
    writing.replace(file, attempt, spool, space, language.of_words, postings=postings)
    changes = {"chunk_count": spool.count, "language": language.of_record, "version": F("version") + 1}
    FileRecord.objects.filter(pk=file.pk).update(**changes)
    failpoints.reach("index.written")


class _Reading:
    """The file's segments, counting what was handed out."""

    def __init__(self, context: StageContext) -> None:
        self._context = context
        self.characters = 0

    def segments(self) -> Iterator[Segment | None]:
        """Yield the segments in order, and None where no more is stored so far."""
        after = -1
        while True:
            complete = self._context.complete  # looked at first: what is stored by then is all
            rows = list(segments_of(self._context.file).filter(ordinal__gt=after)[:_PAGE])
            for row in rows:
                self.characters += len(row.text)
                yield Segment(row.text, SegmentKind(row.kind), place_from_json(row.place))
                after = row.ordinal
            if len(rows) < _PAGE:
                if complete:
                    return
                yield None
