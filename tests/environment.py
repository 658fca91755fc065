"""Loaded by pytest before Django's settings: a state directory of its own, and an embedder that needs no model.

`-p tests.environment` in pyproject.toml; run the tests with `python -m pytest`, so that this package is found.
"""

import os
from pathlib import Path

os.environ["STATE_DIR"] = str(Path(__file__).resolve().parents[1] / "var" / "test")
os.environ["EMBEDDING_ENGINE"] = "hashing"
os.environ["LOG_LEVEL"] = "WARNING"
for name in ("DEBUG", "BEHIND_TLS_PROXY", "MAX_FILE_SIZE", "DEFAULT_QUOTA", "UPLOAD_DIR"):
    os.environ.pop(name, None)
