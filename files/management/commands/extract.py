"""`manage.py extract FILE`: what the pipeline would store of a file, without storing it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.markup import escape

from files import extraction_settings
from files.extraction.base import ExtractionError
from files.extraction.detection import detect
from files.extraction.document import Segment
from files.extraction.errors import SandboxUnavailable
from files.extraction.media_types import label_of
from files.extraction.sandbox import extract_in_sandbox
from files.findings import Findings, place_as_json
from files.places import describe_place


class Command(BaseCommand):
    """Reads one file as the extract stage does, in the same sandbox and under the same limits."""

    help = "Show what would be stored of a file: type, reader, metadata, warnings, and every piece of text."
    requires_system_checks: tuple[str, ...] = ()  # needs neither database nor Redis

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file and the form of the output."""
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--name", default="", help="read it under this name (default: its own)")

    def handle(self, *args: object, **options: object) -> None:
        """Read and print. Exits with 1 when the file cannot be read."""
        path = Path(str(options["file"]))
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        name = str(options["name"]) or path.name
        detected = detect(path, name)
        source = extraction_settings.source_for(path, name, detected.media_type)
        findings = Findings(name_mismatch=detected.mismatch)
        show = self._as_json if options["json"] else self._for_people
        try:
            with contextlib.closing(extract_in_sandbox(source, extraction_settings.limits())) as pieces:
                show(detected.media_type, findings.segments_of(pieces), findings)
        except (ExtractionError, SandboxUnavailable) as exc:
            raise CommandError(f"{exc.code}: {exc.message} {exc.hint}".strip()) from exc

    def _as_json(self, media_type: str, segments: Iterator[Segment], findings: Findings) -> None:
        rows = [
            {"ordinal": ordinal, "kind": segment.kind, "place": place_as_json(segment.place), "text": segment.text}
            for ordinal, segment in enumerate(segments)
        ]
        shown = {
            "media_type": media_type,
            "reader": findings.reader.reader,
            "gave_up": dict(findings.reader.gave_up),
            "language": findings.language,
            "metadata": findings.metadata,
            "warnings": findings.warnings,
            "thumbnail": findings.thumbnail is not None,
            "segments": rows,
        }
        self.stdout.write(json.dumps(shown, ensure_ascii=False, indent=2))

    def _for_people(self, media_type: str, segments: Iterator[Segment], findings: Findings) -> None:
        console = Console(soft_wrap=True, highlight=False)
        console.print(f"[bold]{escape(label_of(media_type))}[/bold] ({escape(media_type)})")
        for segment in segments:
            where = describe_place(place_as_json(segment.place))
            console.print(f"\n[dim]{segment.kind}{', ' if where else ''}{escape(where)}[/dim]\n{escape(segment.text)}")
        console.print(f"\n[bold]{escape(findings.sentence())}[/bold]")
        for key, value in findings.metadata.items():
            console.print(f"{escape(key)}: {escape(str(value))}")
        for warning in findings.warnings:
            console.print(f"[yellow]{escape(str(warning['code']))}[/yellow]: {escape(str(warning['message']))}")
        console.print(f"{findings.segments:,} segments, {findings.characters:,} characters")
