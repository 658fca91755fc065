"""Embeddings over OpenAI's protocol: texts to rows of numbers, as most providers and local servers give them.

On the guarded client, so that each request stands in the ledger. What may pass is tried again with growing pauses until
the time is up. What comes back is hostile until it was looked at here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from integrations.llm.answers import clean
from integrations.llm.base import ModelTooSlow, ModelUnavailable
from integrations.llm.refusals import Refusal, refusal, unanswered
from integrations.llm.retrying import TRIES, pause_before_next
from orchestra.common.outbound import client
from orchestra.common.outbound.client import Answer, Call
from orchestra.common.outbound.errors import OutboundFailed, OutboundRefused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BYTES_PER_NUMBER = 40
_BYTES_PER_TOKEN = 4
_MOST_TOKENS = 1_000_000_000
_SPARE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Embedded:
    """One unit vector per text, as rows, and how many tokens the provider counted; estimated where it did not."""

    rows: NDArray[np.float32]
    tokens: int


class WrongVectors(ModelUnavailable):
    """What came back is no vector for each text, or not as long as it must be."""

    code = "embedding_wrong_vectors"
    transient = False
    default_message = "The embedding provider answered in a form that is not known."
    default_hint = "EMBEDDING_URL must lead to an API in OpenAI's form, and mostly ends in /v1."


class EmbeddingClient:
    """One model behind a base URL that the settings name. Thread-safe, and usable after a fork."""

    def __init__(self, *, base_url: str, model: str, key: str, dimensions: int) -> None:
        """Set up without connecting."""
        self._url = f"{base_url.rstrip('/')}/embeddings"
        self._model = model
        self._key = key
        self._dimensions = dimensions

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._model!r}>"

    def embed(self, texts: Sequence[str], purpose: str, seconds: float) -> Embedded:
        """Return the rows of some texts, of which none is empty. Raises ModelUnavailable or what is below it.

        `seconds` is what all tries together may take; `purpose` is for the ledger.
        """
        until = monotonic() + seconds
        body = json.dumps({"model": self._model, "input": [clean(text) for text in texts]}).encode()
        for tried in range(TRIES):
            found = self._ask(body, purpose, until, len(texts))
            if isinstance(found, Answer):
                return self._read(found.body, texts)
            sleep(pause_before_next(found, tried, until))
        raise ModelUnavailable

    def _ask(self, body: bytes, purpose: str, until: float, count: int) -> Answer | Refusal:
        seconds = until - monotonic()
        if seconds <= 0:
            return Refusal(ModelTooSlow())
        try:
            answer = client.fetch(self._call(body, purpose, seconds, count))
        except (OutboundFailed, OutboundRefused) as exc:
            return unanswered(exc)
        return answer if answer.status == 200 else refusal(answer.status, answer.headers, answer.body)

    def _call(self, body: bytes, purpose: str, seconds: float, count: int) -> Call:
        return Call(
            self._url,
            purpose,
            method="POST",
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                **({"Authorization": f"Bearer {self._key}"} if self._key else {}),
            },
            body=body,
            seconds=seconds,
            most_bytes=count * self._dimensions * _BYTES_PER_NUMBER + _SPARE,
            by_setting=True,
        )

    def _read(self, body: bytes, texts: Sequence[str]) -> Embedded:
        try:
            answer = json.loads(body)
            by_index = {_index(one["index"]): one["embedding"] for one in answer["data"]}
            rows = self._rows([by_index[index] for index in range(len(texts))], len(answer["data"]))
        except (ValueError, RecursionError, LookupError, TypeError, OverflowError) as exc:
            raise WrongVectors from exc
        return Embedded(rows, _tokens(answer, texts))

    def _rows(self, found: list[Any], given: int) -> NDArray[np.float32]:
        """Return vectors as unit rows. Raises ValueError for what is none, WrongVectors for a wrong length."""
        import numpy as np

        rows = np.asarray(found)
        if given != len(found) or rows.ndim != 2 or rows.dtype.kind not in "fi":
            raise ValueError("no vector for each text")
        if rows.shape[1] != self._dimensions:
            raise WrongVectors(
                f"The embedding model gives vectors of {rows.shape[1]} numbers, not of {self._dimensions}.",
                hint=f"Set EMBEDDING_DIMENSIONS={rows.shape[1]}, or name another model in EMBEDDING_MODEL.",
            )
        largest = np.abs(rows.astype(np.float64)).max(axis=1, keepdims=True)
        if not (np.isfinite(largest) & (largest > 0)).all():
            raise ValueError("a vector that has no direction")
        scaled = rows / largest  # so that no square is too large or too small
        unit: NDArray[np.float32] = (scaled / np.linalg.norm(scaled, axis=1, keepdims=True)).astype(np.float32)
        return unit


def _index(value: object) -> int:
    if type(value) is not int:
        raise TypeError("an index that is no number")
    return value


def _tokens(answer: dict[str, Any], texts: Sequence[str]) -> int:
    usage = answer.get("usage")
    counted = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    if type(counted) is int and 0 <= counted < _MOST_TOKENS:
        return counted
    return sum(len(text.encode(errors="replace")) // _BYTES_PER_TOKEN + 1 for text in texts)
