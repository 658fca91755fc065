"""What Celery runs for search. Thin: everything is decided in `search.indexing.refilling`."""

from __future__ import annotations

from celery import shared_task

from search.indexing import refilling

SECONDS = 45


@shared_task(name="search.tasks.maintain_index")
def maintain_index() -> None:
    """Fill in vectors that are missing, change to another model, build indexes of large owners."""
    refilling.maintain(SECONDS)
