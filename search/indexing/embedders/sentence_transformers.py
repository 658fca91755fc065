"""all-MiniLM-L6-v2 through sentence-transformers: the reference that faster engines are compared with.

Costs a torch import (seconds, hundreds of megabytes) in each process that embeds.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.indexing.embedding import Embedder, EmbeddingModelUnavailable, PerProcess
from search.indexing.packaged_model import (
    DIMENSIONS,
    MARKS,
    MODEL_ID,
    WINDOW,
    PackagedTokenizer,
    encodable,
    packaged_model,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer


class SentenceTransformerEmbedder(Embedder):
    """The packaged model run by torch, in fp32 on the processor."""

    model_id = MODEL_ID
    dimensions = DIMENSIONS
    max_tokens = WINDOW - MARKS

    def __init__(self, *, batch_size: int = 32, threads: int = 0) -> None:
        """Set up without loading; `threads` of 0 leaves torch's own choice, which is process-wide."""
        self._batch_size = batch_size
        self._threads = threads
        self._tokenizer = PerProcess(lambda: PackagedTokenizer(packaged_model()))
        self._model = PerProcess(self._load)

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text; needs the tokenizer alone, not torch."""
        return self._tokenizer.get().counts(texts)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row per text, shape (len(texts), 384)."""
        import numpy as np

        if not texts:
            return np.zeros((0, DIMENSIONS), np.float32)
        model = self._model.get()
        with model.lock:
            vectors = model.encoder.encode(
                [encodable(text) for text in texts],
                batch_size=self._batch_size,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, np.float32)

    def _load(self) -> _Model:
        files = packaged_model()
        try:
            import torch
            from sentence_transformers import SentenceTransformer

            if threads := 1 if self._model.inherited else self._threads:
                torch.set_num_threads(threads)  # OpenMP's threads die with a fork, and a child that asks for them hangs
            encoder = SentenceTransformer(str(files.folder), device="cpu", local_files_only=True)
        except (ImportError, OSError, ValueError) as error:
            raise EmbeddingModelUnavailable(path=str(files.folder)) from error
        encoder.max_seq_length = WINDOW
        return _Model(encoder)


class _Model:
    """The loaded model and its lock: its tokenizer changes its own settings at each call, so calls take turns."""

    def __init__(self, encoder: SentenceTransformer) -> None:
        self.encoder = encoder
        self.lock = threading.Lock()
