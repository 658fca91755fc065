"""Webhooks: made, listed, changed, tried, deleted, and the log of what was sent."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from files.api.webhook_serializers import (
    CreatedWebhookSerializer,
    DeliverySerializer,
    NewWebhookSerializer,
    WebhookChangeSerializer,
    WebhookSerializer,
)
from files.errors import TooManyWebhooks, WebhookInvalid, WebhookNotFound
from files.webhooks import delivering, selectors, subscribing
from orchestra.accounts.api.idempotent import idempotent
from orchestra.accounts.models import User
from orchestra.common.openapi import raises
from orchestra.common.pagination import Pagination


def _user(request: Request) -> User:
    return cast(User, request.user)


class WebhookListView(APIView):
    """The caller's webhooks."""

    pagination_class = Pagination

    @extend_schema(operation_id="webhooks_list", responses=WebhookSerializer(many=True))
    @raises(ValidationError, NotFound)
    def get(self, request: Request) -> Response:
        """List the webhooks, newest first."""
        paginator = Pagination()
        page: Any = paginator.paginate_queryset(selectors.webhooks_of(_user(request)), request, self)
        return paginator.get_paginated_response(WebhookSerializer(page, many=True).data)

    @extend_schema(request=NewWebhookSerializer, responses={201: CreatedWebhookSerializer})
    @raises(WebhookInvalid, TooManyWebhooks)
    @idempotent(secret=True)
    def post(self, request: Request) -> Response:
        """Make a webhook. Its secret is in this answer and in no other one. Nothing is sent yet: see `test`."""
        serializer = NewWebhookSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = subscribing.create(_user(request), **serializer.validated_data)
        body = {**WebhookSerializer(made.webhook).data, "secret": made.secret}
        return Response(body, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class WebhookView(APIView):
    """One webhook."""

    @extend_schema(responses=WebhookSerializer)
    @raises(WebhookNotFound)
    def get(self, request: Request, webhook_id: UUID) -> Response:
        """Return the webhook and how it does."""
        return Response(WebhookSerializer(selectors.get_webhook(_user(request), webhook_id)).data)

    @extend_schema(request=WebhookChangeSerializer, responses=WebhookSerializer)
    @raises(WebhookNotFound, WebhookInvalid)
    def patch(self, request: Request, webhook_id: UUID) -> Response:
        """Change address or events, or switch it on or off."""
        webhook = selectors.get_webhook(_user(request), webhook_id)
        serializer = WebhookChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(WebhookSerializer(subscribing.change(webhook, **serializer.validated_data)).data)

    @extend_schema(responses={204: None})
    @raises(WebhookNotFound)
    def delete(self, request: Request, webhook_id: UUID) -> Response:
        """Delete the webhook with its log; what still waits is not sent."""
        subscribing.delete(selectors.get_webhook(_user(request), webhook_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class WebhookTestView(APIView):
    """Tries a webhook."""

    @extend_schema(request=None, responses=DeliverySerializer)
    @raises(WebhookNotFound)
    def post(self, request: Request, webhook_id: UUID) -> Response:
        """Send a `ping` at once, and say what came of it. It is not sent again, and switches nothing on or off."""
        return Response(DeliverySerializer(delivering.ping(selectors.get_webhook(_user(request), webhook_id))).data)


class DeliveryListView(APIView):
    """The log of one webhook."""

    pagination_class = Pagination

    @extend_schema(operation_id="webhooks_deliveries_list", responses=DeliverySerializer(many=True))
    @raises(WebhookNotFound, ValidationError, NotFound)
    def get(self, request: Request, webhook_id: UUID) -> Response:
        """List what was sent in the last 30 days, and what waits to be, newest first."""
        webhook = selectors.get_webhook(_user(request), webhook_id)
        paginator = Pagination()
        page: Any = paginator.paginate_queryset(selectors.deliveries_of(webhook), request, self)
        return paginator.get_paginated_response(DeliverySerializer(page, many=True).data)
