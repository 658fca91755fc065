"""What the webhooks API takes and gives. A secret is given once, when a webhook is made."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from files.models import DeliveryState, Webhook, WebhookDelivery, WebhookEvent
from files.webhooks.subscribing import EVENTS
from orchestra.common.strict import Serializer


class _EventsField(serializers.ListField):
    """Distinct kinds of events, one at least."""

    child = serializers.ChoiceField(choices=EVENTS)


class NewWebhookSerializer(Serializer[Any]):
    """A webhook to make."""

    url = serializers.CharField(max_length=2000, help_text="https://…, without a name or password in it.")
    events = _EventsField(min_length=1, max_length=20, default=EVENTS)


class WebhookChangeSerializer(Serializer[Any]):
    """What changes. One that is switched on begins anew, whatever failed before."""

    url = serializers.CharField(max_length=2000, required=False)
    events = _EventsField(min_length=1, max_length=20, required=False)
    enabled = serializers.BooleanField(required=False)


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """A webhook, without its secret."""

    events = _EventsField()
    disabled_reason = serializers.CharField(help_text="Why the product switched it off: `gone`, `failing`, or empty.")

    class Meta:
        model = Webhook
        fields: tuple[str, ...] = (
            *("id", "url", "events", "enabled"),
            *("disabled_reason", "failures", "failing_since", "created_at"),
        )
        read_only_fields: tuple[str, ...] = fields


class CreatedWebhookSerializer(WebhookSerializer):
    """A new webhook with its secret, which is shown this once."""

    secret = serializers.CharField(help_text="Signs what is sent; store it, it is not shown again.")

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")
        read_only_fields = fields


class DeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    """A message to a webhook, and what came of it."""

    id = serializers.UUIDField(source="event_id", help_text="The header `webhook-id`.")
    event = serializers.ChoiceField(choices=WebhookEvent.choices)
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    file = serializers.UUIDField(source="file_id", allow_null=True)
    next_at = serializers.DateTimeField(allow_null=True, help_text="Not sent again before; null for never.")
    error_code = serializers.CharField(help_text="Why there was no answer; empty where there was one.")

    class Meta:
        model = WebhookDelivery
        fields = (
            *("id", "event", "file", "version", "state", "attempt", "next_at"),
            *("response_status", "error_code", "occurred_at", "finished_at"),
        )
        read_only_fields = fields
