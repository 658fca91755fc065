"""What Celery runs. Thin: everything is decided in the modules that it imports."""

from __future__ import annotations

import os
from uuid import UUID

from celery import Task, shared_task
from celery.signals import worker_process_init

from files import dead_workers, expiry, importing, jobs, pipeline, trash
from files.webhooks import delivering
from orchestra.monitoring.pulses import worker_name


@worker_process_init.connect(weak=False)
def _begin(sender: object, **_: object) -> None:
    """Take over from processes that died; `sender` is the worker's node."""
    dead_workers.take_over_later(str(sender))


@shared_task(name="files.tasks.process_next", bind=True)
def process_next(self: Task[..., None]) -> None:
    """Process the job that is due next, if there is one."""
    pipeline.work(worker=worker_name(str(self.request.hostname or "worker"), os.getpid()))


@shared_task(name="files.tasks.sweep")
def sweep() -> None:
    """Restart the jobs of lost workers, send lost hints again."""
    jobs.sweep()


@shared_task(name="files.tasks.expire_uploads")
def expire_uploads() -> None:
    """Remove uploads that were not finished in time."""
    expiry.expire()


@shared_task(name="files.tasks.import_source", bind=True)
def import_source(self: Task[..., None], integration_id: str) -> None:
    """Import from a connection, unless that goes on already."""
    importing.run(UUID(integration_id), node=str(self.request.hostname or ""))


@shared_task(name="files.tasks.start_imports")
def start_imports() -> None:
    """Begin the imports that are due."""
    importing.start_due()


@shared_task(name="files.tasks.complete_uploads")
def complete_uploads() -> None:
    """Complete uploads whose process died between the last byte and the file."""
    expiry.complete_whole()


@shared_task(name="files.tasks.purge_trash")
def purge_trash() -> None:
    """Delete for good what has been in the trash long enough."""
    trash.purge_due()


@shared_task(name="files.tasks.send_webhook")
def send_webhook(webhook_id: str) -> None:
    """Send what is due to one webhook."""
    delivering.send_due(UUID(webhook_id))


@shared_task(name="files.tasks.sweep_webhooks")
def sweep_webhooks() -> None:
    """Send again the hints for messages to webhooks that are due."""
    delivering.sweep()


@shared_task(name="files.tasks.forget_deliveries")
def forget_deliveries() -> None:
    """Delete old messages to webhooks from the log."""
    delivering.forget_old()
