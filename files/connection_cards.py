"""A user's connections as the page of integrations shows them: state, imports, what their models took this month."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from files import import_runs
from files.import_selectors import last_runs
from files.models import ImportRun
from integrations import selectors
from integrations.base import Kind, Provider
from integrations.models import ExternalIntegration, ModelUsage
from integrations.registry import PROVIDERS
from integrations.usage import Month
from orchestra.accounts.models import User
from orchestra.common.errors import kind_of_error

_ABOUT = {
    Kind.MODEL: ("Language models", "They write answers out of what is found. Without one, answers quote your files."),
    Kind.SOURCE: ("Sources", "They bring documents here as files of yours, and keep them as they are there."),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One connection. What follows `changeable` is empty for who may not change it.

    `next_at`: when the next import is due; None for within a minute. `took`: this month's calls of its model.
    """

    connection: ExternalIntegration
    label: str
    state: str
    changeable: bool
    hint: str = ""
    imports: bool = False
    run: ImportRun | None = None
    next_at: datetime | None = None
    took: ModelUsage | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """What there is of one kind: its connections, and the providers that one can be made to."""

    kind: str
    title: str
    about: str
    cards: list[Card]
    providers: list[Provider]


def groups_of(user: User, month: Month) -> list[Group]:
    """Return the user's connections and the installation's by kind, newest first."""
    connections = list(selectors.connections_of(user))
    runs = last_runs(connection.pk for connection in connections)
    cards = [_card(user, connection, runs.get(connection.pk), month) for connection in connections]
    return [
        Group(kind.value, title, about, _of_kind(cards, kind), selectors.providers_of_kind(kind))
        for kind, (title, about) in _ABOUT.items()
    ]


def card_of(user: User, connection: ExternalIntegration, month: Month) -> Card:
    """Return one connection's card."""
    return _card(user, connection, last_runs([connection.pk]).get(connection.pk), month)


def _of_kind(cards: Iterable[Card], kind: Kind) -> list[Card]:
    """Return the cards of a kind; what this version has no provider for stands among the models, to be removed."""
    kinds = {name: provider.kind for name, provider in PROVIDERS.items()}
    return [card for card in cards if kinds.get(card.connection.provider, Kind.MODEL) is kind]


def _card(user: User, connection: ExternalIntegration, run: ImportRun | None, month: Month) -> Card:
    provider = PROVIDERS.get(connection.provider)
    label, state = provider.label if provider else connection.provider, selectors.state_of(connection)
    if not selectors.may_change(user, connection):
        return Card(connection, label, state, changeable=False)
    error = kind_of_error(connection.error_code) if connection.error_code else None
    imports = selectors.brings_documents(connection)
    return Card(
        connection,
        label,
        state,
        changeable=True,
        hint=error.default_hint if error else "",
        imports=imports,
        run=run,
        next_at=_next_at(connection, run) if imports else None,
        took=None if imports else _took(user.pk, connection, month),
    )


def _next_at(connection: ExternalIntegration, run: Any) -> datetime | None:
    at = import_runs.next_at(connection, run)
    return None if at is None or at <= run.now else at


def _took(user_id: UUID, connection: ExternalIntegration, month: Month) -> ModelUsage | None:
    """Return what the user's calls of a connection's model took; usage is counted by the model's name."""
    own = connection.owner_id == user_id
    name = connection.config.get("model") or connection.provider
    return next((row for row in month.rows if row.own is own and row.model == name), None)
