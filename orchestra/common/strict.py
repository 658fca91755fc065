"""Serializers that take JSON at its word: a number that is sent as text, or text as a number, is refused.

REST framework reads `"5"` as a number and `0` as no. Forms and addresses know text alone, so they are read as ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.http import QueryDict
from rest_framework import serializers

Instance = TypeVar("Instance")


def _is_whole(value: object) -> bool:
    """Whether JSON would call it an integer: 1.0 is one."""
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


_TEXT = (serializers.CharField, serializers.UUIDField, serializers.DateTimeField, serializers.ChoiceField)


def _wrong_type(field: Any, value: object) -> str:
    """Return what is wrong with the JSON type of a value; empty where nothing is, or the field says so itself."""
    if value is None or isinstance(field, serializers.MultipleChoiceField):
        return ""
    if isinstance(field, _TEXT) and not isinstance(value, str):
        return "Not text."
    if isinstance(field, serializers.BooleanField) and not isinstance(value, bool):
        return "Must be true or false."
    if isinstance(field, serializers.IntegerField) and not _is_whole(value):
        return "Not a whole number."
    if isinstance(field, serializers.FloatField) and (isinstance(value, bool) or not isinstance(value, int | float)):
        return "Not a number."
    return _wrong_inside(field, value)


def _wrong_inside(field: Any, value: object) -> str:
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return next(filter(None, (_wrong_type(field.child, one) for one in value)), "")
    if isinstance(field, serializers.DictField) and isinstance(value, dict):
        return next(filter(None, (_wrong_type(field.child, one) for one in value.values())), "")
    return ""


class StrictTypes:
    """What makes a serializer strict; stands before it among the bases."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated values. Raises ValidationError."""
        if isinstance(data, Mapping) and not isinstance(data, QueryDict):
            fields: Any = self._writable_fields  # type: ignore[attr-defined]  # the serializer's
            wrong = {f.field_name: said for f in fields if (said := _wrong_type(f, data.get(f.field_name)))}
            if wrong:
                raise serializers.ValidationError({name: [said] for name, said in wrong.items()})
        return super().to_internal_value(data)  # type: ignore[misc]  # the serializer's


class Serializer(StrictTypes, serializers.Serializer[Instance]):
    """A serializer of what programs send."""
