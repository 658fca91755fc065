"""What Celery runs for search. Thin: everything is decided in `search.indexing`."""

from __future__ import annotations

from celery import shared_task

from search.indexing import mirroring, refilling

SECONDS = 45


@shared_task(name="search.tasks.maintain_index")
def maintain_index() -> None:
    """Fill in vectors that are missing, change to another model, build indexes of large owners."""
    refilling.maintain(SECONDS)


@shared_task(name="search.tasks.sync_mirrors")
def sync_mirrors() -> None:
    """Bring the vector stores beside PostgreSQL up to date."""
    mirroring.sync_all()
