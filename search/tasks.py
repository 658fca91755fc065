"""What Celery runs for search. Thin: everything is decided in `search.indexing.mirroring`."""

from __future__ import annotations

from celery import shared_task


@shared_task(name="search.tasks.sync_mirrors")
def sync_mirrors() -> None:
    """Bring the vector stores beside PostgreSQL up to date."""
    from search.indexing import mirroring

    mirroring.sync_all()
