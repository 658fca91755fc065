"""Health for people and for orchestrators."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orchestra.monitoring.checks import CheckResult, registry
from orchestra.monitoring.metrics import access

_READY = ["database", "migrations", "redis", "storage"]
_ON_DATABASE = ("migrations",)


class _OpenView(APIView):
    """Answers anybody, because probes hold no key; says no more than good or bad."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class AliveSerializer(serializers.Serializer[object]):
    """A sign of life."""

    status = serializers.CharField(help_text="`ok`; there is no other answer.")


class ReadySerializer(serializers.Serializer[object]):
    """Which parts work."""

    status = serializers.ChoiceField(choices=["ok", "unavailable"])
    checks = serializers.DictField(child=serializers.BooleanField(), help_text="By the part's name.")


class LiveView(_OpenView):
    """Is the process alive?"""

    @extend_schema(responses=AliveSerializer)
    def get(self, request: Request) -> Response:
        """Answer without asking any other part."""
        return Response({"status": "ok"}, headers={"Cache-Control": "no-store"})


class ReadyView(_OpenView):
    """Can the process serve?"""

    @extend_schema(responses={200: ReadySerializer, 503: ReadySerializer})
    def get(self, request: Request) -> Response:
        """Answer 200 when database, migrations, Redis and storage work, 503 otherwise."""
        results = _ready()
        body: dict[str, Any] = {"status": "ok" if all(results.values()) else "unavailable", "checks": results}
        code = status.HTTP_200_OK if all(results.values()) else status.HTTP_503_SERVICE_UNAVAILABLE
        return Response(body, status=code, headers={"Cache-Control": "no-store"})


def _ready() -> dict[str, bool]:
    """Return which parts are good; those that need a database that is away are not asked: each would wait for it."""
    results = dict.fromkeys(_READY, False)
    for name in _READY:
        if name in _ON_DATABASE and not results["database"]:
            continue
        results.update({result.name: result.outcome.ok for result in registry.run([name])})
    return results


class MetricsView(_OpenView):
    """The figures for Prometheus."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Answer whoever has the token or comes from a listed network; refuse all others."""
        if not access.may_read(request._request):
            raise access.MetricsClosed
        from orchestra.monitoring.metrics import reading

        return HttpResponse(reading.as_text(), content_type=reading.CONTENT_TYPE, headers={"Cache-Control": "no-store"})


class CheckSerializer(serializers.Serializer[CheckResult]):
    """What one check found."""

    name = serializers.CharField()
    ok = serializers.BooleanField(source="outcome.ok")
    message = serializers.CharField(source="outcome.message")
    remedy = serializers.CharField(source="outcome.remedy", help_text="What to do; empty when nothing is.")
    milliseconds = serializers.FloatField()


class SystemStatusView(APIView):
    """Every part of the system, for those who run it."""

    permission_classes = (IsAdminUser,)

    @extend_schema(responses=CheckSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Run every check that `manage.py doctor` runs, the sandbox's level among them."""
        checks: Any = list(registry.run())  # DRF's types know no list for many=True
        return Response(CheckSerializer(checks, many=True).data, headers={"Cache-Control": "no-store"})
