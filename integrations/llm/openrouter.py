"""OpenRouter: many providers' models behind one key, with fallbacks, and with the price of each answer."""

from __future__ import annotations

from typing import Any

from integrations.base import Field, Kind, Provider
from integrations.llm.base import Prompt
from integrations.llm.connecting import ALIAS, KEY, model_field
from integrations.llm.openai_protocol import OpenAIProtocol

BASE_URL = "https://openrouter.ai/api/v1"
MODEL = "openrouter/auto"
_MOST_FALLBACKS = 3  # as many as it takes
_TITLE = "Orchestra"


class OpenRouterModel(OpenAIProtocol):
    """A model behind OpenRouter. `fallbacks` are asked in this order where the first one fails.

    `site` is the address by which OpenRouter lists who asks; empty: none is told.
    """

    name = "openrouter"

    def __init__(
        self,
        *,
        key: str,
        model: str = "",
        fallbacks: tuple[str, ...] = (),
        site: str = "",
        base_url: str = "",
        by_setting: bool = False,
    ) -> None:
        """Set up without connecting."""
        super().__init__(base_url=base_url or BASE_URL, model=model or MODEL, key=key, by_setting=by_setting)
        self._fallbacks = fallbacks[:_MOST_FALLBACKS]
        self._site = site

    def headers(self) -> dict[str, str]:
        """Return the key, and who asks."""
        return {**super().headers(), "X-Title": _TITLE, **({"HTTP-Referer": self._site} if self._site else {})}

    def body(self, prompt: Prompt) -> dict[str, Any]:
        """Return the request, with fallbacks, and asking for the price."""
        body = super().body(prompt)
        fallbacks = {"models": [body["model"], *self._fallbacks]} if self._fallbacks else {}
        return {**body, **fallbacks, "usage": {"include": True}}


def names(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


PROVIDER = Provider(
    "openrouter",
    "OpenRouter",
    Kind.MODEL,
    (
        KEY,
        model_field(MODEL),
        Field("fallbacks", "Fallbacks", help="Models that are asked where the first one fails, with commas between."),
        ALIAS,
    ),
    lambda values: OpenRouterModel(key=values["key"], model=values["model"], fallbacks=names(values["fallbacks"])),
    brings="Many providers' models behind one key, with fallbacks and the price of each answer.",
)
