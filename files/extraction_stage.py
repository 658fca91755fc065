"""First stage: bytes to segments, read in a child process, stored under a new generation and then made current."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from uuid import UUID

from django.db.models import F

from files import extraction_settings, storage
from files.extraction.detection import detect
from files.extraction.document import Segment
from files.extraction.sandbox import extract_in_sandbox
from files.findings import Findings, place_as_json
from files.models import FileRecord, FileSegment, FileThumbnail
from files.pipeline import Stage, StageContext
from files.states import record_event
from orchestra.common import failpoints

_BATCH = 200
_LOOK_EVERY = 1.0  # seconds between two looks at whether the job is still ours, while a reader is silent


class ExtractStage(Stage):
    """Reads the file's text, structure and metadata."""

    name = "extract"

    def run(self, context: StageContext) -> None:
        """Store the segments of a new generation, then switch the file to it."""
        file = context.file
        with storage.storage_of(file).local(file.storage_key, file.sha256) as path:
            reading = _Reading(context, path)
            reading.to_the_end()
        with context.fenced():
            _switch(context.file, context.claim.attempt, reading.findings)
            failpoints.reach("extract.switching")
        failpoints.reach("extract.switched")

    def discard(self, file_id: UUID) -> None:
        """Remove the file's segments and its thumbnail."""
        FileSegment.objects.filter(file_id=file_id).delete()
        FileThumbnail.objects.filter(file_id=file_id).delete()


class _Reading:
    """One reading of a file, stored in batches. Where the reader is slow, they are small and the next stage begins."""

    def __init__(self, context: StageContext, path: Path) -> None:
        self._context = context
        self._file = context.file
        self._path = path
        self._generation = context.claim.attempt
        self.findings = Findings(name_mismatch=_find_type(context.file, path))
        self._rows: list[FileSegment] = []
        self._more_ahead = False
        self._looked = 0.0

    def to_the_end(self) -> None:
        """Read and store everything under the new generation."""
        with self._context.fenced():
            # Rows of attempts that died before their switch. A worker that was frozen here and is late removes nothing.
            FileSegment.objects.filter(file=self._file).exclude(generation=self._file.generation).delete()
        failpoints.reach("extract.begun")
        source = extraction_settings.source_for(self._path, self._file.name, self._file.media_type)
        with contextlib.closing(extract_in_sandbox(source, extraction_settings.limits(), self._meanwhile)) as pieces:
            for ordinal, segment in enumerate(self.findings.segments_of(pieces)):
                self._rows.append(self._row(ordinal, segment))
                if len(self._rows) == _BATCH:
                    self._store()
        self._store()

    def _row(self, ordinal: int, segment: Segment) -> FileSegment:
        place = place_as_json(segment.place)
        return FileSegment(
            file=self._file,
            generation=self._generation,
            ordinal=ordinal,
            kind=segment.kind,
            text=segment.text,
            place=place,
        )

    def _store(self) -> None:
        if self._rows:
            with self._context.fenced():  # nothing is left behind a job that was cancelled or taken over
                FileSegment.objects.bulk_create(self._rows)
            failpoints.reach("extract.stored")
            self._rows.clear()
            self._more_ahead = True
            self._report()

    def _meanwhile(self) -> bool:
        """Use the time in which the reader is silent; return whether there is more to do."""
        self._store()
        if time.monotonic() - self._looked > _LOOK_EVERY:
            self._report()
        if self._more_ahead:
            _describe(self._file, self._generation, self.findings)
            self._more_ahead = self._context.step_ahead()
        return self._more_ahead

    def _report(self) -> None:
        self._looked = time.monotonic()
        coverage = self.findings.coverage
        if coverage is not None:
            self._context.report(coverage.done, coverage.total, coverage.unit)
        else:
            self._context.report(self.findings.segments, 0, "passages")


def _find_type(file: FileRecord, path: Path) -> str:
    """Look at the content anew: this version may know the type better than the one that took the file in.

    Return a sentence when the name claims another type.
    """
    found = detect(path, file.name)
    file.media_type, file.kind = found.media_type, found.kind
    return found.mismatch


def _describe(file: FileRecord, generation: int, findings: Findings) -> None:
    """Set what the reading has found of the file so far, on the object alone."""
    file.generation = generation
    file.metadata = findings.metadata
    file.language = _language(file, findings)
    file.segment_count, file.character_count = findings.segments, findings.characters


def _language(file: FileRecord, findings: Findings) -> str:
    return "" if file.kind == "code" else findings.language


def _switch(file: FileRecord, generation: int, findings: Findings) -> None:
    FileRecord.objects.filter(pk=file.pk).update(
        generation=generation,
        media_type=file.media_type,
        kind=file.kind,
        metadata=findings.metadata,
        warnings=findings.warnings,
        language=_language(file, findings),
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
