"""Portkey: a gateway to other providers, with configs (fallbacks, caches, budgets) and virtual keys kept there."""

from __future__ import annotations

from integrations.base import Field, Kind, Provider
from integrations.llm.connecting import ALIAS, KEY, model_field
from integrations.llm.openai_protocol import OpenAIProtocol

BASE_URL = "https://api.portkey.ai/v1"


class PortkeyModel(OpenAIProtocol):
    """A model behind Portkey's gateway.

    Which one it is says `config`, `virtual_key`, or `provider` with that provider's own key. `custom_host` is where the
    gateway finds the provider; it is for gateways of one's own, and no user may choose it.
    """

    name = "portkey"

    def __init__(
        self,
        *,
        key: str = "",
        model: str = "",
        config: str = "",
        virtual_key: str = "",
        provider: str = "",
        provider_key: str = "",
        custom_host: str = "",
        base_url: str = "",
        by_setting: bool = False,
    ) -> None:
        """Set up without connecting."""
        super().__init__(base_url=base_url or BASE_URL, model=model, key=provider_key, by_setting=by_setting)
        self._gateway = {
            "x-portkey-api-key": key,
            "x-portkey-config": config,
            "x-portkey-virtual-key": virtual_key,
            "x-portkey-provider": provider,
            "x-portkey-custom-host": custom_host,
        }

    @property
    def local(self) -> bool:
        """Never: wherever the gateway runs, it sends prompts on."""
        return False

    def headers(self) -> dict[str, str]:
        """Return the provider's key, where there is one, and what the gateway reads."""
        return {**super().headers(), **{name: value for name, value in self._gateway.items() if value}}


PROVIDER = Provider(
    "portkey",
    "Portkey",
    Kind.MODEL,
    (
        KEY,
        Field("config", "Config", help="Id of a config of Portkey's, pc-…"),
        Field("virtual_key", "Virtual key", secret=True, help="Or a virtual key, which stands for a provider's key."),
        Field("provider", "Provider", help="Or a provider's name there, such as @openai-prod."),
        model_field(),
        ALIAS,
    ),
    lambda values: PortkeyModel(
        key=values["key"],
        config=values["config"],
        virtual_key=values["virtual_key"],
        provider=values["provider"],
        model=values["model"],
    ),
    brings="Models behind Portkey's gateway, with the configs and virtual keys that you keep there.",
)
