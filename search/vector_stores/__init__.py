"""Vector stores, chosen by settings.VECTOR_STORES."""

from orchestra.common.aliases import AliasHandler
from search.vector_stores.base import VectorStore

vector_stores: AliasHandler[VectorStore] = AliasHandler("VECTOR_STORES", VectorStore)  # type: ignore[type-abstract]
