"""OpenAI's models."""

from __future__ import annotations

from integrations.base import Kind, Provider
from integrations.llm.connecting import ALIAS, KEY, model_field
from integrations.llm.openai_protocol import OpenAIProtocol

BASE_URL = "https://api.openai.com/v1"
MODEL = "gpt-4o-mini"


class OpenAIModel(OpenAIProtocol):
    """A model of OpenAI's."""

    name = "openai"
    tokens_field = "max_completion_tokens"  # its newer models refuse the older name

    def __init__(self, *, key: str, model: str = "", base_url: str = "", by_setting: bool = False) -> None:
        """Set up without connecting."""
        super().__init__(base_url=base_url or BASE_URL, model=model or MODEL, key=key, by_setting=by_setting)


PROVIDER = Provider(
    "openai",
    "OpenAI",
    Kind.MODEL,
    (KEY, model_field(MODEL), ALIAS),
    lambda values: OpenAIModel(key=values["key"], model=values["model"]),
    brings="Answers written by OpenAI's models. Questions and the passages found for them are sent there.",
)
