"""Portkey's own gateway, from npm, between its model and a server that speaks OpenAI's protocol.

It runs without an account: the provider and where that is are told in headers, as the open-source gateway takes them.
Its server library is held at 1.13.8 (`node/package.json`): with later ones, which the gateway's own range allows, it
answers every stream with status 500, because they hand on headers that it then cannot change.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from integrations.llm.base import ModelKeyRefused, ModelQuotaSpent, ModelUnavailable, ModelUnknown
from integrations.llm.portkey import PortkeyModel
from tests.contracts.language_model import drained, prompt
from tests.node_packages import node_folder
from tests.openai_server import KEY, MODEL, OpenAIServer, Reply, failure

pytestmark = [pytest.mark.services, pytest.mark.timeout(700)]

NODE = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    """The gateway's base URL."""
    folder = node_folder(NODE, "test-portkey")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = folder / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    command = ["node", str(script), f"--port={port}", "--headless"]
    environment = {**os.environ, "NODE_ENV": "production"}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.send_signal(signal.SIGKILL)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, "the gateway ended by itself"
        try:
            httpx.get(f"http://127.0.0.1:{port}/", timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the gateway does not answer")


@pytest.fixture
def model(gateway: str, openai_server: OpenAIServer) -> PortkeyModel:
    return PortkeyModel(
        key="pk-local",
        provider="openai",
        provider_key=KEY,
        custom_host=openai_server.base_url,
        model=MODEL,
        base_url=gateway,
        by_setting=True,
    )


def test_an_answer_is_streamed_through_it(model: PortkeyModel, openai_server: OpenAIServer) -> None:
    openai_server.script = [Reply(("One", " two", " three"))]
    text, usage = model.complete(prompt())
    assert text == "One two three"
    assert (usage.input_tokens, usage.output_tokens, usage.cut) == (7, 3, False)
    (asked,) = openai_server.chats
    assert asked.body["model"] == MODEL
    assert asked.body["stream"] is True
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert not [name for name in asked.headers if name.startswith("x-portkey")], "they are for the gateway alone"


def test_pieces_come_as_they_are_written(model: PortkeyModel, openai_server: OpenAIServer) -> None:
    """Nothing is said of the end: the gateway reads on when its client has left, as long as the provider writes."""
    openai_server.script = [Reply(("One",), endless=True, pause=0.05)]
    writing = model.stream(prompt())
    assert next(writing).startswith("One")
    writing.close()


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (failure(401, "invalid_api_key", f"Incorrect API key provided: {KEY}"), ModelKeyRefused),
        (failure(404, "model_not_found"), ModelUnknown),
        (failure(429, "insufficient_quota"), ModelQuotaSpent),
        (failure(500, None), ModelUnavailable),
    ],
)
def test_what_the_provider_refuses_is_understood_through_it(
    model: PortkeyModel, openai_server: OpenAIServer, reply: Reply, error: type[ModelUnavailable]
) -> None:
    openai_server.script = [reply] * 9
    _, ended = drained(model, prompt())
    assert type(ended) is error
    assert KEY not in f"{ended} {getattr(ended, 'hint', '')}"


def test_a_config_retries_at_the_gateway(gateway: str, openai_server: OpenAIServer) -> None:
    openai_server.script = [failure(503, None), Reply()]
    config = {
        "provider": "openai",
        "api_key": KEY,
        "custom_host": openai_server.base_url,
        "retry": {"attempts": 2, "on_status_codes": [503]},
    }
    model = PortkeyModel(key="pk-local", config=json.dumps(config), model=MODEL, base_url=gateway, by_setting=True)
    assert model.complete(prompt())[0] == "Hello world."
    assert len(openai_server.chats) == 2


def test_a_test_says_what_works_through_it(model: PortkeyModel) -> None:
    verdict = model.test()
    assert (verdict.works, verdict.code) == (True, "ok")


def test_a_gateway_that_reaches_no_provider_is_told(gateway: str) -> None:
    nowhere = PortkeyModel(
        key="pk-local",
        provider="openai",
        provider_key=KEY,
        custom_host="http://127.0.0.1:9/v1",
        model=MODEL,
        base_url=gateway,
        by_setting=True,
    )
    _, ended = drained(nowhere, prompt(seconds=3))
    assert isinstance(ended, ModelUnavailable)
