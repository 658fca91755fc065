"""Health checks of the embedding model and, where one is configured, of the reranker."""

from __future__ import annotations

from django.conf import settings

from orchestra.common.errors import OrchestraError
from orchestra.monitoring.checks import Outcome, registry
from search.embedders import embedders
from search.rerankers import rerankers
from search.rerankers.base import RerankerUnavailable


def register() -> None:
    """Register this application's checks."""
    registry.add("embedding model", check_model)
    if settings.RERANKERS:
        registry.add("reranker", check_reranker)


def check_model() -> Outcome:
    """Load the model and embed a sentence."""
    embedder = embedders["default"]
    try:
        vector = embedder.embed_query("Is the model there?")
    except (OrchestraError, ImportError, OSError) as exc:
        return Outcome.failed(
            f"The model does not load: {exc}", "Install requirements.txt again; see EMBEDDING_ENGINE."
        )
    if vector.shape != (embedder.dimensions,):
        return Outcome.failed(
            f"The model gives {vector.shape}, not {embedder.dimensions} numbers.", "Check EMBEDDING_MODEL."
        )
    return Outcome.passed(f"{embedder.model_id} gives {embedder.dimensions} dimensions.")


def check_reranker() -> Outcome:
    """Score two sentences that are nobody's; a provider is asked over the network."""
    reranker = rerankers["default"]
    try:
        reranker.scores("Is the reranker there?", ["The reranker is there.", "The tide is low."])
    except RerankerUnavailable as exc:
        return Outcome.failed(exc.message, exc.hint)
    return Outcome.passed(f"The reranker ({reranker.name}) gives scores.")
