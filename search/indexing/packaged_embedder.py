"""What the engines that run the packaged model themselves have in common: its tokenizer and its batches.

Before it: `packaged_model`. After it: one module per engine in `embedders`, which adds the arithmetic.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.indexing.embedding import Embedder, PerProcess
from search.indexing.packaged_model import DIMENSIONS, MARKS, MODEL_ID, WINDOW, PackagedTokenizer, packaged_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Encoding


class PackagedEmbedder(Embedder):
    """The packaged model, run in small batches of texts of like length: little padding, and data that stays in cache.

    `batch_size` texts go together; the width of a batch is rounded up to a multiple of `width_step` tokens.
    """

    model_id = MODEL_ID
    dimensions = DIMENSIONS
    max_tokens = WINDOW - MARKS

    def __init__(self, *, batch_size: int = 4, width_step: int = 1) -> None:
        self._batch_size = batch_size
        self._width_step = width_step
        self._tokenizer = PerProcess(lambda: PackagedTokenizer(packaged_model()))

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text; needs the tokenizer alone, not the model."""
        return self._tokenizer.get().counts(texts)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row per text, shape (len(texts), 384)."""
        import numpy as np

        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        encodings = self._tokenizer.get().encode(texts) if texts else []
        by_length = sorted(range(len(encodings)), key=lambda position: -len(encodings[position].ids))
        for start in range(0, len(by_length), self._batch_size):
            batch = by_length[start : start + self._batch_size]
            vectors[batch] = self._vectors(*self._padded([encodings[position] for position in batch]))
        return vectors

    @abstractmethod
    def _vectors(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the sentence vectors of token ids and their mask, both of shape (batch, width)."""

    def _padded(self, encodings: Sequence[Encoding]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        import numpy as np

        width = max(len(encoding.ids) for encoding in encodings)
        width += -width % self._width_step
        ids = np.zeros((len(encodings), width), np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        return ids, mask
