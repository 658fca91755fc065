"""First stage: bytes to segments, read in a child process, stored under a new generation and then made current."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, field
from uuid import UUID

from django.conf import settings
from django.db.models import F

from files import storage
from files.extraction.base import Source
from files.extraction.document import Coverage, Metadata, Piece, Place, ReadBy, Segment, Thumbnail
from files.extraction.document import Warning as PieceWarning
from files.extraction.limits import Limits
from files.extraction.sandbox import extract_in_sandbox
from files.models import FileRecord, FileSegment
from files.pipeline import Stage, StageContext

_BATCH = 200
_MAX_WARNINGS = 200


@dataclass
class _Findings:
    """What an extraction says beside its segments."""

    metadata: dict[str, object] = field(default_factory=dict)
    warnings: list[dict[str, object]] = field(default_factory=list)
    coverage: Coverage | None = None
    read_by: ReadBy | None = None
    thumbnail: Thumbnail | None = None
    segments: int = 0
    characters: int = 0


class ExtractStage(Stage):
    """Reads the file's text, structure and metadata."""

    name = "extract"

    def run(self, context: StageContext) -> None:
        """Store the segments of a new generation, then switch the file to it."""
        findings = _Findings()
        file, generation = context.file, context.claim.attempt
        # Rows of an attempt that died before its switch.
        FileSegment.objects.filter(file=file, generation__gte=generation).delete()
        with contextlib.closing(_pieces(file)) as pieces:
            rows = _rows(file, generation, pieces, findings)
            while batch := list(itertools.islice(rows, _BATCH)):
                FileSegment.objects.bulk_create(batch)
                _report(context, findings)
        with context.fenced():
            _switch(file, generation, findings)

    def discard(self, file_id: UUID) -> None:
        """Remove the file's segments."""
        FileSegment.objects.filter(file_id=file_id).delete()


def _pieces(file: FileRecord) -> Generator[Piece]:
    source = Source(path=storage.path_of(file.storage_key), name=file.name, media_type=file.media_type)
    limits = Limits(wall_seconds=settings.EXTRACTION_SECONDS, memory_bytes=settings.EXTRACTION_MEMORY_MB * 1024 * 1024)
    return extract_in_sandbox(source, limits)


def _rows(file: FileRecord, generation: int, pieces: Iterator[Piece], findings: _Findings) -> Iterator[FileSegment]:
    for piece in pieces:
        if isinstance(piece, Segment):
            yield FileSegment(
                file=file,
                generation=generation,
                ordinal=findings.segments,
                kind=piece.kind,
                text=piece.text,
                place=place_as_json(piece.place),
            )
            findings.segments += 1
            findings.characters += len(piece.text)
        else:
            _note(piece, findings)


def _note(piece: Piece, findings: _Findings) -> None:
    if isinstance(piece, Metadata):
        findings.metadata.update(piece.values)
    elif isinstance(piece, Coverage):
        findings.coverage = piece
    elif isinstance(piece, ReadBy):
        findings.read_by = piece
    elif isinstance(piece, Thumbnail):
        findings.thumbnail = piece
    elif isinstance(piece, PieceWarning) and len(findings.warnings) < _MAX_WARNINGS:
        warning: dict[str, object] = {"code": piece.code, "message": piece.message, "place": place_as_json(piece.place)}
        findings.warnings.append(warning)


def _report(context: StageContext, findings: _Findings) -> None:
    if findings.coverage is not None:
        context.report(findings.coverage.done, findings.coverage.total, findings.coverage.unit)
    else:
        context.report(findings.segments, 0, "passages")


def _switch(file: FileRecord, generation: int, findings: _Findings) -> None:
    if findings.coverage is not None:
        findings.metadata["coverage"] = asdict(findings.coverage)
    FileRecord.objects.filter(pk=file.pk).update(
        generation=generation,
        metadata=findings.metadata,
        warnings=findings.warnings,
        language=str(findings.metadata.get("language") or "")[:16],
        segment_count=findings.segments,
        character_count=findings.characters,
        version=F("version") + 1,
    )
    FileSegment.objects.filter(file=file).exclude(generation=generation).delete()


def place_as_json(place: Place) -> dict[str, object]:
    """Return a place without its empty fields."""
    return {key: value for key, value in asdict(place).items() if value not in (None, ())}


def place_from_json(value: dict[str, object]) -> Place:
    """Return the place that `place_as_json` wrote."""
    known = {key: item for key, item in value.items() if key in Place.__dataclass_fields__}
    headings, part = known.pop("headings", ()), known.pop("part", ())
    return Place(**known, headings=tuple(headings), part=tuple(part))  # type: ignore[arg-type]  # as place_as_json wrote
