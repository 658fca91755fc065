"""Every language model against a server that speaks OpenAI's protocol: the contract, and what is each one's own."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from integrations.llm.base import LanguageModel, ModelUnavailable
from integrations.llm.compatible import CompatibleModel
from integrations.llm.openai import OpenAIModel
from integrations.llm.openrouter import OpenRouterModel
from integrations.llm.portkey import PortkeyModel
from tests.contracts.language_model import LanguageModelContract, prompt
from tests.openai_server import KEY, MODEL, OpenAIServer, Reply, failure
from tests.pace import within


class TestOpenAI(LanguageModelContract):
    """OpenAI's."""

    @pytest.fixture
    def model(self, openai_server: OpenAIServer) -> OpenAIModel:
        return OpenAIModel(key=KEY, model=MODEL, base_url=openai_server.base_url, by_setting=True)

    def test_its_newer_name_of_the_budget_is_used(self, model: OpenAIModel, openai_server: OpenAIServer) -> None:
        model.complete(prompt(most_tokens=42))
        body = openai_server.chats[0].body
        assert (body["max_completion_tokens"], body["stream_options"]) == (42, {"include_usage": True})
        assert "max_tokens" not in body

    def test_a_parameter_that_the_model_does_not_take_is_left_out(
        self, model: OpenAIModel, openai_server: OpenAIServer
    ) -> None:
        openai_server.script = [failure(400, "unsupported_value", param="temperature"), Reply()]
        assert model.complete(prompt())[0] == "Hello world."
        assert "temperature" in openai_server.chats[0].body
        assert "temperature" not in openai_server.chats[1].body


class TestOpenRouter(LanguageModelContract):
    """OpenRouter's."""

    @pytest.fixture
    def model(self, openai_server: OpenAIServer) -> OpenRouterModel:
        return OpenRouterModel(
            key=KEY,
            model=MODEL,
            fallbacks=("large", "b", "c", "d"),
            site="https://files.example.org",
            base_url=openai_server.base_url,
            by_setting=True,
        )

    def test_fallbacks_attribution_and_cost(self, model: OpenRouterModel, openai_server: OpenAIServer) -> None:
        openai_server.script = [Reply(usage={"prompt_tokens": 7, "completion_tokens": 3, "cost": 0.00125})]
        _, usage = model.complete(prompt())
        assert usage.cost == Decimal("0.00125")
        asked = openai_server.chats[0]
        assert asked.body["models"] == [MODEL, "large", "b", "c"]
        assert asked.body["usage"] == {"include": True}
        assert (asked.headers["x-title"], asked.headers["http-referer"]) == ("Orchestra", "https://files.example.org")

    @pytest.mark.parametrize("cost", ["1", -1, float("nan"), float("inf"), True, None, [], 1e300])
    def test_a_price_that_is_none_is_none(
        self, model: OpenRouterModel, openai_server: OpenAIServer, cost: object
    ) -> None:
        openai_server.script = [Reply(usage={"prompt_tokens": 7, "completion_tokens": 3, "cost": cost})]
        assert model.complete(prompt())[1].cost is None

    def test_models_are_listed(self, model: OpenRouterModel, openai_server: OpenAIServer) -> None:
        openai_server.models = ("a/b", "c/d:free", "bad\nname", "x" * 300)
        assert model.models() == ("a/b", "c/d:free")


class TestPortkey(LanguageModelContract):
    """Portkey's."""

    @pytest.fixture
    def model(self, openai_server: OpenAIServer) -> PortkeyModel:
        return PortkeyModel(
            key="pk-1",
            provider_key=KEY,
            model=MODEL,
            config="pc-1",
            virtual_key="vk-1",
            base_url=openai_server.base_url,
            by_setting=True,
        )

    def test_the_gateway_is_told_what_to_do(self, model: PortkeyModel, openai_server: OpenAIServer) -> None:
        model.complete(prompt())
        headers = openai_server.chats[0].headers
        assert {name: value for name, value in headers.items() if name.startswith("x-portkey")} == {
            "x-portkey-api-key": "pk-1",
            "x-portkey-config": "pc-1",
            "x-portkey-virtual-key": "vk-1",
        }

    def test_without_a_model_the_config_decides(self, openai_server: OpenAIServer) -> None:
        openai_server.key = ""
        openai_server.script = [Reply()]
        model = PortkeyModel(key="pk-1", config="pc-1", base_url=openai_server.base_url, by_setting=True)
        assert model.complete(prompt())[0] == "Hello world."
        assert "model" not in openai_server.chats[0].body

    def test_it_is_never_local(self, model: PortkeyModel) -> None:
        assert not model.local


class TestCompatible(LanguageModelContract):
    """Any other server's."""

    @pytest.fixture
    def model(self, openai_server: OpenAIServer) -> CompatibleModel:
        return CompatibleModel(base_url=openai_server.base_url + "/", model=MODEL, key=KEY, by_setting=True)

    def test_without_a_key_none_is_sent(self, openai_server: OpenAIServer) -> None:
        openai_server.key = ""
        CompatibleModel(base_url=openai_server.base_url, model=MODEL, by_setting=True).complete(prompt())
        assert "authorization" not in openai_server.chats[0].headers
        assert openai_server.chats[0].body["max_tokens"] == 100

    def test_a_users_address_may_not_be_private(self, openai_server: OpenAIServer, settings: object) -> None:
        model = CompatibleModel(base_url=openai_server.base_url, model=MODEL, key=KEY)
        with pytest.raises(ModelUnavailable) as caught:
            model.complete(prompt())
        assert caught.value.code == "model_unreachable"
        assert "OUTBOUND_ALLOWED_PRIVATE" in caught.value.hint
        assert openai_server.asked == []

    def test_a_prompts_own_model_is_asked(self, model: CompatibleModel, openai_server: OpenAIServer) -> None:
        assert model.complete(prompt(model="large"))[1].model == "large"
        assert openai_server.chats[0].body["model"] == "large"

    @pytest.mark.parametrize(
        ("url", "local"),
        [
            *(("http://127.0.0.1:11434/v1", True), ("http://localhost:11434/v1", True), ("http://[::1]:1/v1", True)),
            *(
                ("https://api.example.org/v1", False),
                ("http://10.0.0.1/v1", False),
                ("http://localhost.evil.org", False),
            ),
            *(("http://127.0.0.1@evil.org/", False), ("", False), ("http://127.1/v1", False)),
        ],
    )
    def test_only_loopback_is_local(self, url: str, local: bool) -> None:
        assert CompatibleModel(base_url=url, model=MODEL).local is local


def test_the_time_that_the_provider_asks_for_is_waited(openai_server: OpenAIServer, no_pauses: list[float]) -> None:
    model = CompatibleModel(base_url=openai_server.base_url, model=MODEL, key=KEY, by_setting=True)
    openai_server.script = [failure(429, None, headers=(("Retry-After", "1.5"),)), failure(503, None), Reply()]
    model.complete(prompt(seconds=30))
    assert no_pauses[0] == 1.5
    assert 0.4 < no_pauses[1] < 1.1


@pytest.mark.parametrize("after", ["3600", "60", "-1", "nan", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_no_wait_is_longer_than_a_user_has_patience(
    openai_server: OpenAIServer, no_pauses: list[float], after: str
) -> None:
    model = CompatibleModel(base_url=openai_server.base_url, model=MODEL, key=KEY, by_setting=True)
    openai_server.script = [failure(429, None, headers=(("Retry-After", after),))] * 9
    began = time.monotonic()
    with pytest.raises(ModelUnavailable):
        model.complete(prompt(seconds=30))
    assert sum(no_pauses) <= 20
    assert time.monotonic() - began < within(5)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://does-not-exist.invalid/v1"])
def test_a_server_that_is_not_there_is_told_in_words(url: str, no_pauses: list[float]) -> None:
    model: LanguageModel = CompatibleModel(base_url=url, model=MODEL, key=KEY, by_setting=True)
    verdict = model.test()
    assert (verdict.works, verdict.code) == (False, "model_unreachable")
    assert "network" in verdict.hint


@pytest.mark.parametrize(
    ("path", "key", "model", "code"),
    [
        ("/v1", "wrong", MODEL, "model_key_refused"),
        ("/v1", KEY, "unheard-of", "model_unknown"),
        ("", KEY, MODEL, "model_unreachable"),
    ],
)
def test_what_the_real_server_says_is_understood(
    openai_server: OpenAIServer, path: str, key: str, model: str, code: str
) -> None:
    base_url = openai_server.base_url.removesuffix("/v1") + path
    assert CompatibleModel(base_url=base_url, model=model, key=key, by_setting=True).test().code == code
