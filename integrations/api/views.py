"""Connections to other services: made, listed, changed, tested, deleted."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations import selectors, services
from integrations.api.answers import connection_answer, provider_answer
from integrations.api.serializers import (
    ConnectionChangeSerializer,
    ConnectionSerializer,
    ConnectionsSerializer,
    NewConnectionSerializer,
    VerdictSerializer,
)
from integrations.errors import (
    ConnectionInvalid,
    ConnectionNotFound,
    ConnectionNotYours,
    TooManyConnections,
)
from integrations.registry import PROVIDERS
from orchestra.accounts.api.idempotent import idempotent
from orchestra.accounts.models import User
from orchestra.common.errors import CredentialsUnreadable
from orchestra.common.openapi import raises


class ConnectionListView(APIView):
    """Providers, the caller's connections, and the installation's."""

    @extend_schema(operation_id="integrations_list", responses=ConnectionsSerializer)
    def get(self, request: Request) -> Response:
        """List the providers that are known, and the connections that the caller may use."""
        user = cast(User, request.user)
        connections = [connection_answer(one, user) for one in selectors.connections_of(user)]
        return Response({"providers": [*map(provider_answer, PROVIDERS.values())], "connections": connections})

    @extend_schema(request=NewConnectionSerializer, responses={201: ConnectionSerializer})
    @raises(ConnectionInvalid, ConnectionNotYours, TooManyConnections)
    @idempotent()
    def post(self, request: Request) -> Response:
        """Make a connection. Nothing is asked of the service yet: see `test`."""
        serializer = NewConnectionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data, user = serializer.validated_data, cast(User, request.user)
        if data["installation"] and not user.is_staff:
            raise ConnectionNotYours("Only staff make connections of the installation's.")
        owner = None if data["installation"] else user
        made = services.connect(owner, data["provider"], data["name"], data["values"])
        return Response(connection_answer(made, user), status=status.HTTP_201_CREATED)


class ConnectionView(APIView):
    """One connection."""

    @extend_schema(responses=ConnectionSerializer)
    @raises(ConnectionNotFound)
    def get(self, request: Request, integration_id: UUID) -> Response:
        """Return a connection: of the installation's, who is no staff sees its name and state."""
        user = cast(User, request.user)
        return Response(connection_answer(selectors.connection_for(user, integration_id), user))

    @extend_schema(request=ConnectionChangeSerializer, responses=ConnectionSerializer)
    @raises(ConnectionNotFound, ConnectionNotYours, ConnectionInvalid, CredentialsUnreadable)
    def patch(self, request: Request, integration_id: UUID) -> Response:
        """Change name, fields or secrets, or switch it on or off."""
        user = cast(User, request.user)
        connection = selectors.connection_to_change(user, integration_id)
        serializer = ConnectionChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(connection_answer(services.change(connection, **serializer.validated_data), user))

    @extend_schema(responses={204: None})
    @raises(ConnectionNotFound, ConnectionNotYours)
    def delete(self, request: Request, integration_id: UUID) -> Response:
        """Delete the connection with its credentials."""
        services.disconnect(selectors.connection_to_change(cast(User, request.user), integration_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ConnectionTestView(APIView):
    """Tries a connection."""

    @extend_schema(request=None, responses=VerdictSerializer)
    @raises(ConnectionNotFound, ConnectionNotYours)
    def post(self, request: Request, integration_id: UUID) -> Response:
        """Make the smallest call to the service, and say in words what works and what does not."""
        connection = selectors.connection_to_change(cast(User, request.user), integration_id)
        return Response(VerdictSerializer(services.test(connection)).data)
