"""Primary keys: UUIDs of version 7, so that rows made together lie together."""

from __future__ import annotations

import uuid

import uuid_utils.compat


def new_id() -> uuid.UUID:
    """Return a new time-ordered UUID."""
    return uuid_utils.compat.uuid7()
