"""Writes and reads of personas: whose they are, with whom they are shared, which one is the default."""

from __future__ import annotations

import importlib
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orchestra.accounts.models import User
from personas import rules, selectors, services
from personas.errors import InvalidPersona, PersonaNotFound, PersonaNotYours, TooManyPersonas
from personas.models import DefaultPersona, Persona

shipped: Any = importlib.import_module("personas.migrations.0002_shipped")


def names_of(user: User) -> set[str]:
    return set(selectors.visible_to(user).exclude(owner=None).values_list("name", flat=True))


@pytest.fixture
def crew(alice: User) -> Group:
    group = Group.objects.create(name="crew")
    alice.groups.add(group)
    return group


def test_a_persona_is_private_until_it_is_shared(alice: User, bob: User) -> None:
    persona = services.create(alice, {"name": "Mine"})
    assert names_of(alice) == {"Mine"}
    assert names_of(bob) == set()
    services.update(alice, persona, {"shared": True})
    assert names_of(bob) == {"Mine"}


def test_sharing_with_a_group_is_sharing_with_its_members(alice: User, bob: User, crew: Group) -> None:
    persona = services.create(alice, {"name": "Ours", "groups": ["crew"]})
    assert names_of(bob) == set()
    bob.groups.add(crew)
    assert names_of(bob) == {"Ours"}
    assert selectors.facts_for(bob, persona.pk).name == "Ours"
    bob.groups.remove(crew)
    with pytest.raises(PersonaNotFound):
        selectors.facts_for(bob, persona.pk)


def test_shared_twice_it_is_listed_once(alice: User, bob: User, crew: Group) -> None:
    other = Group.objects.create(name="other")
    for user in (alice, bob):
        user.groups.add(crew, other)
    services.create(alice, {"name": "Ours", "groups": ["crew", "other"], "shared": True})
    assert selectors.visible_to(bob).filter(name="Ours").count() == 1


def test_groups_of_others_and_unknown_ones_are_refused_alike(alice: User, bob: User, crew: Group) -> None:
    said = []
    for name in ("crew", "no such group"):
        with pytest.raises(InvalidPersona) as caught:
            services.create(bob, {"name": "x", "groups": [name]})
        said.append(str(caught.value.details["groups"]).replace(name, "…"))
    assert said[0] == said[1]
    assert not Persona.objects.filter(owner=bob).exists()


def test_who_left_a_group_may_still_save_what_is_shared_with_it(alice: User, crew: Group) -> None:
    persona = services.create(alice, {"name": "Ours", "groups": ["crew"]})
    alice.groups.remove(crew)
    services.replace(alice, persona, {"name": "Renamed", "groups": ["crew"]})
    assert [group.name for group in persona.groups.all()] == ["crew"]


def test_others_may_use_a_shared_persona_and_not_change_it(alice: User, bob: User) -> None:
    persona = services.create(alice, {"name": "Ours", "shared": True})
    for write in (
        lambda: services.update(bob, persona, {"name": "Taken"}),
        lambda: services.replace(bob, persona, {"name": "Taken"}),
        lambda: services.delete(bob, persona),
    ):
        with pytest.raises(PersonaNotYours):
            write()
    assert Persona.objects.get(pk=persona.pk).name == "Ours"


def test_what_belongs_to_nobody_is_changed_by_staff(alice: User, bob: User) -> None:
    persona = Persona.objects.create(name="House", shared=True)
    with pytest.raises(PersonaNotYours):
        services.update(bob, persona, {"name": "Taken"})
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    bob.refresh_from_db()
    assert services.update(bob, persona, {"name": "New"}).name == "New"
    hers = services.create(alice, {"name": "Hers", "shared": True})
    with pytest.raises(PersonaNotYours):
        services.update(bob, hers, {"name": "Taken"})


def test_a_change_of_some_fields_leaves_the_others(alice: User) -> None:
    persona = services.create(alice, {"name": "A", "prompt": "P", "tags": ["t"], "temperature": 0.5})
    changed = services.update(alice, persona, {"tone": "plain"})
    assert (changed.name, changed.prompt, changed.tags, changed.temperature, changed.tone) == (
        "A",
        "P",
        ["t"],
        0.5,
        "plain",
    )
    replaced = services.replace(alice, persona, {"name": "B"})
    assert (replaced.name, replaced.prompt, replaced.tags, replaced.temperature, replaced.tone) == (
        "B",
        "",
        [],
        None,
        "neutral",
    )
    assert replaced.updated_at >= replaced.created_at


def test_a_wrong_field_changes_nothing(alice: User) -> None:
    persona = services.create(alice, {"name": "A"})
    with pytest.raises(InvalidPersona):
        services.update(alice, persona, {"name": "B", "tone": "x"})
    with pytest.raises(InvalidPersona):
        services.update(alice, persona, {"name": "B", "groups": ["x"]})
    assert Persona.objects.get(pk=persona.pk).name == "A"


def test_there_is_an_end_to_making(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_PERSONAS", 2)
    first = services.create(alice, {"name": "1"})
    services.clone(alice, first)
    with pytest.raises(TooManyPersonas):
        services.create(alice, {"name": "3"})
    with pytest.raises(TooManyPersonas):
        services.clone(alice, first)
    services.delete(alice, first)
    services.create(alice, {"name": "3"})


def test_a_clone_is_private_and_ones_own(alice: User, bob: User) -> None:
    persona = services.create(
        alice, {"name": "n" * 100, "prompt": "P", "tags": ["t"], "blocked_terms": ["b"], "shared": True}
    )
    copy = services.clone(bob, persona)
    assert (copy.owner, copy.shared, copy.prompt, copy.tags, copy.blocked_terms) == (bob, False, "P", ["t"], ["b"])
    assert copy.name == f"Copy of {'n' * 92}"


def test_a_mode_that_this_server_lacks_is_none(alice: User, settings: Any) -> None:
    persona = Persona.objects.create(name="Old", mode="gone", shared=True)
    assert selectors.facts_of(persona).mode == ""
    assert services.clone(alice, persona).mode == ""
    persona.mode = "basic"
    assert selectors.facts_of(persona).mode == "basic"


def test_facts_hold_what_a_search_takes(alice: User) -> None:
    persona = services.create(
        alice, {"name": "A", "prompt": "Be brief.", "tags": ["t"], "kinds": ["mail"], "blocked_terms": ["b"]}
    )
    facts = selectors.facts_for(alice, persona.pk)
    assert (facts.id, facts.tags, facts.kinds, facts.blocked_terms) == (persona.pk, ("t",), ("mail",), ("b",))
    assert "| Be brief." in facts.system
    assert facts.unguarded == "Be brief."


def test_the_default_ends_with_the_persona_and_with_its_sharing(alice: User, bob: User) -> None:
    persona = services.create(alice, {"name": "Ours", "shared": True})
    assert selectors.default_facts(bob) is None
    services.make_default(bob, persona)
    services.make_default(bob, persona)
    assert selectors.default_of(bob) == persona
    services.update(alice, persona, {"shared": False})
    assert selectors.default_facts(bob) is None
    services.update(alice, persona, {"shared": True})
    services.clear_default(bob)
    assert selectors.default_of(bob) is None
    services.make_default(bob, persona)
    services.delete(alice, persona)
    assert not DefaultPersona.objects.exists()
    with pytest.raises(PersonaNotFound):
        services.make_default(bob, persona)


def test_a_users_personas_go_with_the_user(alice: User, bob: User) -> None:
    persona = services.create(alice, {"name": "Ours", "shared": True})
    services.make_default(bob, persona)
    alice.delete()
    assert not Persona.objects.filter(pk=persona.pk).exists()
    assert selectors.default_of(bob) is None


def test_an_unknown_id_is_not_found(alice: User) -> None:
    with pytest.raises(PersonaNotFound):
        selectors.facts_for(alice, uuid4())


def test_who_may_not_change_it_learns_no_groups(alice: User, bob: User, crew: Group) -> None:
    persona = services.create(alice, {"name": "Ours", "groups": ["crew"], "shared": True})
    assert selectors.with_access(alice, [persona])[0].groups == ("crew",)
    (seen,) = selectors.with_access(bob, [persona])
    assert (seen.groups, seen.owner, seen.changeable) == ((), "alice", False)


def test_lists_take_the_same_queries_however_long(alice: User) -> None:
    counts = []
    for _ in range(2):
        for number in range(3):
            services.create(alice, {"name": str(number)})
        with CaptureQueriesContext(connection) as queries:
            selectors.with_access(alice, selectors.visible_to(alice))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4


@pytest.mark.parametrize("fields", shipped.PERSONAS, ids=lambda fields: fields["name"])
def test_the_shipped_ones_are_valid(fields: dict[str, Any], settings: Any) -> None:
    settings.SEARCH_MODES = {**settings.SEARCH_MODES, "deep": {}, "creative": {}}
    cleaned = rules.cleaned(fields)
    assert cleaned == fields


def test_shipping_makes_personas_for_everybody_that_staff_may_change(alice: User, admin_user_record: User) -> None:
    Persona.objects.all().delete()
    shipped.ship(apps, None)
    assert selectors.visible_to(alice).count() == len(shipped.PERSONAS) == 3
    persona = selectors.visible_to(alice).first()
    assert persona is not None
    assert not selectors.may_change(alice, persona)
    services.update(admin_user_record, persona, {"name": "Changed"})
