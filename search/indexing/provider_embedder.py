"""Embeddings by another server that speaks OpenAI's protocol: what is embedded is sent to it, questions too.

After `search.indexing.embedding`; before `integrations.embeddings`, which asks. Its tokens are not known here: they are
estimated, word by word, and a text is cut where the estimate reaches the model's window.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from integrations import usage
from integrations.embeddings import EmbeddingClient
from integrations.llm.base import ModelKeyRefused, ModelQuotaSpent, ModelTooSlow, ModelUnavailable, ModelUnknown
from integrations.llm.refusals import ModelRequestRefused
from orchestra.common.outbound.client import host_of
from search.indexing.embedding import Embedder, EmbeddingModelUnavailable
from search.indexing.packaged_model import encodable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Up to eight Latin letters, as tokenizers of large vocabularies keep words together; three digits; two other letters;
# alone each sign, and each character of a script without spaces.
_TOKEN = re.compile(
    r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[A-Za-z]{1,8}|\d{1,3}"
    r"|[^\W\d_A-Za-z\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]{1,2}|[^\w\s]|_"
)
_MOST_TEXTS = 64
_MOST_CHARACTERS = 100_000
_QUESTION_SECONDS = 5.0  # somebody waits
_BLANK = "-"  # for a text without a sign, which most providers refuse
_LONGEST_ID = 100
_HINTS: dict[type[ModelUnavailable], str] = {
    ModelKeyRefused: "Look at EMBEDDING_API_KEY.",
    ModelUnknown: "Look at EMBEDDING_MODEL.",
    ModelQuotaSpent: "The provider limits how often it is asked, or there is no money left: try again later.",
    ModelTooSlow: "Try again later, or raise EMBEDDING_SECONDS.",
    ModelRequestRefused: "Look at EMBEDDING_MODEL; where it reads less text, lower EMBEDDING_TOKENS.",
}


class ProviderEmbedder(Embedder):
    """A model behind a base URL, whose vectors must be as long as was said."""

    local = False

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        dimensions: int,
        key: str = "",
        max_tokens: int = 8_000,
        seconds: float = 30.0,
        counted: Callable[[str, int], None] = usage.count_for_installation,
    ) -> None:
        """Set up without connecting. `seconds` are for one batch; `counted` takes the model's name and the tokens."""
        self.model_id = _short(f"{host_of(base_url)}/{model}/{dimensions}")
        self.dimensions = dimensions
        self.max_tokens = max_tokens
        self._client = EmbeddingClient(base_url=base_url, model=model, key=key, dimensions=dimensions)
        self._model = model
        self._seconds = seconds
        self._counted = counted

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return about how many tokens each text has."""
        return [sum(1 for _ in _TOKEN.finditer(encodable(text))) for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row per text, shape (len(texts), dimensions). Raises EmbeddingModelUnavailable."""
        import numpy as np

        rows = [self._embed(batch, "embedding of passages", self._seconds) for batch in self._batches(texts)]
        return np.concatenate(rows) if rows else np.zeros((0, self.dimensions), np.float32)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the question's vector. Raises EmbeddingModelUnavailable, after few seconds."""
        seconds = min(self._seconds, _QUESTION_SECONDS)
        vector: NDArray[np.float32] = self._embed([self._cut(text)], "embedding of a question", seconds)[0]
        return vector

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        batch: list[str] = []
        room = _MOST_CHARACTERS
        for text in map(self._cut, texts):
            if batch and (len(batch) == _MOST_TEXTS or len(text) > room):
                yield batch
                batch, room = [], _MOST_CHARACTERS
            batch.append(text)
            room -= len(text)
        if batch:
            yield batch

    def _cut(self, text: str) -> str:
        """Return as much of a text as the model reads, and never nothing."""
        text = encodable(text)
        last = next(islice(_TOKEN.finditer(text), self.max_tokens - 1, None), None)
        return (text if last is None else text[: last.end()]) if text.strip("\0 \t\r\n") else _BLANK

    def _embed(self, texts: Sequence[str], purpose: str, seconds: float) -> NDArray[np.float32]:
        try:
            found = self._client.embed(texts, purpose, seconds)
        except ModelUnavailable as exc:
            raise _unavailable(exc) from exc
        self._counted(self._model, found.tokens)
        return found.rows


def _short(name: str) -> str:
    """Return a name that fits into its column, and stays one model's."""
    if len(name) <= _LONGEST_ID:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{name[: _LONGEST_ID - 13]}-{digest}"


def _unavailable(exc: ModelUnavailable) -> EmbeddingModelUnavailable:
    said = "The embedding provider took too long." if isinstance(exc, ModelTooSlow) else exc.message
    return EmbeddingModelUnavailable(said, hint=_HINTS.get(type(exc), exc.hint))
