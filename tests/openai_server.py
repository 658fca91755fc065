"""A server on loopback that speaks OpenAI's protocol as the real one does: models, chats, streams, embeddings, errors.

`answer` makes each answer, or its text, out of the request, and `embed` the vectors; `script` holds replies that come
first, one per request.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from search.indexing.embedders.hashing import HashingEmbedder
from tests.loopback import serving

KEY = "sk-local-0123456789"
MODEL = "small"
Body = dict[str, Any]


def hashed(texts: list[str]) -> list[list[float]]:
    """Return the vectors of the double that knows no model, of twice their unit length."""
    return [[2 * float(number) for number in row] for row in HashingEmbedder().embed_passages(texts)]


@dataclass(frozen=True)
class Reply:
    """One scripted reply. `raw` is sent as the body, as it is; `endless` repeats the pieces until the client leaves.

    `tools` are calls of tools that the model asks for, in OpenAI's form.
    """

    pieces: tuple[str, ...] = ("Hello", " world", ".")
    status: int = 200
    error: object = None
    headers: tuple[tuple[str, str], ...] = ()
    usage: object = field(default_factory=lambda: {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10})
    finish: str | None = "stop"
    pause: float = 0.0
    silent: float = 0.0
    raw: bytes | None = None
    content_type: str = "text/event-stream"
    endless: bool = False
    breaks_off: bool = False
    tools: tuple[Body, ...] = ()


@dataclass
class Asked:
    """One request as it came; names of headers in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: Body

    @property
    def text(self) -> str:
        return "\n".join(message["content"] for message in self.body["messages"])


@dataclass
class OpenAIServer:
    """What the server answers, where it is, and what it was asked."""

    answer: Callable[[Body], str | Reply] = lambda _: "Hello world."
    embed: Callable[[list[str]], list[list[float]]] = hashed
    models: tuple[str, ...] = (MODEL, "large")
    key: str = KEY
    port: int = 0
    script: list[Reply] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def chats(self) -> list[Asked]:
        """The requests for an answer."""
        return [one for one in self.asked if one.path == "/v1/chat/completions"]

    @property
    def embedded(self) -> list[str]:
        """The texts that vectors were asked for, in order."""
        asked = (one.body["input"] for one in self.asked if one.path == "/v1/embeddings")
        return [text for texts in asked for text in texts]


def failure(status: int, code: str | None, message: str = "It went wrong.", **more: object) -> Reply:
    """Return a refusal in OpenAI's form."""
    headers = more.pop("headers", ())
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code, **more}
    return Reply(status=status, error=error, headers=headers)  # type: ignore[arg-type]  # given as pairs


@contextmanager
def running_openai_server() -> Iterator[OpenAIServer]:
    """Run a server until the block ends."""
    state = OpenAIServer()

    class Handler(_Handler):
        server_state = state

    with serving(Handler) as state.port:
        yield state


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: OpenAIServer

    def do_GET(self) -> None:
        self._note({})
        if refused := self._refused_key():
            self._send_json(401, refused)
        elif self.path == "/v1/models":
            listed = [{"id": name, "object": "model", "owned_by": "local"} for name in self.server_state.models]
            self._send_json(200, {"object": "list", "data": listed})
        else:
            self._send_json(
                404, {"error": {"message": f"Invalid URL (GET {self.path})", "type": "invalid_request_error"}}
            )

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._note(body)
        try:
            self._answer(body)
        except (BrokenPipeError, ConnectionResetError):
            self.server_state.left.set()
            self.close_connection = True

    def log_message(self, *_: object) -> None: ...

    def _note(self, body: Body) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server_state.asked.append(Asked(self.command, self.path, headers, body))

    def _answer(self, body: Body) -> None:
        state = self.server_state
        if self.path not in ("/v1/chat/completions", "/v1/embeddings"):
            return self._send_json(404, {"error": {"message": f"Invalid URL (POST {self.path})"}})
        if refused := self._refused_key():
            return self._send_json(401, refused)
        reply = state.script.pop(0) if state.script else None
        if reply is None and body.get("model") not in state.models:
            error = {"message": "The model does not exist", "type": "invalid_request_error", "code": "model_not_found"}
            return self._send_json(404, {"error": error})
        if reply is None and self.path == "/v1/embeddings":
            return self._embed(body)
        self._reply(body, reply or self._written(body))
        return None

    def _written(self, body: Body) -> Reply:
        said = self.server_state.answer(body)
        return Reply(_pieces(said)) if isinstance(said, str) else said

    def _reply(self, body: Body, reply: Reply) -> None:
        time.sleep(reply.silent)
        if reply.status != 200:
            return self._send_json(reply.status, {"error": reply.error}, reply.headers)
        if reply.raw is not None:
            return self._send_raw(reply)
        return self._stream(body, reply) if body.get("stream") else self._send_whole(body, reply)

    def _embed(self, body: Body) -> None:
        texts = body["input"]
        if not all(isinstance(text, str) and text for text in texts):
            return self._send_json(400, {"error": {"message": "'$.input' is invalid.", "param": None, "code": None}})
        rows = [
            {"object": "embedding", "index": index, "embedding": row}
            for index, row in enumerate(self.server_state.embed(texts))
        ]
        tokens = sum(len(text.split()) for text in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return self._send_json(200, {"object": "list", "data": rows[::-1], "model": body["model"], "usage": usage})

    def _refused_key(self) -> Body | None:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not self.server_state.key or given == self.server_state.key:
            return None
        message = f"Incorrect API key provided: {given}."  # as the real one does
        return {"error": {"message": message, "type": "invalid_request_error", "code": "invalid_api_key"}}

    def _send_json(self, status: int, body: object, headers: tuple[tuple[str, str], ...] = ()) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), *headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_raw(self, reply: Reply) -> None:
        self.send_response(200)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.raw or b"")
        while reply.endless:
            self.wfile.write(reply.raw or b"")
            time.sleep(reply.pause)
        self.close_connection = True

    def _send_whole(self, body: Body, reply: Reply) -> None:
        message = {"role": "assistant", "content": "".join(reply.pieces), "tool_calls": list(reply.tools)}
        choice = {"index": 0, "message": message, "finish_reason": reply.finish}
        self._send_json(200, {**_frame(body, "chat.completion"), "choices": [choice], "usage": reply.usage})

    def _stream(self, body: Body, reply: Reply) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._event(body, [_delta({"role": "assistant", "content": ""})])
        for piece in reply.pieces:
            self._event(body, [_delta({"content": piece})])
            time.sleep(reply.pause)
        for tool in reply.tools:
            self._event(body, [_delta({"tool_calls": [tool]})])
        while reply.endless:
            for piece in reply.pieces:
                self._event(body, [_delta({"content": piece})])
                time.sleep(reply.pause)
        if reply.breaks_off:
            self.close_connection = True
            return
        if reply.finish:
            self._event(body, [_delta({}, reply.finish)])
        if (body.get("stream_options") or {}).get("include_usage") or "usage" in body:
            self._event(body, [], usage=reply.usage)
        if reply.finish:
            self._chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, body: Body, choices: list[Body], **more: object) -> None:
        frame = {**_frame(body, "chat.completion.chunk"), "choices": choices, **more}
        self._chunk(b"data: " + json.dumps(frame).encode() + b"\n\n")

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()


def _frame(body: Body, kind: str) -> Body:
    return {"id": "chatcmpl-1", "object": kind, "created": 1_700_000_000, "model": body.get("model", "")}


def _delta(delta: Body, finish: str | None = None) -> Body:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _pieces(text: str) -> tuple[str, ...]:
    """Return a text in pieces of a few signs, as a model writes it."""
    return tuple(text[start : start + 5] for start in range(0, len(text), 5))
