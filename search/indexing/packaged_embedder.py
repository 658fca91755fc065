"""What the engines that run the packaged model themselves have in common: its tokenizer and its batches.

Before it: `packaged_model`. After it: one module per engine in `embedders`, which adds the arithmetic.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.indexing.embedding import Embedder, PerProcess
from search.indexing.packaged_model import (
    DIMENSIONS,
    INT8_MODEL_ID,
    MARKS,
    MODEL_ID,
    WINDOW,
    PackagedTokenizer,
    packaged_model,
)
from search.indexing.prepared_model import Form
from search.indexing.together import Together

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Encoding


_QUERY_STEP = 8  # tokens; most questions have 8 to 24
_MOST_TOGETHER = 8


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts that go through the model together: their places, their token ids and mask, both (texts, width)."""

    rows: list[int]
    ids: NDArray[np.int64]
    mask: NDArray[np.int64]


class PackagedEmbedder(Embedder):
    """The packaged model, run in small batches of texts of like length: little padding, and data that stays in cache.

    `batch_size` texts go together, fewer where that leaves one of `parallel` runners without work; the width of a batch
    is rounded up to a multiple of `width_step` tokens. The model's form tells which vectors these are.
    """

    model_id = MODEL_ID
    dimensions = DIMENSIONS
    max_tokens = WINDOW - MARKS

    def __init__(self, *, batch_size: int = 4, width_step: int = 1, parallel: int = 1, form: Form = Form.FULL) -> None:
        self._batch_size = batch_size
        self._width_step = width_step
        # The 8-bit form keeps one step for all: its vectors depend on the width a little.
        self._query_step = min(width_step, _QUERY_STEP) if form is Form.FULL else width_step
        self._parallel = parallel
        self._form = form
        if form is Form.INT8:
            self.model_id = INT8_MODEL_ID
        self._questions = PerProcess(
            lambda: Together(self._together, alike=lambda batch: batch.ids.shape[1], most=_MOST_TOGETHER)
        )
        self._tokenizer = PerProcess(lambda: PackagedTokenizer(packaged_model()))

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text; needs the tokenizer alone, not the model."""
        return self._tokenizer.get().counts(texts)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row per text, shape (len(texts), 384)."""
        import numpy as np

        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        if texts:
            for batch, found in self._embedded(self._batches(self._tokenizer.get().encode(texts))):
                vectors[batch.rows] = found
        return vectors

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the question's vector; somebody waits for it, so that less padding is worth memory for more shapes."""
        return self._questions.get()(self._padded([0], self._tokenizer.get().encode([text]), self._query_step))

    def _together(self, batches: Sequence[Batch]) -> Sequence[NDArray[np.float32]]:
        """Return the vectors of single texts of one width, which go through the model as one batch."""
        import numpy as np

        ids, masks = (np.concatenate(parts) for parts in zip(*((one.ids, one.mask) for one in batches), strict=True))
        ((_, found),) = self._embedded(iter([Batch(list(range(len(batches))), ids, masks)]))
        return list(found)

    @abstractmethod
    def _embedded(self, batches: Iterator[Batch]) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
        """Yield each batch with its sentence vectors, of shape (texts, 384), in any order."""

    def _batches(self, encodings: Sequence[Encoding]) -> Iterator[Batch]:
        by_length = sorted(range(len(encodings)), key=lambda position: -len(encodings[position].ids))
        size = min(self._batch_size, -(-len(encodings) // self._parallel))
        for start in range(0, len(by_length), size):
            rows = by_length[start : start + size]
            yield self._padded(rows, [encodings[position] for position in rows], self._width_step)

    @staticmethod
    def _padded(rows: list[int], encodings: Sequence[Encoding], step: int) -> Batch:
        import numpy as np

        width = max(len(encoding.ids) for encoding in encodings)
        width += -width % step
        ids = np.zeros((len(encodings), width), np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        return Batch(rows, ids, mask)
