"""Every provider that a connection can be made to: one line each."""

from __future__ import annotations

from integrations.base import Provider
from integrations.llm import compatible, openai, openrouter, portkey
from integrations.sources import notion, s3

_ALL: tuple[Provider, ...] = (
    openai.PROVIDER,
    openrouter.PROVIDER,
    portkey.PROVIDER,
    compatible.PROVIDER,
    notion.PROVIDER,
    s3.PROVIDER,
)
PROVIDERS: dict[str, Provider] = {provider.name: provider for provider in _ALL}
