"""Imports of a connection: begun now, and what the last ones did."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from files import import_runs
from files.errors import ConnectionOff
from files.import_selectors import SHOWN_ENTRIES, runs_of
from files.models import ImportAction, ImportEntry, ImportRun, ImportState
from integrations import selectors, services
from integrations.errors import ConnectionNotFound, ConnectionNotYours, NotASource
from orchestra.accounts.models import User
from orchestra.common.openapi import raises


class ImportEntrySerializer(serializers.ModelSerializer[ImportEntry]):
    """What a run did with one document."""

    action = serializers.ChoiceField(choices=ImportAction.choices)
    file = serializers.UUIDField(source="file_id", allow_null=True, help_text="The file that has its content.")

    class Meta:
        model = ImportEntry
        fields = ("action", "name", "origin", "file", "code", "message", "created_at")


class ImportErrorSerializer(serializers.Serializer[ImportRun]):
    """Why a run failed; empty for nothing."""

    code = serializers.CharField(source="error_code")
    message = serializers.CharField(source="error_message")
    hint = serializers.CharField(source="error_hint")


class ImportRunSerializer(serializers.ModelSerializer[ImportRun]):
    """One run of an import. Its numbers grow while it runs."""

    state = serializers.ChoiceField(choices=ImportState.choices)
    error = ImportErrorSerializer(source="*")
    items = ImportEntrySerializer(
        source="shown", many=True, help_text=f"The log, failures first; {SHOWN_ENTRIES} documents at most."
    )

    class Meta:
        model = ImportRun
        fields = (
            *("id", "state", "asked_at", "started_at", "ended_at"),
            *("listed", "unchanged", "added", "changed", "duplicates", "deleted", "failed", "bytes", "error", "items"),
        )


class ImportsSerializer(serializers.Serializer[Any]):
    """The last runs of a connection, newest first."""

    runs = ImportRunSerializer(many=True)


class ImportView(APIView):
    """Imports now."""

    @extend_schema(request=None, responses={202: ImportRunSerializer})
    @raises(ConnectionNotFound, ConnectionNotYours, NotASource, ConnectionOff)
    def post(self, request: Request, integration_id: UUID) -> Response:
        """Begin an import as soon as a worker is free, or return the one that waits or goes on."""
        connection = selectors.connection_to_change(cast(User, request.user), integration_id)
        services.source(connection)
        asked = import_runs.ask(connection)
        (shown,) = [run for run in runs_of(connection) if run.pk == asked.pk]
        return Response(ImportRunSerializer(shown).data, status=status.HTTP_202_ACCEPTED)


class ImportListView(APIView):
    """What imports did."""

    @extend_schema(operation_id="integrations_imports", responses=ImportsSerializer)
    @raises(ConnectionNotFound, ConnectionNotYours)
    def get(self, request: Request, integration_id: UUID) -> Response:
        """List the last runs, newest first, with what they did; poll it for progress."""
        connection = selectors.connection_to_change(cast(User, request.user), integration_id)
        body = ImportsSerializer({"runs": runs_of(connection)}).data
        return Response(body, headers={"Cache-Control": "no-store"})
