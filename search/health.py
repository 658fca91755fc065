"""Health check of the embedding model."""

from __future__ import annotations

from orchestra.common.errors import OrchestraError
from orchestra.monitoring.checks import Outcome, registry
from search.embedders import embedders


def register() -> None:
    """Register this application's checks."""
    registry.add("embedding model", check_model)


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
