"""Health checks of the embedding model and of the vector store."""

from __future__ import annotations

from orchestra.common.errors import OrchestraError
from orchestra.monitoring.checks import Outcome, registry
from search.embedders import embedders
from search.vector_stores import vector_stores


def register() -> None:
    """Register this application's checks."""
    registry.add("embedding model", check_model)
    registry.add("vector store", check_store)


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


def check_store() -> Outcome:
    """Ask the chosen vector store whether it works; PostgreSQL is searched where it does not."""
    return vector_stores["default"].check()
