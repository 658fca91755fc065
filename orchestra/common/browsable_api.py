"""DRF's browsable API under the product's content policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csp.constants import UNSAFE_INLINE
from rest_framework.renderers import BrowsableAPIRenderer


class BrowsableRenderer(BrowsableAPIRenderer):
    """Renders API answers as pages; lifts the one rule that DRF's own template breaks, and only on these pages."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> str:
        """Render the page, allowing style attributes in it: DRF's base.html positions its buttons with them."""
        if renderer_context:
            renderer_context["response"]._csp_update = {"style-src-attr": [UNSAFE_INLINE]}  # csp's way
        return super().render(data, accepted_media_type, renderer_context)

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Leave out the inline sheet for highlighted code in docstrings, of which there is none."""
        return {**super().get_context(data, accepted_media_type, renderer_context), "code_style": ""}
