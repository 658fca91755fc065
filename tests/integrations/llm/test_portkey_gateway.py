"""Portkey's own open-source gateway between us and a server that speaks OpenAI's protocol."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.llm.base import ModelKeyRefused, ModelQuotaSpent
from integrations.llm.portkey import PortkeyModel
from orchestra.common.outbound.client import Call, fetch
from orchestra.common.outbound.errors import OutboundFailed
from tests.contracts.language_model import prompt
from tests.machines import free_port
from tests.node_packages import node_folder
from tests.openai_server import KEY, MODEL, OpenAIServer, Reply, failure

_SERVER = "node_modules/@portkey-ai/gateway/build/start-server.js"
_SECONDS = 30


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    """The base URL of a gateway."""
    port = free_port()
    command = ["node", _SERVER, f"--port={port}", "--headless"]
    folder = node_folder(Path(__file__).parent / "node")
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(f"http://127.0.0.1:{port}/")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def _wait(url: str) -> None:
    until = time.monotonic() + _SECONDS
    while True:
        try:
            fetch(Call(url, "a test", seconds=5, by_setting=True))
        except OutboundFailed:
            assert time.monotonic() < until, "the gateway does not start"
            time.sleep(0.2)
        else:
            return


@pytest.fixture
def model(gateway: str, openai_server: OpenAIServer) -> PortkeyModel:
    return PortkeyModel(
        provider="openai",
        provider_key=KEY,
        custom_host=openai_server.base_url,
        model=MODEL,
        base_url=gateway,
        by_setting=True,
    )


def test_an_answer_comes_through_in_pieces(model: PortkeyModel, openai_server: OpenAIServer) -> None:
    openai_server.script = [Reply(("One", " two", " three"), pause=0.3)]
    began = time.monotonic()
    writing = model.stream(prompt())
    assert next(writing) == "One"
    assert time.monotonic() - began < 0.6
    assert "".join(writing) == " two three"
    assert openai_server.chats[0].headers["authorization"] == f"Bearer {KEY}"
    assert not [name for name in openai_server.chats[0].headers if name.startswith("x-portkey-api-key")]


def test_what_an_answer_took_comes_through(model: PortkeyModel, openai_server: OpenAIServer) -> None:
    openai_server.script = [Reply()]
    text, usage = model.complete(prompt())
    assert (text, usage.input_tokens, usage.output_tokens, usage.cut) == ("Hello world.", 7, 3, False)


@pytest.mark.usefixtures("no_pauses")
def test_refusals_come_through(model: PortkeyModel, openai_server: OpenAIServer) -> None:
    openai_server.script = [failure(429, "insufficient_quota")]
    with pytest.raises(ModelQuotaSpent):
        model.complete(prompt())
    openai_server.script = [failure(429, "rate_limit_exceeded"), Reply()]
    assert model.complete(prompt())[0] == "Hello world."
    openai_server.key = "another"
    with pytest.raises(ModelKeyRefused):
        model.complete(prompt())
