"""Writes of personas. The API, the pages and the admin all call these."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now

from orchestra.accounts.models import User
from orchestra.common.conditional import require_version
from personas import exchange, rules, selectors
from personas.errors import InvalidPersona, PersonaNotFound, PersonaNotYours, TooManyPersonas
from personas.models import DefaultPersona, Persona


def create(user: User, fields: Mapping[str, object]) -> Persona:
    """Make a persona of the user's; fields that are missing have their defaults.

    Raises InvalidPersona, TooManyPersonas.
    """
    values = rules.cleaned({"name": "", **rules.DEFAULTS, **fields})
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two requests at once count the same personas
        if Persona.objects.filter(owner=user).count() >= rules.MOST_PERSONAS:
            raise TooManyPersonas(f"You have {rules.MOST_PERSONAS} personas, as many as one user may have.")
        groups = _groups(user, values.pop("groups"))
        persona = Persona.objects.create(owner=user, **values)
        persona.groups.set(groups)
        persona.refresh_from_db()
    return persona


def draft(fields: Mapping[str, object]) -> Persona:
    """Return a persona that is not saved, nobody's, to be looked at and tried. Raises InvalidPersona."""
    values = rules.cleaned({"name": "", **rules.DEFAULTS, **fields})
    del values["groups"]
    return Persona(**values)


def update(
    user: User, persona: Persona, fields: Mapping[str, object], versions: frozenset[str] | None = None
) -> Persona:
    """Change the fields that are named, and no others; of one of these versions, where some are named.

    Raises InvalidPersona, PersonaNotYours, PersonaNotFound, Changed.
    """
    _require_changeable(user, persona)
    values = rules.cleaned(fields)
    names = values.pop("groups", None)
    with transaction.atomic():
        locked = Persona.objects.select_for_update(no_key=True).filter(pk=persona.pk).first()
        if locked is None:
            raise PersonaNotFound
        require_version(locked.version, versions)
        # Later than any version before it, so that no two of them are called alike.
        later = Greatest(Now(), F("updated_at") + timedelta(microseconds=1))
        Persona.objects.filter(pk=persona.pk).update(updated_at=later, **values)
        if names is not None:
            persona.groups.set(_groups(user, names, persona))
        persona.refresh_from_db()
    return persona


def replace(
    user: User, persona: Persona, fields: Mapping[str, object], versions: frozenset[str] | None = None
) -> Persona:
    """Change all fields: those that are missing get their defaults. Raises as `update`."""
    return update(user, persona, {"name": "", **rules.DEFAULTS, **fields}, versions)


def delete(user: User, persona: Persona, versions: frozenset[str] | None = None) -> None:
    """Delete a persona, for everybody it was shared with too. Raises PersonaNotYours, Changed."""
    _require_changeable(user, persona)
    with transaction.atomic():
        # Locked before anybody's choice of it is looked for, so that no new one comes in between.
        if locked := Persona.objects.select_for_update().filter(pk=persona.pk).first():
            require_version(locked.version, versions)
            locked.delete()


def clone(user: User, persona: Persona) -> Persona:
    """Make a private copy of a persona that the user sees. Raises TooManyPersonas."""
    fields: dict[str, Any] = {name: getattr(persona, name) for name in rules.PORTABLE}
    fields["name"] = f"Copy of {persona.name}"[: rules.LONGEST_NAME]
    if fields["mode"] not in rules.modes():
        fields["mode"] = ""  # as it is used: the one who clones did not write it and cannot correct it
    return create(user, fields)


def import_document(user: User, document: object) -> Persona:
    """Make a private persona from an exported document. Raises InvalidPersonaFile, InvalidPersona, TooManyPersonas."""
    return create(user, exchange.fields_of(document))


def make_default(user: User, persona: Persona) -> None:
    """Ask the user's questions with this persona from now on, where none is named. Raises PersonaNotFound."""
    with transaction.atomic():
        if not Persona.objects.select_for_update(no_key=True).filter(pk=persona.pk).exists():
            raise PersonaNotFound
        DefaultPersona.objects.update_or_create(user=user, defaults={"persona": persona})


def clear_default(user: User) -> None:
    """Ask the user's questions with no persona, where none is named."""
    DefaultPersona.objects.filter(user=user).delete()


def _require_changeable(user: User, persona: Persona) -> None:
    if not selectors.may_change(user, persona):
        raise PersonaNotYours


def _groups(user: User, names: list[str], persona: Persona | None = None) -> list[Group]:
    """Return the groups of these names. Raises InvalidPersona for one that is not the user's, alike for unknown ones.

    Those that the persona is shared with already may stay, though the user has left them.
    """
    allowed = {group.name: group for group in selectors.groups_of(user)}
    if persona is not None:
        allowed |= {group.name: group for group in persona.groups.all()}
    if foreign := [name for name in names if name not in allowed]:
        raise InvalidPersona(groups=[f"You are in no group {foreign[0]!r}."])
    return [allowed[name] for name in names]
