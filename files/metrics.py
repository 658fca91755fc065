"""What is counted of files and jobs, for Prometheus and the charts. Nothing of a file but its type."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Self

from django.conf import settings
from django.db.models import Count, DurationField, ExpressionWrapper, Max
from django.db.models.functions import Greatest, Now
from django.utils.module_loading import import_string

from files.errors import JobLost
from files.extraction.isolation import fork_server
from files.extraction.isolation.protections import PROTECTIONS
from files.extraction.media_types import KNOWN
from files.faults import as_product_error
from files.models import JobState, ProcessingJob
from orchestra.common.errors import OrchestraError
from orchestra.monitoring import history
from orchestra.monitoring.metrics.declared import LONG, Counter, Gauge, Histogram, ProcessGauge, Reading, metrics, of

_OUTCOMES = of("done", "failed", "again", "given_up")


def _types() -> frozenset[str]:
    return frozenset(known.name for known in KNOWN)


def _stages() -> frozenset[str]:
    return frozenset(import_string(path).name for path in settings.FILE_PIPELINE)


stages = metrics.add(
    Histogram(
        "orchestra_job_stage_seconds",
        "Seconds that a stage of a file's processing took, by how it ended.",
        {"stage": _stages, "outcome": _OUTCOMES},
        LONG,
    )
)
processed = metrics.add(
    Counter(
        "orchestra_files_processed_total",
        "Files whose processing came to an end, by media type and outcome.",
        {"type": _types, "outcome": of("ready", "partial", "failed")},
    )
)
swept = metrics.add(
    Counter(
        "orchestra_sweeper_actions_total",
        "What the sweeper put right: jobs of lost workers, hints that were lost.",
        {"action": of("lost", "hints")},
    )
)
queue = metrics.add(
    Gauge(
        "orchestra_queue_jobs",
        "Jobs by state.",
        {"state": of("queued", "running")},
        read=lambda: _queue(),  # noqa: PLW0108  # it is defined below
    )
)
oldest = metrics.add(
    Gauge(
        "orchestra_queue_oldest_seconds",
        "How long the job waits that has waited longest; 0 when none does.",
        read=lambda: [((), oldest_seconds())],
    )
)
sockets = metrics.add(
    ProcessGauge("orchestra_sockets_open", "Status sockets that are open.", read=lambda: [((), float(_open_sockets()))])
)
sandbox = metrics.add(
    ProcessGauge(
        "orchestra_sandbox_protection",
        "Whether every process that reads files now is kept from what the protection keeps from: 1, or 0.",
        {"protection": of(*(each.name for each in PROTECTIONS))},
        read=lambda: _protections(),  # noqa: PLW0108  # it is defined below
        combine=min,
    )
)


def register() -> None:
    """Add what the charts show of files."""
    history.figures.extend(
        (
            history.Rate("files_ready", "Files read", "a minute", processed, ("ready", "partial"), place=1),
            history.Rate("files_failed", "Files that failed", "a minute", processed, ("failed",), place=1),
            history.Level("queue", "Files waiting", "", _queue_length),
            history.Level("queue_oldest", "The longest wait", "s", oldest_seconds),
        )
    )


class StageTimer:
    """Times a stage and counts how it ended. `elsewhere` tells seconds that were spent on other jobs meanwhile."""

    def __init__(self, stage: str, elsewhere: Callable[[], float]) -> None:
        self._stage = stage
        self._elsewhere = elsewhere
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._began = self._now()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.seconds = self._now() - self._began
        stages.observe(self._stage, "done" if error is None else how(error), seconds=self.seconds)

    def _now(self) -> float:
        return time.monotonic() - self._elsewhere()


def how(error: BaseException) -> str:
    """Return what a stage's end is counted as."""
    if isinstance(error, JobLost) or not isinstance(error, Exception):
        return "given_up"
    known = as_product_error(error)
    return "failed" if isinstance(error, OrchestraError) and not known.transient else "again"


def oldest_seconds() -> float:
    """Return how long the job waits that has waited longest; a pause before another try is none."""
    waiting = ProcessingJob.objects.filter(state=JobState.QUEUED, available_at__lte=Now()).order_by()
    age = ExpressionWrapper(Now() - Greatest("queued_at", "available_at"), output_field=DurationField())
    longest = waiting.aggregate(longest=Max(age))["longest"]
    return max(0.0, longest.total_seconds()) if longest is not None else 0.0


def _queue() -> Iterator[Reading]:
    found = dict.fromkeys((JobState.QUEUED, JobState.RUNNING), 0)
    under_way = ProcessingJob.objects.filter(state__in=found).order_by()
    found |= dict(under_way.values_list("state").annotate(number=Count("pk")))
    for state, number in found.items():
        yield (str(state),), float(number)


def _queue_length() -> float:
    return float(ProcessingJob.objects.filter(state=JobState.QUEUED).count())


def _open_sockets() -> int:
    from files import consumers  # sockets are the web's: a worker has no use for it

    return consumers.open_sockets()


def _protections() -> Iterable[Reading]:
    if not fork_server.is_running():
        return
    missing = fork_server.level().missing
    for each in PROTECTIONS:
        yield (each.name,), float(each.name not in missing)
