"""Paging of the API's lists by key, ``?cursor=…`` or ``?page=2``. Pages for people: `orchestra.common.keyed_pages`."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any, ClassVar, cast

from django.core.exceptions import ValidationError
from django.db.models import Field, Q, QuerySet
from rest_framework import pagination, serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param


class Pagination(pagination.PageNumberPagination):
    """50 rows a page, at most 200. `next` continues behind the last row by its key; `?page=` counts pages instead.

    By key a page costs the same however far down the list it is, and nothing is shown twice or left out because rows
    are added meanwhile. Rows must have an order; the primary key is its last part.
    """

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    also: ClassVar[dict[str, Any]] = {}
    """What an answer has beside the rows, as properties of a JSON schema."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """Return the rows of the page that is asked for. Raises NotFound for a page or a cursor that does not exist."""
        query = _PageQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        self.request = request
        self._address = request.build_absolute_uri()
        self._by_key = "page" not in request.query_params
        if not self._by_key:
            return super().paginate_queryset(queryset, request, view)
        self._count = queryset.count()
        self._order = _order(queryset)
        size = min(query.validated_data.get("page_size", self.page_size), self.max_page_size)
        cursor = query.validated_data.get("cursor", "")
        after = _behind(queryset, self._order, cursor) if cursor else queryset
        rows = list(after.order_by(*self._order)[: size + 1])
        self._last = rows[size - 1] if len(rows) > size else None
        return rows[:size]

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page, with the address of the next one in `next` and in the header Link."""
        if self._by_key:
            response = Response({"count": self._count, "next": self.get_next_link(), "previous": None, "results": data})
        else:
            response = super().get_paginated_response(data)
        if response.data["next"]:
            response["Link"] = f'<{response.data["next"]}>; rel="next"'
        return response

    def get_next_link(self) -> str | None:
        """Return the address of the next page; None on the last one."""
        if not self._by_key:
            return super().get_next_link()
        if self._last is None:
            return None
        cursor = _cursor(self._last, self._order)
        return replace_query_param(self._address, "cursor", cursor)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return what a list takes, for OpenAPI."""
        whole = {"type": "integer", "minimum": 1}
        said = {
            "cursor": ({"type": "string"}, "Where to continue: `next` has it. It says nothing by itself."),
            "page": (whole, "Counts pages instead; rows that are added meanwhile move the others."),
            "page_size": (whole, f"Rows of a page, {self.page_size} if none is named; {self.max_page_size} at most."),
        }
        return [
            {"name": name, "in": "query", "required": False, "schema": schema, "description": description}
            for name, (schema, description) in said.items()
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the shape of a page, for OpenAPI."""
        address = {"type": ["string", "null"], "format": "uri"}
        fields = {
            "count": {"type": "integer", "description": "Rows of all pages."},
            "next": {**address, "description": "The next page; null on the last one. Also in the header Link."},
            "previous": {**address, "description": "The page before, where pages are counted; else null."},
            "results": schema,
        }
        return {"type": "object", "required": [*fields, *self.also], "properties": {**fields, **self.also}}


class _PageQuery(serializers.Serializer[Any]):
    """What a list is asked for."""

    cursor = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    page = serializers.IntegerField(required=False, min_value=1)
    page_size = serializers.IntegerField(required=False, min_value=1)


def _order(queryset: QuerySet[Any]) -> tuple[str, ...]:
    """Return the order of the rows, made definite by the primary key."""
    named = [str(one) for one in queryset.query.order_by or queryset.model._meta.ordering]
    if not {name.lstrip("-") for name in named} & {"pk", queryset.model._meta.pk.name}:
        named.append("-pk" if named and named[0].startswith("-") else "pk")
    return tuple(named)


def _field(queryset: QuerySet[Any], name: str) -> Field[Any, Any]:
    """Return the field of one part of the order, which may be computed for the list (`keyed_pages.Order`)."""
    plain = name.lstrip("-")
    if plain in queryset.query.annotations:
        return queryset.query.annotations[plain].output_field
    meta = queryset.model._meta
    return cast("Field[Any, Any]", meta.pk if plain == "pk" else meta.get_field(plain))


def _cursor(row: Any, order: tuple[str, ...]) -> str:
    values = [_written(getattr(row, name.lstrip("-"))) for name in order]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _written(value: Any) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)


def _behind(queryset: QuerySet[Any], order: tuple[str, ...], cursor: str) -> QuerySet[Any]:
    """Return the rows behind the cursor's. Raises NotFound for what is no cursor of such a list."""
    try:
        written = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(written, list) or len(written) != len(order) or "\0" in "".join(map(str, written)):
            raise ValueError("another list's")
        values = [_field(queryset, name).to_python(value) for name, value in zip(order, written, strict=True)]
    except (ValueError, TypeError, RecursionError, ValidationError) as exc:
        raise NotFound("There is no such page.") from exc
    if None in values:
        raise NotFound("There is no such page.")
    behind, alike = Q(), Q()
    for name, value in zip(order, values, strict=True):
        plain, step = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        behind |= alike & Q(**{f"{plain}__{step}": value})
        alike &= Q(**{plain: value})
    return queryset.filter(behind)
