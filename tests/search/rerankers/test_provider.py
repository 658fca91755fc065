"""Against a server in this process, which answers as told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from orchestra.common.outbound import guard
from orchestra.common.outbound.ledger import watched
from search.rerankers.base import RerankerUnavailable
from search.rerankers.provider import ProviderReranker
from tests.contracts.reranker import RerankerContract
from tests.pace import within

KEY = "sk-very-secret"
Answer = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


@dataclass
class Provider:
    """A server with the answer that it gives, and what it was asked."""

    answer: Answer
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def by_length(handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
    """Score by length, best first, with the text beside it as some providers do."""
    results: list[dict[str, Any]] = [
        {"index": index, "relevance_score": len(text) / 1000, "document": {"text": text}}
        for index, text in enumerate(asked["documents"])
    ]
    results.sort(key=lambda result: -result["relevance_score"])
    send(handler, json.dumps({"id": "1", "results": results[: asked["top_n"]]}).encode())


@pytest.fixture
def provider() -> Iterator[Provider]:
    running = Provider(by_length)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            running.asked.append({"path": self.path, **asked})
            running.headers.append(dict(self.headers))
            try:
                running.answer(self, asked)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running.url = f"http://127.0.0.1:{server.server_port}/v1/rerank"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield running
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def reranker(provider: Provider) -> ProviderReranker:
    return ProviderReranker(url=provider.url, model="a-model", key=KEY)


class TestProviderReranker(RerankerContract):
    """The contract, on a provider."""


def test_a_provider_is_asked_as_cohere_is(reranker: ProviderReranker, provider: Provider) -> None:
    assert reranker.scores("a question", ["one", "three"]) == [0.003, 0.005]
    assert provider.asked == [
        {"path": "/v1/rerank", "model": "a-model", "query": "a question", "documents": ["one", "three"], "top_n": 2}
    ]
    assert provider.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert not reranker.local


def test_without_a_key_none_is_sent(provider: Provider) -> None:
    reranker = ProviderReranker(url=provider.url)
    assert reranker.scores("q", ["p"]) == [0.001]
    assert "Authorization" not in provider.headers[0]


def test_the_environments_proxies_are_not_used(
    reranker: ProviderReranker, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert reranker.scores("q", ["p"]) == [0.001]


def refusal(reranker: ProviderReranker) -> RerankerUnavailable:
    """Return the error that a call ends with; nothing about it may tell the key, the question or a passage."""
    with pytest.raises(RerankerUnavailable) as caught:
        reranker.scores("a private question", ["a private passage", "another private one"])
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in f"{error!r} {vars(error)}"
        assert "private" not in repr(error)
        error = error.__cause__ or error.__context__
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"results"',
        b'{"results": null}',
        b'{"results": {"index": 0}}',
        b'{"results": [1, 2]}',
        b'{"results": []}',
        b'{"results": [{"index": 0, "relevance_score": 1}]}',
        b'{"results": [{"index": 0, "relevance_score": 1}, {"index": 0, "relevance_score": 1}]}',
        b'{"results": [{"index": 0, "relevance_score": 1}, {"index": 2, "relevance_score": 1}]}',
        b'{"results": [{"index": 0, "relevance_score": 1}, {"index": -1, "relevance_score": 1}]}',
        b'{"results": [{"index": 0, "relevance_score": 1}, {"index": true, "relevance_score": 1}]}',
        b'{"results": [{"index": 0, "relevance_score": 1}, {"index": 1.0, "relevance_score": 1}]}',
        b'{"results": [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": NaN}]}',
        b'{"results": [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": 1e999}]}',
        b'{"results": [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": 1' + b"0" * 400 + b"}]}",
        b'{"results": [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": "1"}]}',
        b'{"results": [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": false}]}',
        b'{"results": [{"index": 0, "relevance_score": 1}, {"index": 1}]}',
        b'{"results": ' + b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_an_answer_that_is_none_is_refused(reranker: ProviderReranker, provider: Provider, body: bytes) -> None:
    provider.answer = lambda handler, _: send(handler, body)
    assert "form that is not known" in refusal(reranker).message


def test_an_endless_answer_is_not_read_to_its_end(reranker: ProviderReranker, provider: Provider) -> None:
    sent: list[int] = []

    def endless(handler: BaseHTTPRequestHandler, _: object) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(10**12))
        handler.end_headers()
        while True:
            sent.append(handler.wfile.write(b" " * 65536))

    provider.answer = endless
    assert "longer answer" in refusal(reranker).message
    assert sum(sent) < 32 * 1024**2


@pytest.mark.parametrize("headers_too", [True, False])
def test_a_server_that_drips_has_no_more_time_than_one_that_is_silent(provider: Provider, headers_too: bool) -> None:
    stop = threading.Event()

    def drip(handler: BaseHTTPRequestHandler, _: object) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"X-Slow: " if headers_too else b"Content-Length: 999\r\n\r\n"))
        while not stop.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()
        handler.close_connection = True

    provider.answer = drip
    reranker = ProviderReranker(url=provider.url, key=KEY, seconds=0.4)
    began = time.monotonic()
    assert "too long" in refusal(reranker).message
    assert time.monotonic() - began < within(15)
    stop.set()


def test_redirects_are_not_followed(reranker: ProviderReranker, provider: Provider) -> None:
    provider.answer = lambda handler, _: send(handler, b"", 307, Location=provider.url)
    assert refusal(reranker).details == {"status": 307}
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "RERANKER_API_KEY"), (404, "RERANKER_URL"), (429, "later"), (500, "doctor"), (599, "")]
)
def test_a_refusal_says_what_to_look_at(reranker: ProviderReranker, provider: Provider, status: int, hint: str) -> None:
    provider.answer = lambda handler, _: send(handler, KEY.encode(), status)
    error = refusal(reranker)
    assert str(status) in error.message
    assert hint in error.hint


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/rerank", "http://does-not-exist.invalid/", "http://[", "http://"])
def test_a_server_that_is_not_there_is_told(url: str) -> None:
    reranker = ProviderReranker(url=url, key=KEY, seconds=5)
    assert refusal(reranker).code == "reranker_unavailable"


def test_a_lost_connection_is_told_and_the_next_call_works(reranker: ProviderReranker, provider: Provider) -> None:
    def hang_up(handler: BaseHTTPRequestHandler, _: object) -> None:
        handler.connection.close()
        handler.close_connection = True

    provider.answer = hang_up
    assert "does not answer" in refusal(reranker).message
    provider.answer = by_length
    assert reranker.scores("q", ["p"]) == [0.001]


def test_what_left_the_machine_stands_in_the_ledger(reranker: ProviderReranker) -> None:
    with watched() as entries:
        reranker.scores("q", ["p"])
    (entry,) = entries
    assert (entry.host, entry.purpose, entry.refused) == ("127.0.0.1", "reranking", False)
    assert entry.sent > 10
    assert entry.received > 10


def test_nothing_is_asked_where_nothing_may_leave(reranker: ProviderReranker, provider: Provider) -> None:
    reranker.scores("q", ["p"])  # leaves a connection open
    with guard.closed():
        assert refusal(reranker).code == "reranker_unavailable"
    assert len(provider.asked) == 1
