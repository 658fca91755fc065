"""Which language model the settings name for each alias, and which keys credentials are encrypted with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestra.settings.server_variables import BASE_DIR

_TELL = """
import json
from orchestra.settings import integrations as found
entries = found.LANGUAGE_MODELS.items()
models = {alias: [entry["BACKEND"].rpartition(".")[2], entry["OPTIONS"]] for alias, entry in entries}
print(json.dumps({"models": models, "keys": found.CREDENTIALS_KEYS}))
"""


def told(state: Path, **values: str) -> dict[str, Any]:
    """Return what the settings make of these variables."""
    environment = {**os.environ, "STATE_DIR": str(state), **values}
    command = [sys.executable, "-c", _TELL]
    done = subprocess.run(
        command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


LOCAL = {"LOCAL_LLM_URL": "http://127.0.0.1:11434/v1", "LOCAL_LLM_MODEL": "llama"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {}),
        ({"OPENROUTER_API_KEY": "k", "OPENAI_API_KEY": "k"}, {"default": "OpenAIModel"}),
        (
            {"OPENROUTER_API_KEY": "k", "PORTKEY_API_KEY": "k", **LOCAL},
            {"default": "OpenRouterModel", "local": "CompatibleModel"},
        ),
        ({"OPENAI_API_KEY": "k", "PORTKEY_API_KEY": "k", "LLM_PROVIDER": "portkey"}, {"default": "PortkeyModel"}),
        ({"LLM_BASE_URL": "http://10.0.0.5/v1"}, {"default": "CompatibleModel"}),
        (LOCAL, {"default": "CompatibleModel", "local": "CompatibleModel"}),
        ({"OPENAI_API_KEY": "k", "LLM_PROVIDER": "off", **LOCAL}, {}),
        (
            {"UNCENSORED_LLM_URL": "http://10.0.0.5/v1", "UNCENSORED_LLM_MODEL": "free"},
            {"uncensored": "CompatibleModel"},
        ),
    ],
)
def test_the_models_are_those_that_are_set_up(values: dict[str, str], expected: dict[str, str], tmp_path: Path) -> None:
    assert {alias: kind for alias, (kind, _) in told(tmp_path, **values)["models"].items()} == expected


def test_fallbacks_and_model_reach_the_provider(tmp_path: Path) -> None:
    values = {"OPENROUTER_API_KEY": "k", "LLM_MODEL": "a/b", "LLM_FALLBACK_MODELS": "c/d, e/f"}
    options = told(tmp_path, **values)["models"]["default"][1]
    assert (options["model"], options["fallbacks"], options["by_setting"]) == ("a/b", ["c/d", "e/f"], True)


def test_keys_of_credentials_last(tmp_path: Path) -> None:
    made = told(tmp_path)["keys"]
    assert told(tmp_path)["keys"] == made
    assert len(made[0]) >= 32
    assert (tmp_path / "secrets" / "credentials_key").stat().st_mode & 0o077 == 0
    assert told(tmp_path, SECRET_KEY="s" * 40)["keys"] == ["s" * 40]
    keys = ["n" * 32, "o" * 32]
    assert told(tmp_path, SECRET_KEY="s" * 40, CREDENTIALS_KEYS=",".join(keys))["keys"] == keys
