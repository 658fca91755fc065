"""What is counted of searches and of embedding, for Prometheus and the charts. Nothing of a question but its mode."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from time import perf_counter

from django.conf import settings

from orchestra.monitoring import history
from orchestra.monitoring.metrics.declared import QUICK, Counter, Gauge, Histogram, metrics, of

NO_MODE = "vector"
"""What a search by vectors alone is counted as."""


def _modes() -> Collection[str]:
    return (*settings.SEARCH_MODES, NO_MODE)


seconds = metrics.add(
    Histogram("orchestra_search_seconds", "Seconds of a search, with its answer.", {"mode": _modes}, QUICK)
)
failures = metrics.add(Counter("orchestra_search_failures_total", "Searches that broke.", {"mode": _modes}))
vector_searches = metrics.add(
    Counter(
        "orchestra_vector_searches_total",
        "Searches by meaning, by how the nearest passages were found.",
        {"method": of("exact", "hnsw", "faiss", "weaviate")},
    )
)
unavailable = metrics.add(
    Counter(
        "orchestra_vector_store_unavailable_total",
        "Searches for which the vector store did not answer: PostgreSQL did.",
    )
)
store = metrics.add(
    Gauge(
        "orchestra_vector_store",
        "1 for the vector store that is set.",
        {"store": of("pgvector", "faiss", "weaviate")},
        read=lambda: [((_store_name(),), 1.0)],
    )
)
embedded = metrics.add(Counter("orchestra_passages_embedded_total", "Passages of files that were embedded."))
embedding = metrics.add(Counter("orchestra_embedding_seconds_total", "Seconds in which passages were embedded."))


def register() -> None:
    """Add what the charts show of these."""
    history.figures.extend(
        (
            history.Rate("passages", "Passages embedded", "a minute", embedded),
            history.Quantile("search_ms", "95 of 100 searches within", "ms", seconds),
            history.Rate("search_errors", "Searches that broke", "a minute", failures),
        )
    )


@contextmanager
def embedding_of(passages: int) -> Iterator[None]:
    """Time the embedding of so many passages."""
    began = perf_counter()
    yield
    embedding.add(amount=perf_counter() - began)
    embedded.add(amount=passages)


class Searching:
    """Times a search; one that its asker leaves is not counted."""

    def __init__(self, mode: str) -> None:
        self._mode = mode

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None:
            seconds.observe(self._mode, seconds=perf_counter() - self._began)
        elif issubclass(kind, Exception):
            failures.add(self._mode)


def _store_name() -> str:
    return str(settings.VECTOR_STORES["default"]["BACKEND"]).rpartition(".")[0].rpartition(".")[2]
