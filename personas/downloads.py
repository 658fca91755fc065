"""A persona as a file to download: the same from the API and from the pages."""

from __future__ import annotations

from django.http import JsonResponse

from personas.exchange import document_of
from personas.models import Persona


def export_of(persona: Persona) -> JsonResponse:
    """Return the persona as a JSON document, to be imported elsewhere."""
    response = JsonResponse(document_of(persona), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="persona-{persona.pk}.json"'
    response["Cache-Control"] = "no-store"
    return response
