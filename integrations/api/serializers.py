"""What the integrations API takes, and the shapes that its description shows."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from orchestra.common.strict import Serializer

_MOST_FIELDS = 20


class _FieldsField(serializers.DictField):
    """The fields of a connection by name, secrets among them; taken and never given."""

    child = serializers.CharField(allow_blank=True, max_length=2000, trim_whitespace=False)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        found: dict[str, str] = super().to_internal_value(data)
        if len(found) > _MOST_FIELDS:
            raise serializers.ValidationError("No provider has as many fields.")
        return found


class NewConnectionSerializer(Serializer[object]):
    """A connection to make. `values` are the provider's fields; secrets are stored encrypted."""

    provider = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=100)
    values = _FieldsField(write_only=True, default=dict)
    installation = serializers.BooleanField(default=False, help_text="Of the whole installation; staff only.")


class ConnectionChangeSerializer(Serializer[object]):
    """What changes. A secret that is not sent stays; an empty one is removed."""

    name = serializers.CharField(max_length=100, required=False)
    enabled = serializers.BooleanField(required=False)
    values = _FieldsField(write_only=True, required=False)


class ConnectionErrorSerializer(serializers.Serializer[object]):
    """What the last test found wrong; empty for nothing."""

    code = serializers.CharField()
    message = serializers.CharField()


class ConnectionSerializer(serializers.Serializer[object]):
    """A connection, without its secrets. What follows `state` is there for who may change it."""

    id = serializers.UUIDField()
    provider = serializers.CharField()
    name = serializers.CharField()
    installation = serializers.BooleanField()
    enabled = serializers.BooleanField()
    state = serializers.ChoiceField(["untested", "works", "failed"])
    config = serializers.DictField(child=serializers.CharField(), required=False)
    has_credentials = serializers.BooleanField(required=False)
    created_at = serializers.DateTimeField(required=False)
    tested_at = serializers.DateTimeField(required=False, allow_null=True)
    error = ConnectionErrorSerializer(required=False)


class ConnectionsSerializer(serializers.Serializer[object]):
    """The providers that are known, and the caller's connections with the installation's."""

    providers = serializers.ListField(child=serializers.DictField())
    connections = ConnectionSerializer(many=True)


class VerdictSerializer(serializers.Serializer[object]):
    """What a test found: whether the connection works, and in words what is wrong and what to do."""

    works = serializers.BooleanField()
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()
    models = serializers.ListField(child=serializers.CharField())
