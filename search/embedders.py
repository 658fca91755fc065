"""Embedders, chosen by settings.EMBEDDERS; the engines themselves know no Django (`search.indexing.embedders`)."""

from orchestra.common.aliases import AliasHandler
from search.indexing.embedding import Embedder

embedders: AliasHandler[Embedder] = AliasHandler("EMBEDDERS", Embedder)  # type: ignore[type-abstract]
