"""What calls of models take is counted, and a budget holds whoever asks at the same time."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from integrations.llm.base import LanguageModel, Message, ModelQuotaSpent, Prompt, Role
from integrations.llm.compatible import CompatibleModel
from integrations.llm.metering import MeteredModel
from integrations.models import ModelUsage
from orchestra.accounts.models import User
from tests.openai_server import KEY, MODEL, OpenAIServer, Reply, failure
from tests.pace import within

PROMPT = Prompt((Message(Role.USER, "Hello?"),), "a test", most_tokens=50, seconds=10)


@pytest.fixture
def model(alice: User, openai_server: OpenAIServer) -> LanguageModel:
    inner = CompatibleModel(base_url=openai_server.base_url, model=MODEL, key=KEY, by_setting=True)
    return MeteredModel(inner, alice.pk, own=False)


def counted() -> tuple[Any, ...]:
    row = ModelUsage.objects.get()
    return row.calls, row.input_tokens, row.output_tokens, row.cost, row.held_tokens, row.held_cost


def test_calls_and_tokens_are_counted(model: LanguageModel, openai_server: OpenAIServer, alice: User) -> None:
    openai_server.script = [Reply(), Reply(usage={"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.5})]
    for _ in range(2):
        assert model.complete(PROMPT)[0] == "Hello world."
    assert counted() == (2, 8, 4, Decimal("0.5"), 0, 0)
    row = ModelUsage.objects.get()
    assert (row.user, row.model, row.month.day) == (alice, MODEL, 1)


def test_prices_of_the_settings_stand_in_for_the_providers(
    model: LanguageModel, openai_server: OpenAIServer, settings: Any
) -> None:
    settings.LLM_INPUT_PRICE, settings.LLM_OUTPUT_PRICE = 10.0, 100.0
    openai_server.script = [Reply()]
    model.complete(PROMPT)
    assert counted()[3] == Decimal("0.000370")


def test_a_call_that_brought_nothing_takes_nothing(model: LanguageModel, openai_server: OpenAIServer) -> None:
    openai_server.script = [failure(401, "invalid_api_key")]
    with pytest.raises(Exception, match="key"):
        model.complete(PROMPT)
    assert counted() == (1, 0, 0, 0, 0, 0)


def test_a_call_that_was_left_counts_what_came(model: LanguageModel, openai_server: OpenAIServer) -> None:
    openai_server.script = [Reply(("word " * 8,), endless=True, pause=0.01)]
    writing = model.stream(PROMPT)
    next(writing)
    assert counted()[4] > 50
    writing.close()
    calls, read, wrote, _, held, _ = counted()
    assert (calls, held) == (1, 0)
    assert read > 0
    assert 10 <= wrote < 50
    assert openai_server.left.wait(within(5))


def test_the_budget_of_tokens_ends_calls(model: LanguageModel, openai_server: OpenAIServer, settings: Any) -> None:
    settings.LLM_MONTHLY_TOKENS = 75
    model.complete(PROMPT)  # takes 10
    model.complete(PROMPT)
    with pytest.raises(ModelQuotaSpent) as caught:
        model.complete(PROMPT)
    assert "month" in caught.value.message
    assert len(openai_server.chats) == 2
    settings.LLM_MONTHLY_TOKENS = 100
    model.complete(PROMPT)


def test_the_budget_of_money_ends_calls(model: LanguageModel, openai_server: OpenAIServer, settings: Any) -> None:
    settings.LLM_MONTHLY_BUDGET_USD = 1.0
    openai_server.script = [Reply(usage={"prompt_tokens": 1, "completion_tokens": 1, "cost": 1.25})]
    model.complete(PROMPT)
    with pytest.raises(ModelQuotaSpent):
        model.complete(PROMPT)


def test_last_months_calls_do_not_count(model: LanguageModel, alice: User, settings: Any) -> None:
    settings.LLM_MONTHLY_TOKENS = 100
    ModelUsage.objects.create(user=alice, month="2020-01-01", model=MODEL, input_tokens=1000)
    model.complete(PROMPT)
    assert ModelUsage.objects.count() == 2


def test_a_connection_of_ones_own_is_counted_and_not_limited(
    alice: User, openai_server: OpenAIServer, settings: Any
) -> None:
    settings.LLM_MONTHLY_TOKENS = 1
    inner = CompatibleModel(base_url=openai_server.base_url, model=MODEL, key=KEY, by_setting=True)
    MeteredModel(inner, alice.pk, own=True).complete(PROMPT)
    assert ModelUsage.objects.get().own
    with pytest.raises(ModelQuotaSpent):
        MeteredModel(inner, alice.pk, own=False).complete(PROMPT)


@pytest.mark.django_db(transaction=True)
def test_calls_at_the_same_time_do_not_spend_the_same_rest(
    model: LanguageModel, openai_server: OpenAIServer, settings: Any
) -> None:
    settings.LLM_MONTHLY_TOKENS = 130  # two calls may be under way, as each holds up to 59
    openai_server.script = [Reply(silent=0.5)] * 6
    ended: list[str] = []

    def ask() -> None:
        try:
            ended.append(model.complete(PROMPT)[0])
        except ModelQuotaSpent:
            ended.append("spent")
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["Hello world."] * 2 + ["spent"] * 4
    assert counted()[:3] == (2, 14, 6)
    assert counted()[4] == 0
