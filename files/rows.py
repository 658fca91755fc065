"""A file as a row of a page: every word of it, ready to be written.

Comes after `selectors.with_status`, before `templates/files/_file_rows.html`. A list has fifty rows with twenty words
each: what the template would look up, include and reverse for every row is done here, once where it can be.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.template.defaultfilters import filesizeformat
from django.urls import reverse

from files.models import FileRecord, FileStatus
from files.selectors import FileStatusView
from files.states import ALLOWED
from files.status_text import status_text, type_label

_NIL = str(UUID(int=0))
_LONGEST_ENDING = 5


@dataclass(frozen=True, slots=True)
class FileRow:
    """What a page writes of one file. `total` and `done` are empty where nobody knows how much there is."""

    id: str
    address: str
    retry_address: str
    cancel_address: str
    delete_address: str
    name: str = ""
    version: str = "0"
    status: str = ""
    type: str = ""
    size: str = ""
    at: str = ""
    at_text: str = ""
    tags: tuple[str, ...] = ()
    label: str = ""
    detail: str = ""
    hint: str = ""
    reading: bool = False
    done: str = ""
    total: str = ""
    may_retry: bool = False
    may_cancel: bool = False
    thumbnail: str = ""
    ending: str = ""


@dataclass(frozen=True, slots=True)
class _Addresses:
    """Addresses of a file, with the nil id in the place of its own."""

    file: str
    retry: str
    cancel: str
    delete: str
    thumbnail: str


def rows_of(views: Iterable[FileStatusView]) -> list[FileRow]:
    """Return files as rows, in their order."""
    addresses = _addresses()
    return [_row(view, addresses) for view in views]


def blank_row() -> FileRow:
    """Return the row that the script copies and fills: its addresses hold the nil id."""
    return FileRow(_NIL, *_addresses_of(_NIL, _addresses()))


def _addresses() -> _Addresses:
    return _Addresses(
        file=reverse("file", args=[_NIL]),
        retry=reverse("file-action", args=[_NIL, "retry"]),
        cancel=reverse("file-action", args=[_NIL, "cancel"]),
        delete=reverse("file-action", args=[_NIL, "delete"]),
        thumbnail=reverse("api-file-thumbnail", args=[_NIL]),
    )


def _addresses_of(file_id: str, blank: _Addresses) -> tuple[str, str, str, str]:
    return (
        blank.file.replace(_NIL, file_id),
        blank.retry.replace(_NIL, file_id),
        blank.cancel.replace(_NIL, file_id),
        blank.delete.replace(_NIL, file_id),
    )


def _row(view: FileStatusView, addresses: _Addresses) -> FileRow:
    file, progress, text = view.file, view.progress, status_text(view)
    file_id = str(file.pk)
    measured = progress is not None and progress.total > 0
    return FileRow(
        file_id,
        *_addresses_of(file_id, addresses),
        name=file.name,
        version=str(file.version),
        status=file.status,
        type=type_label(file.media_type),
        size=filesizeformat(file.size),
        at=file.created_at.isoformat(),
        at_text=f"{file.created_at:%Y-%m-%d %H:%M} UTC",
        tags=tuple(file.tags),
        label=text.label,
        detail=text.detail,
        hint=file.error_hint if file.status == FileStatus.FAILED else "",
        reading=file.status == FileStatus.PROCESSING,
        done=str(progress.done) if progress and measured else "",
        total=str(progress.total) if progress and measured else "",
        may_retry=may_retry(file),
        may_cancel=may_cancel(file),
        thumbnail=_thumbnail(file, addresses),
        ending=_ending(file.name),
    )


def _ending(name: str) -> str:
    """Return how a name ends, which stands where a file has no picture; nothing where it ends in a sentence."""
    _, dot, ending = name.rpartition(".")
    return ending.upper() if dot and len(ending) <= _LONGEST_ENDING else ""


def _thumbnail(file: FileRecord, addresses: _Addresses) -> str:
    if not file.has_thumbnail:
        return ""
    return f"{addresses.thumbnail.replace(_NIL, str(file.pk))}?generation={file.generation}"


def may_retry(file: FileRecord) -> bool:
    """Whether the file can be read again now."""
    return bool(file.storage_key) and FileStatus.QUEUED in ALLOWED[FileStatus(file.status)] and not may_cancel(file)


def may_cancel(file: FileRecord) -> bool:
    """Whether the file's processing can be stopped now."""
    return file.status in (FileStatus.QUEUED, FileStatus.PROCESSING)
