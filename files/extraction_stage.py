"""First stage: bytes to segments, read in a child process, stored under a new generation and then made current."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Generator
from uuid import UUID

from django.db.models import F

from files import extraction_settings, storage
from files.extraction.detection import detect
from files.extraction.document import Piece, Segment
from files.extraction.sandbox import extract_in_sandbox
from files.findings import Findings, place_as_json
from files.models import FileRecord, FileSegment, FileThumbnail
from files.pipeline import Stage, StageContext
from files.states import record_event

_BATCH = 200


class ExtractStage(Stage):
    """Reads the file's text, structure and metadata."""

    name = "extract"

    def run(self, context: StageContext) -> None:
        """Store the segments of a new generation, then switch the file to it."""
        findings = Findings()
        file, generation = context.file, context.claim.attempt
        findings.name_mismatch = _find_type(file)
        # Rows of an attempt that died before its switch.
        FileSegment.objects.filter(file=file, generation__gte=generation).delete()
        with contextlib.closing(_pieces(file)) as pieces:
            segments = enumerate(findings.segments_of(pieces))
            while batch := list(itertools.islice(segments, _BATCH)):
                FileSegment.objects.bulk_create(_row(file, generation, *numbered) for numbered in batch)
                _report(context, findings)
        with context.fenced():
            _switch(file, generation, findings)

    def discard(self, file_id: UUID) -> None:
        """Remove the file's segments and its thumbnail."""
        FileSegment.objects.filter(file_id=file_id).delete()
        FileThumbnail.objects.filter(file_id=file_id).delete()


def _find_type(file: FileRecord) -> str:
    """Look at the content anew: this version may know the type better than the one that took the file in.

    Return a sentence when the name claims another type.
    """
    found = detect(storage.path_of(file.storage_key), file.name)
    file.media_type, file.kind = found.media_type, found.kind
    return found.mismatch


def _pieces(file: FileRecord) -> Generator[Piece]:
    source = extraction_settings.source_for(storage.path_of(file.storage_key), file.name, file.media_type)
    return extract_in_sandbox(source, extraction_settings.limits())


def _row(file: FileRecord, generation: int, ordinal: int, segment: Segment) -> FileSegment:
    place = place_as_json(segment.place)
    return FileSegment(
        file=file, generation=generation, ordinal=ordinal, kind=segment.kind, text=segment.text, place=place
    )


def _report(context: StageContext, findings: Findings) -> None:
    if findings.coverage is not None:
        context.report(findings.coverage.done, findings.coverage.total, findings.coverage.unit)
    else:
        context.report(findings.segments, 0, "passages")


def _switch(file: FileRecord, generation: int, findings: Findings) -> None:
    FileRecord.objects.filter(pk=file.pk).update(
        generation=generation,
        media_type=file.media_type,
        kind=file.kind,
        metadata=findings.metadata,
        warnings=findings.warnings,
        language="" if file.kind == "code" else findings.language,
        reader=findings.reader.reader,
        has_thumbnail=findings.thumbnail is not None,
        segment_count=findings.segments,
        character_count=findings.characters,
        version=F("version") + 1,
    )
    FileSegment.objects.filter(file=file).exclude(generation=generation).delete()
    _keep_thumbnail(file, findings)
    gave_up = [{"reader": name, "code": code} for name, code in findings.reader.gave_up]
    file.refresh_from_db(fields=("version", "status"))
    record_event(file, "text_read", findings.sentence(), reader=findings.reader.reader, gave_up=gave_up)


def _keep_thumbnail(file: FileRecord, findings: Findings) -> None:
    picture = findings.thumbnail
    if picture is None:
        FileThumbnail.objects.filter(file=file).delete()
        return
    values = {"data": picture.data, "media_type": picture.media_type, "width": picture.width, "height": picture.height}
    FileThumbnail.objects.update_or_create(file=file, defaults=values)
