"""Personas: list, make, change, delete, clone, export, import, choose as default."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.http import JsonResponse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orchestra.accounts.api.idempotent import idempotent
from orchestra.accounts.models import User
from orchestra.common.conditional import (
    IF_MATCH,
    IF_NONE_MATCH,
    NOT_CHANGED,
    TAG,
    Changed,
    allowed_versions,
    tagged,
)
from orchestra.common.openapi import raises
from orchestra.common.pagination import Pagination
from personas import selectors, services
from personas.api.parsers import BoundedJSONParser
from personas.api.serializers import PersonaDocumentSerializer, PersonaFieldsSerializer, PersonaSerializer
from personas.downloads import export_of
from personas.errors import (
    InvalidPersona,
    InvalidPersonaFile,
    PersonaFileTooLarge,
    PersonaNotFound,
    PersonaNotYours,
    TooManyPersonas,
)
from personas.models import Persona


def _user(request: Request) -> User:
    return cast(User, request.user)


def _fields(request: Request, *, partial: bool = False) -> dict[str, Any]:
    serializer = PersonaFieldsSerializer(data=request.data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _tagged(request: Request, persona: Persona) -> Response:
    return tagged(request, _answer(request, persona), persona.version)


def _answer(request: Request, persona: Persona, code: int = status.HTTP_200_OK) -> Response:
    (view,) = selectors.with_access(_user(request), [persona])
    return Response(PersonaSerializer(view).data, status=code, headers={"Cache-Control": "no-store"})


class PersonaListView(APIView):
    """The personas that the caller may use."""

    pagination_class = Pagination

    @extend_schema(operation_id="personas_list", responses=PersonaSerializer(many=True))
    @raises(ValidationError, NotFound)
    def get(self, request: Request) -> Response:
        """List the caller's personas and those shared with them, by name."""
        paginator = Pagination()
        page = paginator.paginate_queryset(selectors.visible_to(_user(request)), request, self)
        rows: Any = selectors.with_access(_user(request), page or ())
        response = paginator.get_paginated_response(PersonaSerializer(rows, many=True).data)
        response["Cache-Control"] = "no-store"
        return response

    @extend_schema(request=PersonaFieldsSerializer, responses={201: PersonaSerializer})
    @raises(InvalidPersona, TooManyPersonas)
    @idempotent()
    def post(self, request: Request) -> Response:
        """Make a persona."""
        return _answer(request, services.create(_user(request), _fields(request)), status.HTTP_201_CREATED)


class PersonaView(APIView):
    """One persona."""

    @extend_schema(responses={200: PersonaSerializer, **NOT_CHANGED}, parameters=[IF_NONE_MATCH, TAG])
    @raises(PersonaNotFound)
    def get(self, request: Request, persona_id: UUID) -> Response:
        """Return the persona."""
        return _tagged(request, selectors.get_persona(_user(request), persona_id))

    @extend_schema(request=PersonaFieldsSerializer, responses=PersonaSerializer, parameters=[IF_MATCH, TAG])
    @raises(PersonaNotFound, PersonaNotYours, InvalidPersona, Changed)
    def put(self, request: Request, persona_id: UUID) -> Response:
        """Change all of it: fields that are left out get their defaults."""
        persona = selectors.get_changeable(_user(request), persona_id)
        changed = services.replace(_user(request), persona, _fields(request), allowed_versions(request))
        return _tagged(request, changed)

    @extend_schema(request=PersonaFieldsSerializer, responses=PersonaSerializer, parameters=[IF_MATCH, TAG])
    @raises(PersonaNotFound, PersonaNotYours, InvalidPersona, Changed)
    def patch(self, request: Request, persona_id: UUID) -> Response:
        """Change the fields that are named."""
        persona = selectors.get_changeable(_user(request), persona_id)
        fields = _fields(request, partial=True)
        return _tagged(request, services.update(_user(request), persona, fields, allowed_versions(request)))

    @extend_schema(request=None, responses={204: None}, parameters=[IF_MATCH])
    @raises(PersonaNotFound, PersonaNotYours, Changed)
    def delete(self, request: Request, persona_id: UUID) -> Response:
        """Delete the persona, for everybody it was shared with too."""
        persona = selectors.get_changeable(_user(request), persona_id)
        services.delete(_user(request), persona, allowed_versions(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class CloneView(APIView):
    """A copy of one's own."""

    @extend_schema(request=None, responses={201: PersonaSerializer})
    @raises(PersonaNotFound, TooManyPersonas)
    @idempotent()
    def post(self, request: Request, persona_id: UUID) -> Response:
        """Make a private copy of a persona that the caller may use."""
        persona = selectors.get_persona(_user(request), persona_id)
        return _answer(request, services.clone(_user(request), persona), status.HTTP_201_CREATED)


class ExportView(APIView):
    """A persona as a file."""

    @extend_schema(responses=PersonaDocumentSerializer)
    @raises(PersonaNotFound)
    def get(self, request: Request, persona_id: UUID) -> JsonResponse:
        """Return the persona as a JSON document, to be imported elsewhere."""
        return export_of(selectors.get_persona(_user(request), persona_id))


class ImportView(APIView):
    """A persona from a file."""

    parser_classes = (BoundedJSONParser,)

    @extend_schema(request=PersonaDocumentSerializer, responses={201: PersonaSerializer})
    @raises(InvalidPersonaFile, PersonaFileTooLarge, InvalidPersona, TooManyPersonas)
    @idempotent()
    def post(self, request: Request) -> Response:
        """Make a private persona from an exported document."""
        return _answer(request, services.import_document(_user(request), request.data), status.HTTP_201_CREATED)


class DefaultView(APIView):
    """The caller's default persona."""

    @extend_schema(operation_id="personas_default_retrieve", responses=PersonaSerializer)
    @raises(PersonaNotFound)
    def get(self, request: Request) -> Response:
        """Return the persona that the caller's search page begins with."""
        persona = selectors.default_of(_user(request))
        if persona is None:
            raise PersonaNotFound("You have no default persona.", hint="POST /api/personas/{id}/default chooses one.")
        return _answer(request, persona)

    @extend_schema(operation_id="personas_default_destroy", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Have no default persona from now on."""
        services.clear_default(_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class MakeDefaultView(APIView):
    """The choice of a default."""

    @extend_schema(operation_id="personas_default_create", request=None, responses=PersonaSerializer)
    @raises(PersonaNotFound)
    def post(self, request: Request, persona_id: UUID) -> Response:
        """Let the caller's search page begin with this persona."""
        persona = selectors.get_persona(_user(request), persona_id)
        services.make_default(_user(request), persona)
        return _answer(request, persona)
