"""How pages show files: status words, kinds, places, the room they take."""

from __future__ import annotations

from typing import Any

from django import template

from files import selectors
from files.extraction.media_types import label_of
from files.models import FileRecord, FileStatus
from files.places import describe_place
from files.selectors import FileStatusView
from files.states import ALLOWED
from files.status_text import STAGES, SCRIPT_TEXTS, LABELS, StatusText, status_text
from orchestra.accounts.models import User

register = template.Library()

register.filter("place_words", describe_place)


@register.simple_tag(name="status_text")
def status_text_tag(view: FileStatusView) -> StatusText:
    """Return the label and the sentence of a file's status."""
    return status_text(view)


@register.simple_tag
def script_texts() -> dict[str, Any]:
    """Return the words that the scripts need to say the same."""
    return SCRIPT_TEXTS


@register.filter
def status_label(status: str) -> str:
    """Return what a status is called."""
    return LABELS[FileStatus(status)]


@register.filter
def stage_label(stage: str) -> str:
    """Return what a stage does."""
    return STAGES.get(stage, stage)


@register.filter
def type_label(file: FileRecord) -> str:
    """Return what a person calls the file's type; empty until its content was looked at."""
    return label_of(file.media_type) if file.media_type else ""


@register.filter
def may_retry(file: FileRecord) -> bool:
    """Whether the file can be read again now."""
    return bool(file.storage_key) and FileStatus.QUEUED in ALLOWED[FileStatus(file.status)] and not _running(file)


@register.filter
def may_cancel(file: FileRecord) -> bool:
    """Whether the file's processing can be stopped now."""
    return _running(file)


def _running(file: FileRecord) -> bool:
    return file.status in (FileStatus.QUEUED, FileStatus.PROCESSING)


@register.simple_tag
def bytes_used(user: User) -> int:
    """Return the bytes that a user's files take."""
    return selectors.bytes_used(user)
