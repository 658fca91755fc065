"""Where a passage is shown: its file's page, at its place."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from files.places import place_address


def passage_address(file_id: UUID, place: dict[str, Any]) -> str:
    """Return the address of a place in a file's page; of the file's text where the place is not known."""
    page = reverse("file", args=[file_id])
    at = place_address(place)
    return f"{page}?{urlencode({'at': at})}#found" if at else f"{page}#text"
