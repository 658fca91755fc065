"""Makes the postings of indexed files again from their passages: no reading, no embedding.

For files that were indexed by an earlier analysis or under another default configuration. Until then they stay
findable as they are. File by file, each in a transaction of its own: it may be stopped and started again at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from files.models import FileRecord
from search.indexing import languages, writing
from search.indexing.keyword_rows import ANALYSIS
from search.models import IndexedFile, VectorChunk

_SAMPLED = 50


def outdated() -> QuerySet[IndexedFile]:
    """Return the files whose postings would come out differently now."""
    default = Q(language="") & ~Q(configuration=settings.TEXT_SEARCH_CONFIG)
    return IndexedFile.objects.filter(Q(analysis__lt=ANALYSIS) | default).order_by("number")


def rebuild_keywords(documents: QuerySet[IndexedFile]) -> Iterator[UUID]:
    """Make the postings of these files again, yielding each file's id when it is done."""
    for file_id in list(documents.values_list("pk", flat=True)):
        with transaction.atomic():
            document = IndexedFile.objects.select_for_update().filter(pk=file_id).first()
            if document is None:  # deleted, or being indexed anew
                continue
            _rebuild(document)
        yield file_id


def _rebuild(document: IndexedFile) -> None:
    file = FileRecord.objects.get(pk=document.pk)
    passages = VectorChunk.objects.filter(file=file).order_by("ordinal")
    found = passages.filter(disabled=False)
    beginning = languages.sample(passages.values_list("text", flat=True)[:_SAMPLED])
    language = languages.of_file(file.kind, file.language, beginning)
    FileRecord.objects.filter(pk=file.pk).exclude(language=language.of_record).update(language=language.of_record)
    document.language = language.of_words
    document.save(update_fields=("language",))
    writing.remove_keywords(file.pk)
    writing.write_keywords(document, file.kind, found.values_list("ordinal", "text").iterator(chunk_size=500))
