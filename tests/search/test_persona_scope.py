"""A persona narrows: what is found under it is what was asked for and what it searches, exactly, and never more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from files import pipeline, services
from files.models import FileRecord
from orchestra.accounts.models import User
from personas.facts import PersonaFacts
from search.absence import why_absent
from search.persona_scope import narrowed
from search.retrieval import Scope
from search.scopes import document_condition, file_condition, files_in, parameters_of
from search.services import search

TAGS = ("a", "b", "c")
KINDS = ("document", "mail", "code")


def facts(tags: Iterable[str] = (), kinds: Iterable[str] = ()) -> PersonaFacts:
    return PersonaFacts(
        id=uuid4(),
        name="P",
        system="",
        unguarded="",
        tone="neutral",
        mode="",
        model="",
        temperature=None,
        tags=tuple(tags),
        kinds=tuple(kinds),
        blocked_terms=(),
    )


@pytest.fixture
def library(alice: User) -> list[FileRecord]:
    """Files of every kind with every set of tags."""
    sets = [[tag for bit, tag in enumerate(TAGS) if number >> bit & 1] for number in range(2 ** len(TAGS))]
    return FileRecord.objects.bulk_create(
        FileRecord(owner=alice, name=f"{kind} {tags}", size=1, kind=kind, tags=tags)
        for kind in (*KINDS, "")
        for tags in sets
    )


def found(scope: Scope) -> set[UUID]:
    sql = files_in(scope) or "SELECT f.id FROM files_filerecord f WHERE f.owner_id = %(owner)s"
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters_of(scope))
        return {row[0] for row in cursor.fetchall()}


def test_what_is_found_is_what_both_allow(alice: User, library: list[FileRecord]) -> None:
    some = st.lists(st.sampled_from(TAGS), unique=True)
    kinds = st.lists(st.sampled_from((*KINDS, "video")), unique=True)
    ids = st.lists(st.sampled_from([file.pk for file in library]), max_size=20)

    @given(ids, some, kinds, some, kinds)
    def check(
        file_ids: list[UUID], tags: list[str], asked: list[str], own_tags: list[str], own_kinds: list[str]
    ) -> None:
        scope = Scope(alice.pk, tuple(file_ids), tuple(asked), tuple(tags))
        allowed = {
            file.pk
            for file in library
            if (not own_kinds or file.kind in own_kinds) and (not own_tags or set(file.tags) & set(own_tags))
        }
        assert found(narrowed(scope, facts(own_tags, own_kinds))) == found(scope) & allowed

    check()


def test_kinds_that_have_none_in_common_find_nothing(alice: User, library: list[FileRecord]) -> None:
    scope = narrowed(Scope(alice.pk, kinds=("mail",)), facts(kinds=("code",)))
    assert scope.nothing
    assert scope.narrowed
    assert found(scope) == set()
    for condition in (file_condition(scope), document_condition(scope)):
        assert "false" in condition


def test_what_was_asked_beside_tags_and_kinds_stays(alice: User) -> None:
    scope = Scope(alice.pk, (uuid4(),), added_from=datetime(2026, 1, 1, tzinfo=UTC))
    assert narrowed(scope, facts()) == scope
    assert narrowed(scope, facts(("a",), ("mail",))) == replace(scope, any_tags=("a",), kinds=("mail",))


def test_a_scope_is_narrowed_by_one_persona(alice: User) -> None:
    once = narrowed(Scope(alice.pk), facts(("a",)))
    with pytest.raises(ValueError, match="one persona"):
        narrowed(once, facts(("b",)))


def test_searches_under_a_persona_find_a_part(alice: User, bob: User, make_file: Callable[..., FileRecord]) -> None:
    for owner in (alice, bob):
        for name, tags in (("one.txt", ["a"]), ("two.txt", ["b"]), ("three.md", ["a", "b"]), ("four.md", [])):
            make_file(owner, f"The harbour master of {owner} keeps {name}.".encode(), name, tags=tags)
    while pipeline.work("test"):
        pass

    def names(scope: Scope) -> set[str]:
        hits = search(alice, "harbour master", scope=scope).hits
        assert {FileRecord.objects.get(pk=hit.file_id).owner for hit in hits} <= {alice}
        return {hit.file_name for hit in hits}

    everything = Scope(alice.pk)
    kind = FileRecord.objects.filter(name="one.txt")[0].kind
    assert names(narrowed(everything, facts(("a",)))) == {"one.txt", "three.md"}
    assert names(narrowed(Scope(alice.pk, tags=("b",)), facts(("a",)))) == {"three.md"}
    assert names(narrowed(everything, facts(("a", "b")))) == {"one.txt", "two.txt", "three.md"}
    assert names(narrowed(everything, facts(("no such tag",)))) == set()
    assert names(narrowed(Scope(alice.pk, kinds=(kind,)), facts(kinds=("audio",)))) == set()
    assert names(narrowed(everything, facts(kinds=(kind, "audio")))) == names(Scope(alice.pk, kinds=(kind,)))


def test_a_file_that_a_persona_leaves_out_is_explained(alice: User, make_file: Callable[..., FileRecord]) -> None:
    file = make_file(alice, b"The harbour master keeps the register.", "one.txt", tags=["a"])
    assert pipeline.work("test")
    by_tag = why_absent(alice, "harbour", file.pk, scope=narrowed(Scope(alice.pk), facts(("b",))))
    assert (by_tag.code, by_tag.details) == ("filtered", {"filters": ["any_tags"]})
    assert by_tag.message == "It is left out by the persona's tags."
    scope = narrowed(Scope(alice.pk, kinds=("mail",)), facts(kinds=("code",)))
    assert "nothing" in str(why_absent(alice, "harbour", file.pk, scope=scope).details)
    services.update(file, tags=["b"])
    assert why_absent(alice, "harbour", file.pk, scope=narrowed(Scope(alice.pk), facts(("b",)))).code == "present"
