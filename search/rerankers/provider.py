"""A reranker behind an address: POST {model, query, documents, top_n} → {results: [{index, relevance_score}]}.

That is how Cohere, Jina, vLLM and OpenVINO Model Server speak. What comes back is hostile until it was checked, and
neither the key nor a passage gets into an error or the log.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from orchestra.common.outbound.client import Answer, Call, fetch
from orchestra.common.outbound.errors import OutboundFailed, OutboundRefused, OutboundTooLong, OutboundTooSlow
from search.indexing.packaged_model import encodable
from search.rerankers.base import Reranker, RerankerUnavailable

_MOST_BYTES = 1024 * 1024  # of an answer: a hundred results take ten thousand
_SLOW = "Try again, raise RERANK_SECONDS, or lower RERANK_DEPTH."
_HINTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Look at RERANKER_API_KEY.",
    HTTPStatus.FORBIDDEN: "Look at RERANKER_API_KEY.",
    HTTPStatus.NOT_FOUND: "Look at RERANKER_URL and RERANKER_MODEL.",
    HTTPStatus.TOO_MANY_REQUESTS: "The provider limits how often it is asked: try again later.",
}


class ProviderReranker(Reranker):
    """Another server's model. The question and the passages are sent to it."""

    name = "provider"
    local = False

    def __init__(self, *, url: str, model: str = "", key: str = "", seconds: float = 5) -> None:
        """Set up without connecting. `seconds` is what one call may take, from connecting to the answer's last byte."""
        self._url = url
        self._model = model
        self._key = key
        self._seconds = seconds

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Return the provider's score of each passage."""
        if not passages:
            return []
        question = {"query": encodable(query), "documents": [encodable(passage) for passage in passages]}
        answer = self._ask({"model": self._model, **question, "top_n": len(passages)})
        if answer.status != HTTPStatus.OK:
            raise _refused(answer.status)
        return _scores(answer.body, len(passages))

    def _ask(self, asked: dict[str, Any]) -> Answer:
        try:
            return fetch(self._call(json.dumps(asked).encode()))
        except OutboundTooSlow as error:
            raise RerankerUnavailable("The reranker's provider took too long.", hint=_SLOW) from error
        except OutboundTooLong as error:
            raise RerankerUnavailable(
                "The reranker's provider sent a longer answer than any reranker gives."
            ) from error
        except (OutboundFailed, OutboundRefused) as error:
            raise RerankerUnavailable(
                "The reranker's provider does not answer.", hint="Look at RERANKER_URL."
            ) from error

    def _call(self, body: bytes) -> Call:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return Call(
            self._url,
            "reranking",
            method="POST",
            headers=headers,
            body=body,
            seconds=self._seconds,
            most_bytes=_MOST_BYTES,
            by_setting=True,
        )


def _refused(status: int) -> RerankerUnavailable:
    return RerankerUnavailable(
        f"The reranker's provider answered with status {status}.", hint=_HINTS.get(status, ""), status=status
    )


def _scores(answer: bytes, count: int) -> list[float]:
    """Return the scores of an answer, in the order of the passages. Every passage must have exactly one."""
    try:
        results = json.loads(answer)["results"]
        found = {_index(result["index"], count): _score(result["relevance_score"]) for result in results}
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise _strange() from error
    if len(found) != count or len(results) != count:
        raise _strange()
    return [found[index] for index in range(count)]


def _index(value: object, count: int) -> int:
    if type(value) is not int or not 0 <= value < count:
        raise ValueError("an index that no passage has")
    return value


def _score(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]  # a number by then
        raise ValueError("a score that is no number")
    return float(value)  # type: ignore[arg-type]


def _strange() -> RerankerUnavailable:
    return RerankerUnavailable(
        "The reranker's provider answered in a form that is not known.",
        hint="RERANKER_URL must lead to a /rerank address in the form of Cohere, Jina or vLLM.",
    )
