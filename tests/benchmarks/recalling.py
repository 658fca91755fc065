"""The share of an owner's ten exact neighbours that a usual search finds: `python -m tests.benchmarks.recalling OWNER`.

Of vectors that are not stored, from the same topics.
"""

from __future__ import annotations

import os
import statistics
import sys

QUESTIONS = 100


def measure(owner_name: str) -> float:
    """Return the mean recall@10."""
    from django.conf import settings

    from orchestra.accounts.models import User
    from search import spaces
    from search.retrieval import EmbeddedQuery, Scope
    from search.vector_stores.pgvector import PgVectorStore
    from tests.benchmarks.filling import clustered

    owner, space = User.objects.get(username=owner_name), spaces.for_writing()
    exact, usual = PgVectorStore(exact_rows=10**12), PgVectorStore(exact_rows=settings.SEARCH_EXACT_ROWS)
    shares = []
    for number in range(QUESTIONS):
        (vector,) = clustered(10**9 + number, 1)
        wanted, found = (
            {one.passage for one in store.neighbours(EmbeddedQuery(vector, space), Scope(owner.pk), 10)}
            for store in (exact, usual)
        )
        shares.append(len(wanted & found) / len(wanted))
    return statistics.mean(shares)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestra.settings")
    import django

    django.setup()
    sys.stdout.write(f"{measure(sys.argv[1])}\n")
