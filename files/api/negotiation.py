"""`?format=text` of a file's content, beside the formats that REST framework knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import Http404
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

TEXT_FORMS = {"text": "text/plain", "markdown": "text/markdown"}


class TextFormsNegotiation(DefaultContentNegotiation):
    """Lets the view answer the text forms by itself; errors on the way are JSON, whatever was accepted."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """Return (renderer, media type). Raises ValidationError for a format that does not exist."""
        wanted = request.query_params.get("format", "")
        if wanted in TEXT_FORMS:
            first = next(iter(renderers))
            return first, first.media_type or ""
        try:
            return super().select_renderer(request, renderers, format_suffix)  # type: ignore[no-any-return]  # the stubs say Any
        except Http404 as exc:
            known = ", ".join(["json", *TEXT_FORMS])
            raise ValidationError({"format": [f"There is no format {wanted!r}; choose one of: {known}."]}) from exc
