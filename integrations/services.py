"""Writes of connections: made, changed, tested, sealed anew; and the language model that a user's questions go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from django.db.models.functions import Now

from integrations import selectors
from integrations.base import Field, Kind, Provider, Verdict
from integrations.errors import ConnectionInvalid, NotASource, TooManyConnections
from integrations.llm import language_models
from integrations.llm.base import LanguageModel, ModelUnavailable
from integrations.llm.metering import MeteredModel
from integrations.models import ExternalIntegration
from integrations.registry import PROVIDERS
from integrations.sources.base import Source
from orchestra.accounts import audit
from orchestra.accounts.models import AuditAction, SecondFactor, User
from orchestra.common.errors import CredentialsUnreadable
from orchestra.common.identifiers import new_id
from orchestra.common.lines import one_line
from orchestra.common.sealing import Credentials, is_current, seal, unseal

_LONGEST_VALUE = 2_000
_MOST_CONNECTIONS = 50


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did: rows sealed anew, rows that were current, and those that no key opens."""

    sealed: int
    current: int
    unreadable: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A field of a model that holds what `orchestra.common.sealing` made, bound to its row's id."""

    model: type[Model]
    field: str


sealed_columns = [SealedColumn(ExternalIntegration, "credentials"), SealedColumn(SecondFactor, "secret")]
"""What a rotation goes through; an application above adds its own."""


def connect(owner: User | None, provider: str, name: str, values: Mapping[str, str]) -> ExternalIntegration:
    """Make a connection, of the installation where there is no owner. `values`: its fields, secrets among them.

    Raises ConnectionInvalid, or TooManyConnections.
    """
    known = _provider(provider)
    if owner is None and known.personal:
        raise ConnectionInvalid(installation="What this provider brings belongs to somebody: make it your own.")
    config, secrets = _checked(known, values)
    row = ExternalIntegration(id=new_id(), provider=known.name, owner=owner, name=_named(name, known), config=config)
    row.credentials = seal(Credentials(secrets), row.pk)
    with transaction.atomic():
        if owner is not None:
            User.objects.select_for_update(no_key=True).get(pk=owner.pk)  # counts in turn
        if ExternalIntegration.objects.filter(owner=owner).count() >= _MOST_CONNECTIONS:
            raise TooManyConnections
        row.save()
        _record(AuditAction.CONNECTED, row)
    return row


def change(
    connection: ExternalIntegration,
    *,
    name: str | None = None,
    enabled: bool | None = None,
    values: Mapping[str, str] | None = None,
) -> ExternalIntegration:
    """Change what is given. A secret that is not among `values` stays, unless the address that it is for changes.

    Raises ConnectionInvalid, or CredentialsUnreadable where a stored secret is needed and cannot be read.
    """
    with transaction.atomic():
        row = ExternalIntegration.objects.select_for_update().get(pk=connection.pk)
        row.name = row.name if name is None else _named(name, _provider(row.provider))
        row.enabled = row.enabled if enabled is None else enabled
        if values is not None:
            _change_fields(row, values)
        row.save()
        _record(AuditAction.CONNECTION_CHANGED, row)
    return row


def disconnect(connection: ExternalIntegration) -> None:
    """Delete a connection with its credentials."""
    with transaction.atomic():
        _record(AuditAction.DISCONNECTED, connection)
        connection.delete()


def _record(action: AuditAction, row: ExternalIntegration) -> None:
    audit.record(action, subject=f"{row.provider} connection {row.pk}", owner_id=row.owner_id)


def test(connection: ExternalIntegration) -> Verdict:
    """Try a connection, note what came of it, and return it. Raises nothing of the provider's."""
    try:
        verdict: Verdict = _built(connection).test()
    except CredentialsUnreadable as exc:
        verdict = Verdict(False, exc.code, exc.message, exc.hint)
    code, message = ("", "") if verdict.works else (verdict.code, verdict.message)
    ExternalIntegration.objects.filter(pk=connection.pk).update(
        tested_at=Now(), error_code=code, error_message=message[:500]
    )
    return verdict


def try_out(provider: str, values: Mapping[str, str], *, connection: ExternalIntegration | None = None) -> Verdict:
    """Try fields before they are saved, with the secrets of `connection` that would stay; nothing is kept.

    Raises ConnectionInvalid, or CredentialsUnreadable where a stored secret is needed and cannot be read.
    """
    known = _provider(provider)
    config, secrets = _checked(known, values if connection is None else _merged(connection, values))
    verdict: Verdict = _build(known, {**config, **secrets}).test()
    return verdict


def stored_secrets(connection: ExternalIntegration) -> frozenset[str]:
    """Return the names of the secrets that a connection has; none where they cannot be read."""
    try:
        return frozenset(unseal(bytes(connection.credentials), connection.pk).values)
    except CredentialsUnreadable:
        return frozenset()


def rotate_credentials() -> Rotation:
    """Seal with the first key what another one sealed, a row at a time."""
    sealed, current, unreadable = 0, 0, []
    for column in sealed_columns:
        for pk in column.model._default_manager.order_by("pk").values_list("pk", flat=True):
            try:
                done = _seal_anew(column, pk)
            except CredentialsUnreadable:
                unreadable.append(pk)
                continue
            sealed, current = sealed + (done is True), current + (done is False)
    return Rotation(sealed, current, tuple(unreadable))


def _seal_anew(column: SealedColumn, pk: UUID) -> bool | None:
    """Seal what one row holds, and return whether there was need to; None for a row that is gone."""
    with transaction.atomic():
        row: Any = column.model._default_manager.select_for_update(no_key=True).filter(pk=pk).first()
        if row is None:
            return None
        stored = bytes(getattr(row, column.field))
        if is_current(stored):
            return False
        setattr(row, column.field, seal(unseal(stored, pk), pk))
        row.save(update_fields=[column.field])
    return True


def language_model(user: User, *, alias: str = "default") -> LanguageModel | None:
    """Return the model that answers the user: by the user's own connection, the installation's, or the settings.

    None where there is none under this alias. Its calls are counted, and end where the user's budget does.
    Raises ModelUnavailable where the credentials of the connection cannot be read: another model would send the
    question to whom the user did not choose.
    """
    connection = selectors.model_connections(user, alias).first()
    if connection is not None:
        return MeteredModel(_readable(connection), user.pk, own=connection.owner_id is not None)
    if alias in language_models.aliases():
        return MeteredModel(language_models[alias], user.pk, own=False)
    return None


def local_model(user: User | None = None) -> LanguageModel | None:
    """Return the model of the alias `local` on this machine, for private mode; None where there is none.

    A model at any other address than loopback is none of these, whatever its connection says. Without a user the
    user's own connections are left out, and nothing is counted.
    """
    for connection in selectors.model_connections(user, "local"):
        model = _readable(connection)
        if model.local:
            own = connection.owner_id is not None
            return model if user is None else MeteredModel(model, user.pk, own=own)
    if "local" in language_models.aliases() and language_models["local"].local:
        model = language_models["local"]
        return model if user is None else MeteredModel(model, user.pk, own=False)
    return None


def source(connection: ExternalIntegration) -> Source:
    """Return what lists and reads the documents of a connection. Raises NotASource, or CredentialsUnreadable."""
    if _provider(connection.provider).kind is not Kind.SOURCE:
        raise NotASource
    built: Source = _built(connection)
    return built


def _readable(connection: ExternalIntegration) -> LanguageModel:
    try:
        model: LanguageModel = _built(connection)
    except CredentialsUnreadable as exc:
        raise ModelUnavailable(exc.message, hint=exc.hint) from exc
    return model


def _built(connection: ExternalIntegration) -> Any:
    """Return what speaks to the connection's service. Raises CredentialsUnreadable."""
    secrets = unseal(bytes(connection.credentials), connection.pk).values
    return _build(_provider(connection.provider), {**connection.config, **secrets})


def _build(provider: Provider, values: Mapping[str, Any]) -> Any:
    return provider.build({field.name: str(values.get(field.name, field.default)) for field in provider.fields})


def _named(name: str, provider: Provider) -> str:
    """Return the name as it is kept; the provider's, where nothing of it can be seen."""
    return one_line(name) or provider.label


def _provider(name: str) -> Provider:
    if name not in PROVIDERS:
        raise ConnectionInvalid(provider=f"Write one of {', '.join(PROVIDERS)}.")
    return PROVIDERS[name]


def _change_fields(row: ExternalIntegration, values: Mapping[str, str]) -> None:
    config, sealed = _checked(_provider(row.provider), _merged(row, values))
    row.config, row.credentials = config, seal(Credentials(sealed), row.pk)
    row.tested_at, row.error_code, row.error_message = None, "", ""


def _merged(row: ExternalIntegration, values: Mapping[str, str]) -> dict[str, str]:
    """Return the values that a connection would have: `values`, and of its own what is not among them."""
    provider = _provider(row.provider)
    # Whoever may change the address could otherwise have the stored key sent to a server of theirs.
    leading = [field.name for field in provider.fields if field.leads]
    moved = any(values.get(name, row.config.get(name)) != row.config.get(name) for name in leading)
    kept = {} if moved else _kept_secrets(row, provider.secrets() - set(values))
    return {**row.config, **kept, **values}


def _kept_secrets(row: ExternalIntegration, names: frozenset[str] | set[str]) -> dict[str, str]:
    if not names:
        return {}
    stored = unseal(bytes(row.credentials), row.pk).values
    return {name: value for name, value in stored.items() if name in names}


def _checked(provider: Provider, values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return config and secrets out of the values. Raises ConnectionInvalid with a sentence per wrong field."""
    known = {field.name: field for field in provider.fields}
    wrong = {name: "This provider has no such field." for name in values if name not in known}
    filled = {name: values.get(name, "").strip() or field.default for name, field in known.items()}
    for name, field in known.items():
        if said := _wrong(field, filled[name]):
            wrong[name] = said
    if wrong:
        raise ConnectionInvalid(**wrong)
    secrets = provider.secrets()
    config = {name: value for name, value in filled.items() if name not in secrets}
    return config, {name: filled[name] for name in secrets if filled[name]}


def _wrong(field: Field, value: str) -> str:
    """Return what is wrong with a value, in a sentence that does not repeat it; "" for nothing."""
    if not value:
        return "This field is needed." if field.required else ""
    if len(value) > _LONGEST_VALUE or not value.isprintable() or (field.secret and not value.isascii()):
        return "This has signs that cannot be sent, or is too long."
    if field.choices and value not in field.choices:
        return f"Write one of {', '.join(field.choices)}."
    try:
        if field.check is not None:
            field.check(value)
    except ValueError as exc:
        return str(exc)
    return ""
