"""Secrets that nobody has to invent: made on first use and kept in the state directory, readable by the owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


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
