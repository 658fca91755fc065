"""Language models, what they may cost, and the keys that credentials of connections are encrypted with."""

from __future__ import annotations

from typing import Any

from orchestra.settings.base import STATE_DIR
from orchestra.settings.env import environment
from orchestra.settings.secrets import stored_secret

_env = environment()

# The first encrypts, all decrypt. Machines that share SECRET_KEY must share these, and may have no state that lasts.
CREDENTIALS_KEYS = _env.credentials_keys or (
    _env.secret_key or stored_secret(STATE_DIR / "secrets", "credentials_key"),
)

LLM_MONTHLY_TOKENS = _env.llm_monthly_tokens
LLM_MONTHLY_BUDGET_USD = _env.llm_monthly_budget_usd
LLM_INPUT_PRICE = _env.llm_input_price
LLM_OUTPUT_PRICE = _env.llm_output_price


def _compatible(base_url: str, model: str, key: str) -> dict[str, Any]:
    return {
        "BACKEND": "integrations.llm.compatible.CompatibleModel",
        "OPTIONS": {"base_url": base_url, "model": model, "key": key, "by_setting": True},
    }


_LOCAL = _compatible(_env.local_llm_url, _env.local_llm_model, _env.local_llm_api_key)
# In the order in which LLM_PROVIDER=auto looks at them, each with what says that it is set up.
_PROVIDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai": (
        _env.openai_api_key,
        {
            "BACKEND": "integrations.llm.openai.OpenAIModel",
            "OPTIONS": {
                "key": _env.openai_api_key,
                "model": _env.llm_model,
                "base_url": _env.openai_base_url,
                "by_setting": True,
            },
        },
    ),
    "openrouter": (
        _env.openrouter_api_key,
        {
            "BACKEND": "integrations.llm.openrouter.OpenRouterModel",
            "OPTIONS": {
                "key": _env.openrouter_api_key,
                "model": _env.llm_model,
                "fallbacks": _env.llm_fallback_models,
                "site": _env.openrouter_site_url,
                "base_url": _env.openrouter_base_url,
                "by_setting": True,
            },
        },
    ),
    "portkey": (
        _env.portkey_api_key,
        {
            "BACKEND": "integrations.llm.portkey.PortkeyModel",
            "OPTIONS": {
                "key": _env.portkey_api_key,
                "model": _env.llm_model,
                "config": _env.portkey_config,
                "virtual_key": _env.portkey_virtual_key,
                "base_url": _env.portkey_base_url,
                "by_setting": True,
            },
        },
    ),
    "compatible": (_env.llm_base_url, _compatible(_env.llm_base_url, _env.llm_model, _env.llm_api_key)),
    "local": (_env.local_llm_url, _LOCAL),
}


def _models() -> dict[str, dict[str, Any]]:
    """Return the models by alias; no alias where nothing is set up for it."""
    if _env.llm_provider == "off":
        return {}
    chosen = tuple(_PROVIDERS) if _env.llm_provider == "auto" else (_env.llm_provider,)
    found = {}
    if set_up := [entry for name, (is_set, entry) in _PROVIDERS.items() if name in chosen and is_set]:
        found["default"] = set_up[0]
    if _env.local_llm_url:
        found["local"] = _LOCAL
    if _env.uncensored_llm_url:
        found["uncensored"] = _compatible(
            _env.uncensored_llm_url, _env.uncensored_llm_model, _env.uncensored_llm_api_key
        )
    return found


LANGUAGE_MODELS = _models()
