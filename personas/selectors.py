"""Reads of personas. One that is not shared with the caller is an unknown one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from orchestra.accounts.models import User
from personas import rules
from personas.errors import PersonaNotFound, PersonaNotYours
from personas.facts import PersonaFacts
from personas.models import DefaultPersona, Persona
from personas.prompting import system_text


@dataclass(frozen=True, slots=True)
class PersonaView:
    """A persona as one user sees it. `owner` is a user's name; empty where it belongs to the installation.

    `groups` are the names of those it is shared with, for who may change it; nobody else learns them.
    """

    persona: Persona
    owner: str
    changeable: bool
    is_default: bool
    groups: tuple[str, ...]


def visible_to(user: User) -> QuerySet[Persona]:
    """Return the personas that `user` may use: their own, and those shared with everybody or with a group of theirs."""
    by_group = Persona.groups.through.objects.filter(group__user=user).values("persona_id")
    return Persona.objects.filter(Q(owner=user) | Q(shared=True) | Q(pk__in=by_group))


def get_persona(user: User, persona_id: UUID) -> Persona:
    """Return one persona that `user` may use. Raises PersonaNotFound."""
    persona = visible_to(user).filter(pk=persona_id).first()
    if persona is None:
        raise PersonaNotFound
    return persona


def get_changeable(user: User, persona_id: UUID) -> Persona:
    """Return one persona that `user` may change. Raises PersonaNotFound, PersonaNotYours."""
    persona = get_persona(user, persona_id)
    if not may_change(user, persona):
        raise PersonaNotYours
    return persona


def may_change(user: User, persona: Persona) -> bool:
    """Whether `user` may change or delete the persona: its owner, or staff where it is the installation's."""
    return persona.owner_id == user.pk or (persona.owner_id is None and user.is_staff)


def groups_of(user: User) -> QuerySet[Group]:
    """Return the groups that `user` may share with: their own."""
    return user.groups.order_by("name")


def with_access(user: User, personas: Iterable[Persona]) -> list[PersonaView]:
    """Add what `user` may do with each persona, in three queries at most however many there are."""
    listed = list(personas)
    owners = dict(User.objects.filter(pk__in={one.owner_id for one in listed}).values_list("pk", "username"))
    changeable = {one.pk for one in listed if may_change(user, one)}
    names: dict[UUID, list[str]] = {}
    shares = Persona.groups.through.objects.filter(persona__in=changeable).order_by("group__name")
    for persona_id, name in shares.values_list("persona_id", "group__name"):
        names.setdefault(persona_id, []).append(name)
    default = DefaultPersona.objects.filter(user=user).values_list("persona_id", flat=True).first()
    return [
        PersonaView(
            one,
            owners.get(one.owner_id, "") if one.owner_id else "",
            one.pk in changeable,
            one.pk == default,
            tuple(names.get(one.pk, ())),
        )
        for one in listed
    ]


def default_of(user: User) -> Persona | None:
    """Return the user's default persona; None where there is none, or where it is no longer shared with them."""
    chosen = DefaultPersona.objects.filter(user=user).values("persona_id")
    return visible_to(user).filter(pk__in=chosen).first()


def facts_for(user: User, persona_id: UUID) -> PersonaFacts:
    """Return what a search by `user` takes of a persona. Raises PersonaNotFound."""
    return facts_of(get_persona(user, persona_id))


def default_facts(user: User) -> PersonaFacts | None:
    """Return the facts of the user's default persona, if there is one."""
    persona = default_of(user)
    return facts_of(persona) if persona else None


def facts_of(persona: Persona) -> PersonaFacts:
    """Return a persona's values; a mode that this server does not have is none."""
    return PersonaFacts(
        id=persona.pk,
        name=persona.name,
        system=system_text(persona.prompt, persona.tone),
        unguarded=system_text(persona.prompt, persona.tone, guarded=False),
        tone=persona.tone,
        mode=persona.mode if persona.mode in rules.modes() else "",
        model=persona.model,
        temperature=persona.temperature,
        tags=tuple(persona.tags),
        kinds=tuple(persona.kinds),
        blocked_terms=tuple(persona.blocked_terms),
    )
