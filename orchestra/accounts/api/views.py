"""Tokens, API keys, tickets, the signed-in user."""

from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.tokens import RefreshToken

from orchestra.accounts import services
from orchestra.accounts.api.serializers import (
    ApiKeySerializer,
    CreatedApiKeySerializer,
    RefreshTokenSerializer,
    TicketSerializer,
    UserSerializer,
)
from orchestra.accounts.credentials import credential_of_request
from orchestra.accounts.errors import KeyMayNotMakeKeys
from orchestra.accounts.models import ApiKey, User


class MeView(generics.RetrieveUpdateAPIView[User]):
    """The signed-in user."""

    serializer_class = UserSerializer
    http_method_names = ("get", "patch", "head", "options")

    def get_object(self) -> User:
        """Return the signed-in user, whatever the address says."""
        return cast(User, self.request.user)


class RevokeTokenView(APIView):
    """Ends a refresh token, and with it the session of the program that holds it."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get_authenticate_header(self, request: Request) -> str:
        """Return the challenge; without one, REST framework would make a 403 of a refused token."""
        return 'Bearer realm="api"'

    @extend_schema(request=RefreshTokenSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Revoke the refresh token in the body."""
        serializer = RefreshTokenSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        try:
            RefreshToken(serializer.validated_data["refresh"]).blacklist()
        except TokenError as exc:
            raise InvalidToken(str(exc)) from exc
        return Response(status=status.HTTP_204_NO_CONTENT)


class TicketView(APIView):
    """A ticket with which a browser or program opens one status socket."""

    @extend_schema(request=None, responses={201: TicketSerializer})
    def post(self, request: Request) -> Response:
        """Issue a ticket, good for one socket within 30 seconds."""
        user = cast(User, request.user)
        ticket = services.issue_ticket(user, credential_of_request(request, user))
        body = {"ticket": ticket, "expires_in": services.TICKET_SECONDS}
        return Response(body, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class ApiKeyListView(generics.ListAPIView[ApiKey]):
    """The caller's API keys."""

    serializer_class = ApiKeySerializer
    queryset = ApiKey.objects.none()

    def get_queryset(self) -> QuerySet[ApiKey]:
        """Return the caller's keys only."""
        return ApiKey.objects.filter(user=cast(User, self.request.user))

    @extend_schema(request=ApiKeySerializer, responses={201: CreatedApiKeySerializer})
    def post(self, request: Request) -> Response:
        """Make a key. Its text is in this answer and nowhere else. A key makes no keys: a session or a token does."""
        if isinstance(request.auth, ApiKey):
            raise KeyMayNotMakeKeys
        serializer = ApiKeySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        created = services.create_api_key(cast(User, request.user), **serializer.validated_data)
        body = {**ApiKeySerializer(created.record).data, "key": created.plain}
        return Response(body, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class ApiKeyView(APIView):
    """One of the caller's API keys."""

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, key_id: str) -> Response:
        """Revoke the key."""
        services.revoke_api_key(get_object_or_404(ApiKey, pk=key_id, user=request.user))
        return Response(status=status.HTTP_204_NO_CONTENT)
