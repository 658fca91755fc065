"""Rerankers, chosen by settings.RERANKERS; none is configured unless RERANKER says so."""

from orchestra.common.aliases import AliasHandler
from search.rerankers.base import Reranker

rerankers: AliasHandler[Reranker] = AliasHandler("RERANKERS", Reranker)  # type: ignore[type-abstract]


def reranker() -> Reranker | None:
    """Return the configured reranker, or None where there is none."""
    return rerankers["default"] if rerankers.aliases() else None
