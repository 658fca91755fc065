"""Reads of connections, each scoped to who asks."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F, Q, QuerySet

from integrations.base import Kind, Provider
from integrations.errors import ConnectionNotFound, ConnectionNotYours
from integrations.models import ExternalIntegration, ModelUsage
from integrations.registry import PROVIDERS
from orchestra.accounts.models import User


def connections_of(user: User) -> QuerySet[ExternalIntegration]:
    """Return the user's own connections and the installation's."""
    return ExternalIntegration.objects.filter(Q(owner=user) | Q(owner=None))


def connection_for(user: User, connection_id: UUID) -> ExternalIntegration:
    """Return a connection that the user may see. Raises ConnectionNotFound."""
    found = connections_of(user).filter(pk=connection_id).first()
    if found is None:
        raise ConnectionNotFound
    return found


def connections_to_change(user: User) -> QuerySet[ExternalIntegration]:
    """Return the connections that the user may change."""
    whose = Q(owner=user) | Q(owner=None) if user.is_staff else Q(owner=user)
    return ExternalIntegration.objects.filter(whose)


def connection_to_change(user: User, connection_id: UUID) -> ExternalIntegration:
    """Return a connection that the user may change. Raises ConnectionNotFound, or ConnectionNotYours."""
    found = connection_for(user, connection_id)
    if not may_change(user, found):
        raise ConnectionNotYours
    return found


def may_change(user: User, connection: ExternalIntegration) -> bool:
    """Tell whether the user may change, test and delete it, and see its settings."""
    return connection.owner_id == user.pk or (connection.owner_id is None and user.is_staff)


def state_of(connection: ExternalIntegration) -> str:
    """Return what its last test found: `works`, `failed`, or `untested`."""
    if connection.error_code:
        return "failed"
    return "works" if connection.tested_at is not None else "untested"


def providers_of_kind(kind: Kind) -> list[Provider]:
    """Return the providers that give this."""
    return [provider for provider in PROVIDERS.values() if provider.kind is kind]


def brings_documents(connection: ExternalIntegration) -> bool:
    """Tell whether its provider is a source."""
    return connection.provider in {provider.name for provider in providers_of_kind(Kind.SOURCE)}


def model_connections(user: User | None, alias: str) -> QuerySet[ExternalIntegration]:
    """Return the connections to models under an alias: the user's own first, then the installation's, newest first."""
    providers = [provider.name for provider in providers_of_kind(Kind.MODEL)]
    whose = Q(owner=None) if user is None else Q(owner=user) | Q(owner=None)
    found = ExternalIntegration.objects.filter(whose, provider__in=providers, enabled=True, config__alias=alias)
    return found.order_by(F("owner").asc(nulls_last=True), "-created_at")


def source_connections() -> QuerySet[ExternalIntegration]:
    """Return the connections that bring documents, of everybody who may sign in."""
    providers = [provider.name for provider in providers_of_kind(Kind.SOURCE)]
    return ExternalIntegration.objects.filter(provider__in=providers, enabled=True, owner__is_active=True)


def usage_of(user: User) -> QuerySet[ModelUsage]:
    """Return what the user's calls of models took, newest month first."""
    return ModelUsage.objects.filter(user=user)
