"""Tokens, API keys, tickets, the signed-in user."""

from __future__ import annotations

from typing import Any, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from orchestra.accounts import services
from orchestra.accounts.api.idempotent import idempotent
from orchestra.accounts.api.serializers import (
    ApiKeySerializer,
    CreatedApiKeySerializer,
    RefreshTokenSerializer,
    TicketSerializer,
    TokensSerializer,
    UserSerializer,
)
from orchestra.accounts.credentials import credential_of_request
from orchestra.accounts.errors import (
    KeyMayNotMakeKeys,
    TwoFactorCodeWrong,
    TwoFactorRequired,
    TwoFactorSetupRequired,
)
from orchestra.accounts.models import ApiKey, User
from orchestra.accounts.sign_in import TooManySignIns
from orchestra.common.openapi import raises
from orchestra.common.pagination import Pagination
from orchestra.common.refusals import NoActiveAccount


class MeView(APIView):
    """The signed-in user."""

    @extend_schema(responses=UserSerializer)
    def get(self, request: Request) -> Response:
        """Return the caller: name, preferences, and how much may be stored."""
        return Response(UserSerializer(cast(User, request.user)).data)

    @extend_schema(request=UserSerializer, responses=UserSerializer)
    def patch(self, request: Request) -> Response:
        """Change the caller's name, address or preferences."""
        serializer = UserSerializer(cast(User, request.user), data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        return Response(UserSerializer(serializer.save()).data)


class TokenView(TokenObtainPairView):
    """Tokens for a name and a password."""

    @extend_schema(operation_id="auth_token_create", responses=TokensSerializer)
    @raises(NoActiveAccount, TooManySignIns, TwoFactorRequired, TwoFactorCodeWrong, TwoFactorSetupRequired)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give an access token for 10 minutes and a refresh token for 14 days."""
        return super().post(request, *args, **kwargs)


class RefreshTokenView(TokenRefreshView):
    """New tokens for old ones."""

    @extend_schema(operation_id="auth_refresh_create", responses=TokensSerializer)
    @raises(InvalidToken)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give a new pair for a refresh token, and end that one."""
        return super().post(request, *args, **kwargs)


class RevokeTokenView(APIView):
    """Ends a refresh token, and with it the session of the program that holds it."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get_authenticate_header(self, request: Request) -> str:
        """Return the challenge; without one, REST framework would make a 403 of a refused token."""
        return 'Bearer realm="api"'

    @extend_schema(request=RefreshTokenSerializer, responses={204: None})
    @raises(InvalidToken)
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


class ApiKeyListView(APIView):
    """The caller's API keys."""

    pagination_class = Pagination

    @extend_schema(operation_id="auth_keys_list", responses=ApiKeySerializer(many=True))
    @raises(ValidationError, NotFound)
    def get(self, request: Request) -> Response:
        """List the keys, newest first, without their text; those that were revoked stay listed."""
        paginator = Pagination()
        page: Any = paginator.paginate_queryset(ApiKey.objects.filter(user=cast(User, request.user)), request, self)
        return paginator.get_paginated_response(ApiKeySerializer(page, many=True).data)

    @extend_schema(request=ApiKeySerializer, responses={201: CreatedApiKeySerializer})
    @raises(services.ExpiryPassed, KeyMayNotMakeKeys)
    @idempotent(secret=True)
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
    @raises(NotFound)
    def delete(self, request: Request, key_id: str) -> Response:
        """Revoke the key."""
        services.revoke_api_key(get_object_or_404(ApiKey, pk=key_id, user=request.user))
        return Response(status=status.HTTP_204_NO_CONTENT)
