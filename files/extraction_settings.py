"""What the administrator set about reading, as the extraction engine takes it: that engine knows no settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from files.extraction.base import Source
from files.extraction.limits import MIB, Limits
from files.extraction.options import Options


def source_for(path: Path, name: str, media_type: str) -> Source:
    """Return the source of a file at `path` with the configured options."""
    options: dict[str, Any] = settings.EXTRACTION_OPTIONS
    return Source(path, name, media_type, options=Options(**options))


def limits() -> Limits:
    """Return the configured limits of one reading."""
    return Limits(wall_seconds=settings.EXTRACTION_SECONDS, memory_bytes=settings.EXTRACTION_MEMORY_MB * MIB)
