"""What a file's status is called and what is said about it: the words that pages show and that their scripts repeat.

The API and the socket carry the sentence with the code of the situation, so that every face says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.template.defaultfilters import date as format_date

from files.errors import WorkerLost
from files.extraction.media_types import label_of
from files.models import FileStatus
from files.selectors import FileStatusView, Progress

# A worker is heard of every 10 seconds; after three missed beats a person should know.
SILENT_AFTER_SECONDS = 30
_MINUTES_FROM, _HOURS_FROM = 90, 90 * 60

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
    "no_worker": "No worker is running; it is read as soon as one is.",
    "next": "Next in line.",
    "waiting_one": "Waiting behind 1 file.",
    "waiting_many": "Waiting behind {count} files.",
    "retry_at": "Tried again at {time}.",
    "about_seconds": "About {count} s.",
    "about_minutes": "About {count} min.",
    "about_hours": "About {count} h.",
    "progress_of": "{stage}: {done} of {total} {unit}",
    "progress": "{stage}: {done} {unit}",
    "attempt": "attempt {attempt}",
    "worker_lost": "the worker before was lost, attempt {attempt}",
    "silent": "Its worker has been silent for {seconds} s; if it is lost, another one starts again.",
    "passages_none": "It holds no text to search.",
    "passages_one": "1 passage.",
    "passages_many": "{count} passages.",
    "warnings_one": "1 thing could not be read.",
    "warnings_many": "{count} things could not be read.",
    "cancelled": "It is kept but not searchable.",
    "cancelled_again": "What was read of it before can still be searched.",
}
SCRIPT_TEXTS = {
    "labels": {str(status): label for status, label in LABELS.items()},
    "retryAt": TEXTS["retry_at"],
}
"""What the scripts say themselves: a status in a word, and a time as the browser's own clock has it."""


class Situation(StrEnum):
    """What is going on, more exactly than by a status. Stable: programs may rely on it."""

    UPLOADING = "uploading"
    WAITING_FOR_WORKER = "waiting_for_worker"
    WAITING_FOR_RETRY = "waiting_for_retry"
    WAITING_NEXT = "waiting_next"
    WAITING_BEHIND = "waiting_behind"
    RUNNING = "running"
    RUNNING_AGAIN = "running_again"
    WORKER_SILENT = "worker_silent"
    READY = "ready"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class StatusText:
    """A status in one or two words, a sentence that says what is going on (may be empty), and the situation's code."""

    label: str
    detail: str
    situation: Situation


_Detail = Callable[[FileStatusView], tuple[Situation, str]]


def status_text(view: FileStatusView) -> StatusText:
    """Return what to say about a file."""
    status = FileStatus(view.file.status)
    situation, detail = _DETAILS[status](view)
    return StatusText(LABELS[status], detail, situation)


def type_label(media_type: str) -> str:
    """Return what a person calls a media type; empty until the content was looked at."""
    label = label_of(media_type) if media_type else ""
    return label[:1].upper() + label[1:]


def stage_times(timings: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return what each stage does and its seconds, in the order of the stages."""
    return [(label, timings[stage]) for stage, label in STAGES.items() if stage in timings]


def _waiting(view: FileStatusView) -> tuple[Situation, str]:
    if view.retry_at is not None:
        time = format_date(view.retry_at, "H:i") + " UTC"
        return Situation.WAITING_FOR_RETRY, TEXTS["retry_at"].format(time=time)
    if view.workers == 0:
        return Situation.WAITING_FOR_WORKER, TEXTS["no_worker"]
    if view.waiting_behind is None:
        return Situation.WAITING_NEXT, ""
    if not view.waiting_behind:
        return Situation.WAITING_NEXT, _with_estimate(TEXTS["next"], view.estimate)
    return Situation.WAITING_BEHIND, _with_estimate(_counted("waiting", view.waiting_behind), view.estimate)


def _running(view: FileStatusView) -> tuple[Situation, str]:
    progress = view.progress
    if progress is None:
        return Situation.RUNNING, ""
    if (progress.heartbeat_age or 0) > SILENT_AFTER_SECONDS:
        return Situation.WORKER_SILENT, TEXTS["silent"].format(seconds=round(progress.heartbeat_age or 0))
    lost = view.cause == WorkerLost.code
    sentence = _progress(progress)
    if view.attempt > 1:
        sentence = f"{sentence} ({TEXTS['worker_lost' if lost else 'attempt'].format(attempt=view.attempt)})"
    if view.estimate is not None:
        sentence = _with_estimate(f"{sentence}.", view.estimate)
    return Situation.RUNNING_AGAIN if lost else Situation.RUNNING, sentence


def _with_estimate(sentence: str, seconds: int | None) -> str:
    return f"{sentence} {about(seconds)}" if seconds is not None else sentence


def about(seconds: int) -> str:
    """Return a length of time as roughly as it is known."""
    if seconds < _MINUTES_FROM:
        return TEXTS["about_seconds"].format(count=max(5, 5 * round(seconds / 5)))
    if seconds < _HOURS_FROM:
        return TEXTS["about_minutes"].format(count=round(seconds / 60))
    return TEXTS["about_hours"].format(count=round(seconds / 3600))


def _progress(progress: Progress) -> str:
    stage = STAGES.get(progress.stage, progress.stage)
    if not progress.done:
        return stage
    name = "progress_of" if progress.total else "progress"
    return TEXTS[name].format(stage=stage, done=f"{progress.done:,}", total=f"{progress.total:,}", unit=progress.unit)


def _said(
    situation: Situation, say: Callable[[FileStatusView], str]
) -> Callable[[FileStatusView], tuple[Situation, str]]:
    return lambda view: (situation, say(view))


def _searchable(view: FileStatusView) -> str:
    count, warnings = view.file.chunk_count, len(view.file.warnings)
    sentence = _counted("passages", count) if count else TEXTS["passages_none"]
    return f"{sentence} {_counted('warnings', warnings)}" if warnings else sentence


def _counted(name: str, count: int) -> str:
    return TEXTS[f"{name}_one"] if count == 1 else TEXTS[f"{name}_many"].format(count=f"{count:,}")


_DETAILS: dict[FileStatus, _Detail] = {
    FileStatus.UPLOADING: _said(Situation.UPLOADING, lambda _: TEXTS["uploading"]),
    FileStatus.QUEUED: _waiting,
    FileStatus.PROCESSING: _running,
    FileStatus.READY: _said(Situation.READY, _searchable),
    FileStatus.PARTIAL: _said(Situation.PARTIAL, _searchable),
    FileStatus.FAILED: _said(Situation.FAILED, lambda view: view.file.error_message),
    FileStatus.CANCELLED: _said(
        Situation.CANCELLED, lambda view: TEXTS["cancelled_again" if view.file.chunk_count else "cancelled"]
    ),
}
