"""What every language model promises. A test class inherits this and gives the fixtures `model` and `openai_server`."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from integrations.llm.base import (
    LanguageModel,
    Message,
    ModelKeyRefused,
    ModelQuotaSpent,
    ModelTooSlow,
    ModelUnavailable,
    ModelUnknown,
    Prompt,
    Role,
    Usage,
)
from orchestra.common.outbound import guard
from orchestra.common.outbound.ledger import watched
from tests.openai_server import KEY, OpenAIServer, Reply, failure
from tests.pace import within

SECRET = "the secret question"


def prompt(text: str = SECRET, *, seconds: float = 5.0, most_tokens: int = 100, model: str = "") -> Prompt:
    messages = (Message(Role.SYSTEM, "You answer."), Message(Role.USER, text))
    return Prompt(messages, "a test", model=model, seconds=seconds, most_tokens=most_tokens)


def chunk(content: object, **more: object) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": None}
    return b"data: " + json.dumps({"choices": [choice], **more}).encode() + b"\n\n"


def drained(model: LanguageModel, asked: Prompt) -> tuple[list[str], Usage | ModelUnavailable]:
    """Return the pieces, and the usage or the error that the answer ended with."""
    pieces: list[str] = []
    writing = model.stream(asked)
    while True:
        try:
            pieces.append(next(writing))
        except StopIteration as ended:
            return pieces, ended.value
        except ModelUnavailable as exc:
            return pieces, exc


def tells_nothing(error: BaseException | None) -> bool:
    """Tell whether an error, with all that it came from, keeps key and question to itself."""
    while error is not None:
        shown = f"{error!r} {error} {getattr(error, 'hint', '')} {getattr(error, 'details', '')}"
        if KEY in shown or SECRET in shown:
            return False
        error = error.__cause__ or error.__context__
    return True


class LanguageModelContract:
    """Inherit, and define the fixtures `model` and `openai_server`; `no_pauses` makes retries quick."""

    def test_it_says_what_it_is_and_hides_its_key(self, model: LanguageModel) -> None:
        assert model.name
        assert model.local in (True, False)
        assert KEY not in f"{model!r} {model}"

    def test_pieces_come_as_they_are_written(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        openai_server.script = [Reply(("One", " two", " three"), pause=2)]
        began = time.monotonic()
        writing = model.stream(prompt())
        assert next(writing) == "One"
        assert time.monotonic() - began < within(2)
        writing.close()

    def test_a_whole_answer_and_what_it_took(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        openai_server.script = [Reply()]
        text, usage = model.complete(prompt())
        assert text == "Hello world."
        assert (usage.input_tokens, usage.output_tokens, usage.cut) == (7, 3, False)
        assert openai_server.chats[0].body["messages"][1] == {"role": "user", "content": SECRET}
        assert openai_server.chats[0].body["stream"] is True

    def test_without_figures_they_are_estimated(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        openai_server.script = [Reply(usage=None), Reply(usage={"prompt_tokens": -1, "completion_tokens": "many"})]
        for _ in range(2):
            _, usage = model.complete(prompt())
            assert 1 < usage.input_tokens < 100
            assert 1 < usage.output_tokens < 100

    def test_an_answer_at_its_budget_is_cut(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        openai_server.script = [Reply(finish="length")]
        assert model.complete(prompt())[1].cut

    def test_a_server_that_does_not_stream_is_read(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        whole = {"choices": [{"message": {"content": "All at once."}, "finish_reason": "stop"}]}
        openai_server.script = [Reply(raw=json.dumps(whole).encode(), content_type="application/json")]
        text, usage = model.complete(prompt())
        assert (text, usage.cut) == ("All at once.", False)

    @pytest.mark.usefixtures("no_pauses")
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
    def test_what_passes_is_tried_again(self, model: LanguageModel, openai_server: OpenAIServer, status: int) -> None:
        openai_server.script = [failure(status, None), failure(status, None), Reply()]
        assert model.complete(prompt())[0] == "Hello world."
        assert len(openai_server.chats) == 3

    @pytest.mark.usefixtures("no_pauses")
    def test_what_does_not_pass_is_told_after_some_tries(
        self, model: LanguageModel, openai_server: OpenAIServer
    ) -> None:
        openai_server.script = [failure(429, "rate_limit_exceeded")] * 9
        with pytest.raises(ModelQuotaSpent):
            model.complete(prompt())
        assert 1 < len(openai_server.chats) < 9
        openai_server.script = [failure(500, None)] * 9
        with pytest.raises(ModelUnavailable) as caught:
            model.complete(prompt())
        assert "500" in caught.value.message

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            (failure(401, "invalid_api_key", f"Incorrect API key provided: {KEY}"), ModelKeyRefused),
            (failure(403, None), ModelKeyRefused),
            (failure(404, "model_not_found"), ModelUnknown),
            (failure(400, None, "x is not a valid model ID"), ModelUnknown),
            (failure(402, None), ModelQuotaSpent),
            (failure(429, "insufficient_quota"), ModelQuotaSpent),
            (failure(400, "context_length_exceeded", SECRET), ModelUnavailable),
            (failure(302, None, headers=(("Location", "http://127.0.0.1:1/"),)), ModelUnavailable),
            (failure(405, None), ModelUnavailable),
        ],
    )
    def test_a_refusal_is_told_at_once_and_in_our_words(
        self, model: LanguageModel, openai_server: OpenAIServer, reply: Reply, error: type[ModelUnavailable]
    ) -> None:
        openai_server.script = [reply]
        with pytest.raises(error) as caught:
            model.complete(prompt())
        assert tells_nothing(caught.value)
        assert caught.value.message
        assert len(openai_server.chats) == 1

    @pytest.mark.parametrize(
        "raw",
        [
            *(b"", b"data: {\n\n", b"data: null\n\n", b"data: []\n\n", b"data: 1\n\n", b'data: {"choices": 1}\n\n'),
            *(b'data: {"choices": [1]}\n\n', b"data: " + b"[" * 100_000 + b"\n\n", b"event: ping\n\n", b"\xff\xfe\n"),
            *(b": a comment\n" * 1000, b"data: x" * 200_000, b"HTTP/1.1 200 OK\r\n\r\n", b"data:\n\n"),
        ],
    )
    def test_what_is_no_answer_is_told(self, model: LanguageModel, openai_server: OpenAIServer, raw: bytes) -> None:
        openai_server.script = [Reply(raw=raw)]
        pieces, ended = drained(model, prompt())
        assert pieces == []
        assert isinstance(ended, ModelUnavailable)

    @pytest.mark.parametrize("kind", ["text/html", "application/json"])
    def test_a_page_is_no_answer(self, model: LanguageModel, openai_server: OpenAIServer, kind: str) -> None:
        openai_server.script = [Reply(raw=b"<html><body>Sign in</body></html>", content_type=kind)]
        _, ended = drained(model, prompt())
        assert isinstance(ended, ModelUnavailable)

    @pytest.mark.parametrize("content", [None, 1, [], {}, {"x": 1}, True])
    def test_content_that_is_no_text_is_none(
        self, model: LanguageModel, openai_server: OpenAIServer, content: object
    ) -> None:
        openai_server.script = [Reply(raw=chunk(content) + chunk("words") + b"data: [DONE]\n\n")]
        assert model.complete(prompt())[0] == "words"

    def test_signs_that_no_database_takes_are_left_out(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        openai_server.script = [Reply(raw=chunk("a\x00b\ud800c\U0001f600") + b"data: [DONE]\n\n")]
        assert model.complete(prompt("\ud800 \x00 question"))[0] == "ab�c\U0001f600"

    def test_an_error_in_the_middle_is_told(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        raw = chunk("First") + b'data: {"error": {"code": 429, "message": "insufficient_quota"}}\n\n'
        openai_server.script = [Reply(raw=raw)]
        pieces, ended = drained(model, prompt())
        assert pieces == ["First"]
        assert isinstance(ended, ModelQuotaSpent)

    def test_a_line_that_breaks_is_told_and_not_tried_again(
        self, model: LanguageModel, openai_server: OpenAIServer
    ) -> None:
        openai_server.script = [Reply(("First",), breaks_off=True)]
        pieces, ended = drained(model, prompt())
        assert pieces == ["First"]
        assert isinstance(ended, ModelUnavailable)
        assert len(openai_server.chats) == 1

    def test_at_the_time_limit_what_came_is_the_answer(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        openai_server.script = [Reply(("word ",), endless=True, pause=0.05)]
        began = time.monotonic()
        text, usage = model.complete(prompt(seconds=0.6, most_tokens=10_000))
        assert time.monotonic() - began < within(2)
        assert text.startswith("word word ")
        assert usage.cut
        assert openai_server.left.wait(within(5))

    @pytest.mark.parametrize("reply", [Reply(silent=3), Reply(raw=b": x\n", endless=True, pause=0.05)])
    def test_nothing_in_time_is_told(self, model: LanguageModel, openai_server: OpenAIServer, reply: Reply) -> None:
        openai_server.script = [reply]
        began = time.monotonic()
        with pytest.raises(ModelTooSlow):
            model.complete(prompt(seconds=0.5))
        assert time.monotonic() - began < within(3)

    def test_an_answer_without_end_is_cut(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        openai_server.script = [Reply(("x" * 500,), endless=True)]
        text, usage = model.complete(prompt(most_tokens=10, seconds=20))
        assert len(text) < 10_000
        assert usage.cut

    def test_closing_stops_the_call(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        openai_server.script = [Reply(("x",), endless=True, pause=0.01)]
        writing = model.stream(prompt())
        next(writing)
        writing.close()
        assert openai_server.left.wait(within(5))

    def test_what_left_stands_in_the_ledger(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        with watched() as entries:
            model.complete(prompt())
        (entry,) = entries
        assert (entry.host, entry.purpose, entry.refused) == ("127.0.0.1", "a test", False)
        assert entry.sent > len(SECRET)
        assert entry.received > 0

    def test_nothing_is_asked_where_nothing_may_leave(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        with guard.closed(), pytest.raises(ModelUnavailable):
            model.complete(prompt())
        assert openai_server.chats == []

    def test_threads_may_share_it(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        openai_server.answer = lambda body: f"You said: {body['messages'][1]['content']}"
        found: dict[int, str] = {}

        def ask(number: int) -> None:
            found[number] = model.complete(prompt(f"number {number}"))[0]

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == {number: f"You said: number {number}" for number in range(6)}

    def test_a_fork_of_a_process_that_used_it_can_use_it(self, model: LanguageModel) -> None:
        asked: Callable[[], str] = lambda: model.complete(prompt())[0]  # noqa: E731  # said once for both processes
        expected = asked()
        child = os.fork()
        if child == 0:
            same = False
            signal.alarm(30)
            try:
                same = asked() == expected
            finally:
                os._exit(0 if same else 1)
        assert os.waitpid(child, 0)[1] == 0

    def test_a_test_says_what_works(self, model: LanguageModel, openai_server: OpenAIServer) -> None:
        verdict = model.test()
        assert (verdict.works, verdict.code, verdict.models) == (True, "ok", openai_server.models)

    @pytest.mark.usefixtures("no_pauses")
    @pytest.mark.parametrize(
        ("replies", "code"),
        [
            ([failure(401, "invalid_api_key")], "model_key_refused"),
            ([failure(404, "model_not_found")], "model_unknown"),
            ([failure(429, None)] * 9, "model_quota_spent"),
            ([failure(500, None)] * 9, "model_unavailable"),
            ([Reply(raw=b"<html>", content_type="text/html")], "model_unavailable"),
        ],
    )
    def test_a_test_says_what_is_wrong(
        self, model: LanguageModel, openai_server: OpenAIServer, replies: list[Reply], code: str
    ) -> None:
        openai_server.script = list(replies)
        verdict = model.test()
        assert (verdict.works, verdict.code) == (False, code)
        assert verdict.message
        assert verdict.hint
