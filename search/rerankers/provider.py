"""A reranker behind an address: POST {model, query, documents, top_n} → {results: [{index, relevance_score}]}.

That is how Cohere, Jina, vLLM and OpenVINO Model Server speak. What comes back is hostile until it was checked, and
neither the key nor a passage gets into an error or the log.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING, Any

from search.indexing.embedding import PerProcess
from search.indexing.packaged_model import encodable
from search.rerankers.base import Reranker, RerankerUnavailable

if TYPE_CHECKING:
    import httpx

_MOST_BYTES = 1024 * 1024  # of an answer: a hundred results take ten thousand
_AT_A_TIME = 8
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
        self._prepare()

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Return the provider's score of each passage."""
        if not passages:
            return []
        question = {"query": encodable(query), "documents": [encodable(passage) for passage in passages]}
        asked = {"model": self._model, **question, "top_n": len(passages)}
        waiting = self._threads.get().submit(self._ask, asked)
        try:
            answer = waiting.result(self._seconds)
        except TimeoutError as error:
            waiting.cancel()
            raise RerankerUnavailable("The reranker's provider took too long.", hint=_SLOW) from error
        return _scores(answer, len(passages))

    def close(self) -> None:
        """Close this process's connections and threads; the next call opens new ones."""
        self._threads.get().shutdown(wait=True)
        self._client.get().close()
        self._prepare()

    def _prepare(self) -> None:
        self._client = PerProcess(self._open)
        # A time-out per read alone would let a server that sends a byte now and then hold a search for ever.
        self._threads = PerProcess(lambda: ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="reranker"))

    def _ask(self, asked: dict[str, Any]) -> bytes:
        import httpx

        until = monotonic() + self._seconds
        try:
            with self._client.get().stream("POST", self._url, json=asked) as response:
                if response.status_code != HTTPStatus.OK:
                    raise _refused(response.status_code)
                return _body(response, until)
        except httpx.TimeoutException as error:
            raise RerankerUnavailable("The reranker's provider took too long.", hint=_SLOW) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise RerankerUnavailable(
                "The reranker's provider does not answer.", hint="Look at RERANKER_URL."
            ) from error

    def _open(self) -> httpx.Client:
        import httpx

        # As it is, uncompressed: what unpacks to gigabytes cannot be read by accident.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        # Redirects would carry passages to where nobody configured; the environment's proxies and .netrc likewise.
        return httpx.Client(headers=headers, timeout=self._seconds, follow_redirects=False, trust_env=False)


def _refused(status: int) -> RerankerUnavailable:
    return RerankerUnavailable(
        f"The reranker's provider answered with status {status}.", hint=_HINTS.get(status, ""), status=status
    )


def _body(response: httpx.Response, until: float) -> bytes:
    body = bytearray()
    for piece in response.iter_raw():
        body += piece
        if monotonic() > until:  # nobody waits for it any more: the thread is needed
            raise RerankerUnavailable("The reranker's provider took too long.", hint=_SLOW)
        if len(body) > _MOST_BYTES:
            raise RerankerUnavailable("The reranker's provider sent a longer answer than any reranker gives.")
    return bytes(body)


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
