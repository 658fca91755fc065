"""A small sample set to try the product with: a few short files, taken in by the same engine as every upload."""

from __future__ import annotations

from pathlib import Path

from files.ingesting import Ingested, ingest, regular_files
from files.selectors import files_of
from orchestra.accounts.models import User

TAG = "sample"
QUESTIONS = ("when is the crane inspected", "what to do in strong wind", "who pays for dredging")
"""Which the samples answer."""

_FOLDER = Path(__file__).parent / "samples"


def add(user: User) -> list[Ingested]:
    """Give a user the samples, tagged; those that they have already stay as they are."""
    return [ingest(user, path, (TAG,)) for path in regular_files([_FOLDER])]


def has_any(user: User) -> bool:
    """Return whether a user has one of the samples."""
    return files_of(user).filter(tags__contains=[TAG]).exists()
