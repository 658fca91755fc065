"""Raw request bodies for chunks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.parsers import BaseParser


class RawBodyParser(BaseParser):
    """Hands the body over unread: the chunk engine reads it piece by piece."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Return the stream itself."""
        return stream
