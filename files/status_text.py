"""What a file's status is called and what is said about it: the words that pages show and that their scripts repeat.

The scripts get these same words as JSON (`SCRIPT_TEXTS`), so that a row says one thing whether the server or the
browser wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.template.defaultfilters import date as format_date

from files.extraction.media_types import label_of
from files.models import FileStatus
from files.selectors import FileStatusView, Progress

# A worker is heard of every 10 seconds; after three missed beats a person should know.
SILENT_AFTER_SECONDS = 30

LABELS = {
    FileStatus.UPLOADING: "Uploading",
    FileStatus.QUEUED: "Waiting",
    FileStatus.PROCESSING: "Being read",
    FileStatus.READY: "Ready",
    FileStatus.PARTIAL: "Read in part",
    FileStatus.FAILED: "Failed",
    FileStatus.CANCELLED: "Cancelled",
}
STAGES = {"": "Starting", "extract": "Reading the text", "index": "Making it searchable"}
TEXTS = {
    "uploading": "Not all bytes are here yet.",
    "next": "Next in line.",
    "waiting_one": "Waiting behind 1 file.",
    "waiting_many": "Waiting behind {count} files.",
    "retry_at": "Tried again at {time}.",
    "progress_of": "{stage}: {done} of {total} {unit}",
    "progress": "{stage}: {done} {unit}",
    "attempt": "attempt {attempt}",
    "silent": "Its worker has been silent for {seconds} s; if it is lost, another one starts again.",
    "passages_none": "It holds no text to search.",
    "passages_one": "1 passage.",
    "passages_many": "{count} passages.",
    "warnings_one": "1 thing could not be read.",
    "warnings_many": "{count} things could not be read.",
    "cancelled": "It is kept but not searchable.",
}
SCRIPT_TEXTS = {
    "labels": {str(status): label for status, label in LABELS.items()},
    "stages": STAGES,
    "texts": TEXTS,
    "silentAfter": SILENT_AFTER_SECONDS,
}


@dataclass(frozen=True, slots=True)
class StatusText:
    """A status in one or two words, and a sentence that says what is going on; the sentence may be empty."""

    label: str
    detail: str


def status_text(view: FileStatusView) -> StatusText:
    """Return what to say about a file."""
    status = FileStatus(view.file.status)
    return StatusText(LABELS[status], _DETAILS[status](view))


def type_label(media_type: str) -> str:
    """Return what a person calls a media type; empty until the content was looked at."""
    label = label_of(media_type) if media_type else ""
    return label[:1].upper() + label[1:]


def stage_times(timings: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return what each stage does and its seconds, in the order of the stages."""
    return [(label, timings[stage]) for stage, label in STAGES.items() if stage in timings]


def _waiting(view: FileStatusView) -> str:
    if view.retry_at is not None:
        return TEXTS["retry_at"].format(time=format_date(view.retry_at, "H:i") + " UTC")
    if view.waiting_behind is None:
        return ""
    return TEXTS["next"] if not view.waiting_behind else _counted("waiting", view.waiting_behind)


def _running(view: FileStatusView) -> str:
    progress = view.progress
    if progress is None:
        return ""
    if (progress.heartbeat_age or 0) > SILENT_AFTER_SECONDS:
        return TEXTS["silent"].format(seconds=round(progress.heartbeat_age or 0))
    sentence = _progress(progress)
    return f"{sentence} ({TEXTS['attempt'].format(attempt=view.attempt)})" if view.attempt > 1 else sentence


def _progress(progress: Progress) -> str:
    stage = STAGES.get(progress.stage, progress.stage)
    if not progress.done:
        return stage
    name = "progress_of" if progress.total else "progress"
    return TEXTS[name].format(stage=stage, done=f"{progress.done:,}", total=f"{progress.total:,}", unit=progress.unit)


def _searchable(view: FileStatusView) -> str:
    count, warnings = view.file.chunk_count, len(view.file.warnings)
    sentence = _counted("passages", count) if count else TEXTS["passages_none"]
    return f"{sentence} {_counted('warnings', warnings)}" if warnings else sentence


def _counted(name: str, count: int) -> str:
    return TEXTS[f"{name}_one"] if count == 1 else TEXTS[f"{name}_many"].format(count=f"{count:,}")


_DETAILS = {
    FileStatus.UPLOADING: lambda _: TEXTS["uploading"],
    FileStatus.QUEUED: _waiting,
    FileStatus.PROCESSING: _running,
    FileStatus.READY: _searchable,
    FileStatus.PARTIAL: _searchable,
    FileStatus.FAILED: lambda view: view.file.error_message,
    FileStatus.CANCELLED: lambda _: TEXTS["cancelled"],
}
