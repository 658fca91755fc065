"""The body of an import: JSON, and no more of it than a persona takes."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from orchestra.common.parsing import JSONParser
from personas.errors import PersonaFileTooLarge
from personas.exchange import MOST_BYTES


class BoundedJSONParser(JSONParser):
    """Parses JSON of at most `MOST_BYTES`."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Return the parsed body. Raises ParseError, PersonaFileTooLarge."""
        body = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise PersonaFileTooLarge
        return super().parse(BytesIO(body), media_type, parser_context)
