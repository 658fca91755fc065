"""Models run by sentence-transformers: the packaged one, the reference for faster engines, and any other in a folder.

Costs a torch import (seconds, hundreds of megabytes) in each process that embeds.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from search.indexing.embedding import Embedder, EmbeddingModelUnavailable, PerProcess
from search.indexing.folder_model import folder_model
from search.indexing.packaged_model import (
    DIMENSIONS,
    MARKS,
    MODEL_ID,
    WINDOW,
    ModelFiles,
    PackagedTokenizer,
    encodable,
    packaged_model,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer


class SentenceTransformerEmbedder(Embedder):
    """The packaged model, or one in a folder, run by torch in fp32 on the processor."""

    model_id = MODEL_ID
    dimensions = DIMENSIONS
    max_tokens = WINDOW - MARKS

    def __init__(self, *, folder: str | Path = "", batch_size: int = 32, threads: int = 0) -> None:
        """Set up without loading; `threads` of 0 leaves torch's own choice, which is process-wide.

        Raises EmbeddingModelUnavailable for a `folder` without a model.
        """
        self._batch_size = batch_size
        self._threads = threads
        self._folder = Path(folder) if folder else None
        if self._folder:
            model = folder_model(self._folder)
            self.model_id, self.dimensions, self.max_tokens = model.model_id, model.dimensions, model.window
        self._tokenizer = PerProcess(lambda: PackagedTokenizer(self._files(), self.max_tokens + MARKS))
        self._model = PerProcess(self._load)

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text; needs the tokenizer alone, not torch."""
        return self._tokenizer.get().counts(texts)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row per text, shape (len(texts), dimensions)."""
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
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
        files = self._files()
        try:
            import torch
            from sentence_transformers import SentenceTransformer

            if threads := 1 if self._model.inherited else self._threads:
                torch.set_num_threads(threads)  # OpenMP's threads die with a fork, and a child that asks for them hangs
            encoder = SentenceTransformer(str(files.folder), device="cpu", local_files_only=True)
        except (ImportError, OSError, ValueError) as error:
            raise EmbeddingModelUnavailable(path=str(files.folder)) from error
        encoder.max_seq_length = self.max_tokens + MARKS
        return _Model(encoder)

    def _files(self) -> ModelFiles:
        return ModelFiles(self._folder) if self._folder else packaged_model()


class _Model:
    """The loaded model and its lock: its tokenizer changes its own settings at each call, so calls take turns."""

    def __init__(self, encoder: SentenceTransformer) -> None:
        self.encoder = encoder
        self.lock = threading.Lock()
