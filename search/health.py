"""Health checks of the embedding model, the vectors, the vector store and, where one is configured, the reranker."""

from __future__ import annotations

from django.conf import settings

from orchestra.common.errors import OrchestraError
from orchestra.monitoring.checks import Outcome, registry
from search import spaces
from search.embedders import embedders
from search.recall import recall_of_largest
from search.rerankers import rerankers
from search.rerankers.base import RerankerUnavailable
from search.vector_stores import vector_stores

LEAST_RECALL = 0.95
"""Below it somebody should look; what is aimed at is 0.98."""


def register() -> None:
    """Register this application's checks."""
    registry.add("embedding model", check_model)
    registry.add("vectors", check_vectors)
    registry.add("vector store", check_store)
    if settings.RERANKERS:
        registry.add("reranker", check_reranker)


def check_model() -> Outcome:
    """Load the model and embed a sentence."""
    embedder = embedders["default"]
    try:
        vector = embedder.embed_query("Is the model there?")
    except OrchestraError as exc:
        return Outcome.failed(f"The model does not work: {exc.message}", exc.hint)
    except (ImportError, OSError) as exc:
        return Outcome.failed(
            f"The model does not load: {exc}", "Install requirements.txt again; see EMBEDDING_ENGINE."
        )
    if vector.shape != (embedder.dimensions,):
        return Outcome.failed(
            f"The model gives {vector.shape}, not {embedder.dimensions} numbers.", "Check EMBEDDING_MODEL."
        )
    return Outcome.passed(f"{embedder.model_id} gives {embedder.dimensions} dimensions.")


def check_vectors() -> Outcome:
    """Compare the model of the vectors with the configured one, and an approximate index with an exact scan."""
    space = spaces.active()
    if space is None:
        return Outcome.passed("Nothing is indexed yet.")
    wanted = embedders["default"].model_id
    if space.model_id != wanted:
        return Outcome.failed(
            f"The vectors are of {space.model_id}, {wanted} is configured.",
            "They are made anew in the background; manage.py rebuild_index does it now.",
        )
    recall = recall_of_largest(space)
    if recall is None:
        return Outcome.passed(f"Vectors of {space.model_id}, all compared exactly.")
    found = f"The index over {recall.passages:,} passages finds {recall.share:.0%} of the ten nearest"
    if recall.share < LEAST_RECALL:
        return Outcome.failed(f"{found}.", "Run manage.py rebuild_index --again, or raise SEARCH_EXACT_ROWS.")
    return Outcome.passed(f"Vectors of {space.model_id}. {found}.")


def check_reranker() -> Outcome:
    """Score two sentences that are nobody's; a provider is asked over the network."""
    reranker = rerankers["default"]
    try:
        reranker.scores("Is the reranker there?", ["The reranker is there.", "The tide is low."])
    except RerankerUnavailable as exc:
        return Outcome.failed(exc.message, exc.hint)
    return Outcome.passed(f"The reranker ({reranker.name}) gives scores.")


def check_store() -> Outcome:
    """Ask the chosen vector store whether it works; PostgreSQL is searched where it does not."""
    return vector_stores["default"].check()
