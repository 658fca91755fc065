"""POST /api/personas/preview and /api/personas/{id}/preview: what a model is told, and a trial answer."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orchestra.accounts.models import User
from orchestra.common.openapi import raises
from orchestra.common.strict import Serializer
from personas import services
from personas.api.serializers import PersonaContentSerializer
from personas.errors import InvalidPersona, PersonaNotFound
from personas.models import Persona
from personas.prompting import system_text
from personas.selectors import get_persona
from search.api.answers import answer_of
from search.api.serializers import SearchResultSerializer
from search.errors import EmptyQuery
from search.services import MAX_QUERY
from search.trials import tried


class TrialQuestionSerializer(Serializer[Any]):
    """A question to try a persona on."""

    question = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_QUERY, help_text="Empty: the prompt alone is shown."
    )


class PersonaPreviewSerializer(PersonaContentSerializer, TrialQuestionSerializer):
    """A persona that is not saved, and a question to try it on."""


class PreviewSerializer(serializers.Serializer[Any]):
    """What a persona does."""

    prompt = serializers.CharField(help_text="What a model is told before the instructions of the mode.")
    result = SearchResultSerializer(allow_null=True, help_text="The trial answer; null without a question.")


def _preview(request: Request, persona: Persona, question: str) -> Response:
    result = tried(cast(User, request.user), persona, question) if question else None
    body = {"prompt": system_text(persona.prompt, persona.tone), "result": answer_of(result) if result else None}
    return Response(body, headers={"Cache-Control": "no-store"})


class PersonaPreviewView(APIView):
    """A persona before it is saved."""

    @extend_schema(
        operation_id="personas_preview_unsaved", request=PersonaPreviewSerializer, responses=PreviewSerializer
    )
    @raises(InvalidPersona, EmptyQuery)
    def post(self, request: Request) -> Response:
        """Show the prompt of a persona that is not saved, and its answer to a question. Nothing is kept."""
        serializer = PersonaPreviewSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        question = fields.pop("question", "")
        return _preview(request, services.draft(fields), question)


class SavedPersonaPreviewView(APIView):
    """A persona that the caller may use."""

    @extend_schema(operation_id="personas_preview", request=TrialQuestionSerializer, responses=PreviewSerializer)
    @raises(PersonaNotFound, EmptyQuery)
    def post(self, request: Request, persona_id: UUID) -> Response:
        """Show the persona's prompt, and its answer to a question. Nothing is kept."""
        persona = get_persona(cast(User, request.user), persona_id)
        serializer = TrialQuestionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return _preview(request, persona, serializer.validated_data.get("question", ""))
