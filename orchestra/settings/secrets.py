"""Secrets made on first use and kept in the state directory, for the owner alone; which settings are secrets."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel

_SECRET = re.compile(r"key|token|secret|password|failpoints|portkey_config")


def is_secret(name: str) -> bool:
    """Tell whether a setting of this name holds a secret."""
    return bool(_SECRET.search(name.lower())) and not name.lower().endswith(("_tokens", "_file"))


def secrets_of(environment: BaseModel) -> Iterator[str]:
    """Yield the secrets among settings: keys, tokens, passwords in addresses. Some are empty."""
    for name in type(environment).model_fields:
        value = getattr(environment, name)
        if is_secret(name):
            yield from value if isinstance(value, tuple) else (str(value),)
        elif isinstance(value, str) and "://" in value:
            yield urlsplit(value).password or ""


def stored_secret(directory: Path, name: str) -> str:
    """Return the secret kept under `name`, making it on first use. Safe when several processes start at once."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / name
    if not path.exists():
        draft = directory / f".{name}.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            # A link never overwrites: of two processes that start together, the first one's secret stands.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def secret_in(path: Path | None) -> str:
    """Return what a file that the administrator named holds, without the line end; empty where none was named."""
    return path.read_text().strip() if path is not None else ""
