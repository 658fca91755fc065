"""OpenAI's protocol: chat completions over server-sent events, as nearly every provider and local server speaks it.

Before the first piece, what may pass is tried again with growing pauses; after it nothing is. The time limit holds for
all of it: what came until then is the answer, and the usage says that it was cut.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack
from time import monotonic, sleep
from typing import Any

from integrations.base import Verdict
from integrations.llm.answers import AnswerReader, clean
from integrations.llm.base import LanguageModel, Message, ModelTooSlow, ModelUnavailable, Prompt, Role, Usage
from integrations.llm.refusals import Refusal, refusal, strange, unanswered
from integrations.llm.retrying import TRIES, pause_before_next
from integrations.llm.sse import events
from orchestra.common.outbound import client
from orchestra.common.outbound.addresses import is_loopback
from orchestra.common.outbound.client import Call, StreamedAnswer
from orchestra.common.outbound.errors import OutboundFailed, OutboundRefused, OutboundTooLong, OutboundTooSlow

_MOST_BYTES = 8 * 1024**2
_MOST_BYTES_OF_ERROR = 64 * 1024
_MOST_MODELS = 1_000
_LONGEST_NAME = 200
_LIST_SECONDS = 10.0
_TEST_SECONDS = 30.0
_TEST = Message(Role.USER, "Answer with the word OK.")


class OpenAIProtocol(LanguageModel):
    """A model behind a base URL. `by_setting`: an administrator named the address, so it may be private."""

    name = "openai-protocol"
    tokens_field = "max_tokens"
    # What a request can do without, should the server not know it.
    optional = frozenset({"temperature", "stream_options", "usage"})

    def __init__(self, *, base_url: str, model: str = "", key: str = "", by_setting: bool = False) -> None:
        """Set up without connecting."""
        self._base_url = base_url.rstrip("/")
        self._model = model
        self._key = key
        self._by_setting = by_setting

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._model!r}>"

    @property
    def model(self) -> str:
        """The configured model's name; empty where the server has one of its own."""
        return self._model

    @property
    def local(self) -> bool:
        """Whether the server is on this machine, by a loopback address. Where that sends a prompt it alone knows."""
        try:
            return is_loopback(client.host_of(self._base_url))
        except OutboundRefused:
            return False

    def stream(self, prompt: Prompt) -> Generator[str, None, Usage]:
        """Yield the answer as it is written."""
        until = monotonic() + prompt.seconds
        reader = AnswerReader(prompt, clean(prompt.model or self._model)[:_LONGEST_NAME])
        with ExitStack() as call:
            answer = self._answer(prompt, until, call)
            try:
                for piece in _pieces(answer, reader):
                    if piece:
                        yield piece
                    if reader.full:
                        break
            except (OutboundTooSlow, OutboundTooLong) as exc:
                if not reader.written:
                    raise (ModelTooSlow() if isinstance(exc, OutboundTooSlow) else strange()) from exc
                reader.ended = False
            except OutboundFailed as exc:
                raise ModelUnavailable("The model's answer broke off.") from exc
        return reader.usage()

    def models(self) -> tuple[str, ...]:
        """Return the names of the server's models, in its order; none where it does not list them."""
        call = self._call("/models", "list of models", _LIST_SECONDS)
        try:
            answer = client.fetch(call)
            listed = json.loads(answer.body)["data"] if answer.status == 200 else []
            names = [one["id"] for one in listed[:_MOST_MODELS]]
        except (OutboundFailed, OutboundRefused, ValueError, RecursionError, LookupError, TypeError):
            return ()
        return tuple(name for name in names if isinstance(name, str) and name.isprintable() and len(name) <= 200)

    def test(self) -> Verdict:
        """Ask for one word, and for the list of models."""
        models = self.models()
        try:
            self.complete(Prompt((_TEST,), "test of a model", most_tokens=16, seconds=_TEST_SECONDS))
        except ModelUnavailable as exc:
            return Verdict(False, exc.code, exc.message, exc.hint, models)
        return Verdict(True, "ok", f"The model {self._model} answers." if self._model else "It answers.", models=models)

    def headers(self) -> dict[str, str]:
        """Return what every request carries; a provider adds its own."""
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def body(self, prompt: Prompt) -> dict[str, Any]:
        """Return the request for a prompt; a provider adds its own fields."""
        messages = [{"role": one.role.value, "content": clean(one.content)} for one in prompt.messages]
        model = prompt.model or self._model
        return {
            **({"model": model} if model else {}),
            "messages": messages,
            "temperature": prompt.temperature,
            self.tokens_field: prompt.most_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    def _answer(self, prompt: Prompt, until: float, call: ExitStack) -> StreamedAnswer:
        """Return the head of an answer, which `call` ends. Raises ModelUnavailable or what is below it."""
        body = self.body(prompt)
        for tried in range(TRIES):
            found = self._ask(prompt, body, until, call)
            if isinstance(found, StreamedAnswer):
                return found
            if found.parameter in self.optional and body.pop(found.parameter, None) is not None:
                continue
            sleep(pause_before_next(found, tried, until))
        raise ModelUnavailable

    def _ask(self, prompt: Prompt, body: Mapping[str, Any], until: float, call: ExitStack) -> StreamedAnswer | Refusal:
        seconds = until - monotonic()
        if seconds <= 0:
            return Refusal(ModelTooSlow())
        sent = json.dumps(body).encode()
        with ExitStack() as opened:
            try:
                asked = self._call("/chat/completions", prompt.purpose, seconds, sent)
                answer = opened.enter_context(client.stream(asked))
                if answer.status == 200:
                    call.push(opened.pop_all())
                    return answer
                return refusal(answer.status, answer.headers, _head_of(answer))
            except (OutboundFailed, OutboundRefused) as exc:
                return unanswered(exc)

    def _call(self, path: str, purpose: str, seconds: float, body: bytes = b"") -> Call:
        kind = {"Content-Type": "application/json"} if body else {}
        return Call(
            self._base_url + path,
            purpose,
            method="POST" if body else "GET",
            headers={**kind, **self.headers()},
            body=body,
            seconds=seconds,
            most_bytes=_MOST_BYTES,
            by_setting=self._by_setting,
        )


def _pieces(answer: StreamedAnswer, reader: AnswerReader) -> Iterator[str]:
    """Yield the texts of an answer. Raises ModelUnavailable, OutboundFailed or what is below them."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":  # a server that does not stream
        yield reader.whole(b"".join(answer.pieces()).decode("utf-8", "replace"))
        return
    if kind == "text/html":
        raise strange()
    read = False
    for data in events(answer.pieces()):
        if data.strip() == "[DONE]":
            reader.ended = True
            return
        yield reader.piece(data)
        read = True
    if not read:
        raise strange()


def _head_of(answer: StreamedAnswer) -> bytes:
    """Return the beginning of a refusal's text, as far as it comes."""
    found = bytearray()
    try:
        for piece in answer.pieces():
            found += piece
            if len(found) >= _MOST_BYTES_OF_ERROR:
                break
    except OutboundFailed:
        pass  # the status says enough
    return bytes(found)
