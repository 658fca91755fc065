"""Loaded by pytest before Django's settings: a state directory of its own, and an embedder that needs no model.

Property tests run few examples, the same each time; `PROPERTIES=thorough` runs many, new ones each time.

`-p tests.environment` in pyproject.toml; run the tests with `python -m pytest`, so that this package is found.
"""

import os
from pathlib import Path

from hypothesis import HealthCheck, settings

# Two runs at once, as of `tests.all`, keep their products apart by TEST_GROUP.
VAR = Path(__file__).resolve().parents[1] / "var" / os.environ.get("TEST_GROUP", "")
os.environ["STATE_DIR"] = str(VAR / "test")
os.environ["EMBEDDING_ENGINE"] = "hashing"
os.environ["LOG_LEVEL"] = "WARNING"
for name in (
    "DEBUG",
    "BEHIND_TLS_PROXY",
    "MAX_FILE_SIZE",
    "DEFAULT_QUOTA",
    "UPLOAD_DIR",
    "RERANKER",
    *("OPENAI_API_KEY", "OPENROUTER_API_KEY", "PORTKEY_API_KEY", "LLM_BASE_URL", "LOCAL_LLM_URL", "UNCENSORED_LLM_URL"),
    *("LLM_PROVIDER", "LLM_MONTHLY_TOKENS", "LLM_MONTHLY_BUDGET_USD", "CREDENTIALS_KEYS", "OUTBOUND_ALLOWED_PRIVATE"),
    "FILE_STORAGE",
    "S3_BUCKET",
):
    os.environ.pop(name, None)

_UNHURRIED = [HealthCheck.too_slow, HealthCheck.data_too_large]  # the machine may be busy
settings.register_profile("quick", max_examples=50, deadline=None, derandomize=True, suppress_health_check=_UNHURRIED)
settings.register_profile("thorough", max_examples=2_000, deadline=None, suppress_health_check=_UNHURRIED)
settings.load_profile(os.environ.get("PROPERTIES", "quick"))
