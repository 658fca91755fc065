"""Any server that speaks OpenAI's protocol: Ollama, vLLM, llama.cpp, and providers that are not named elsewhere."""

from __future__ import annotations

from integrations.base import Field, Kind, Provider
from integrations.llm.connecting import ALIAS, model_field, web_address
from integrations.llm.openai_protocol import OpenAIProtocol


class CompatibleModel(OpenAIProtocol):
    """A model behind a base URL."""

    name = "compatible"


PROVIDER = Provider(
    "compatible",
    "OpenAI-compatible server",
    Kind.MODEL,
    (
        Field(
            "base_url",
            "Base URL",
            required=True,
            leads=True,
            check=web_address,
            help="Mostly ends in /v1. An address that is not public must be in OUTBOUND_ALLOWED_PRIVATE.",
        ),
        model_field(required=True),
        Field("key", "Key", secret=True, help="Empty: the server asks for none. Stored encrypted, never shown."),
        ALIAS,
    ),
    lambda values: CompatibleModel(base_url=values["base_url"], model=values["model"], key=values["key"]),
    brings="Any server that speaks OpenAI's protocol: Ollama, vLLM or llama.cpp, on a machine of your own too.",
)
