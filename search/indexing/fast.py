"""The packaged model in 8-bit integers: faster, at a measured loss, and another model to the index.

Run by OpenVINO where it is installed, else by ONNX Runtime; both read the graph of `int8_graph`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from search.indexing.embedders.onnx import OnnxEmbedder
from search.indexing.embedders.openvino import OpenVinoEmbedder
from search.indexing.embedding import Embedder
from search.indexing.packaged_embedder import PackagedEmbedder
from search.indexing.packaged_model import DIMENSIONS, INT8_MODEL_ID
from search.indexing.prepared_model import Form

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FastEmbedder(Embedder):
    """The packaged model in 8-bit integers, on the engine that is installed."""

    model_id = INT8_MODEL_ID
    dimensions = DIMENSIONS
    max_tokens = PackagedEmbedder.max_tokens

    def __init__(self, *, cache_dir: str | Path, threads: int = 0) -> None:
        """Set up without loading; the arguments are those of the engines."""
        make = OpenVinoEmbedder if importlib.util.find_spec("openvino") else OnnxEmbedder
        self.engine: PackagedEmbedder = make(cache_dir=cache_dir, threads=threads, form=Form.INT8)

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text; needs the tokenizer alone, not an engine."""
        return self.engine.token_counts(texts)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row per text, shape (len(texts), 384)."""
        return self.engine.embed_passages(texts)
