from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from structlog.testing import capture_logs

from celery_app import app
from files import services
from orchestra.accounts.models import User
from search import mirrors, owners, spaces
from search.errors import MirrorUnavailable
from search.indexing import mirroring
from search.models import ChunkEmbedding, EmbeddingSpace, IndexedFile, MirroredDocument, MirrorGeneration
from search.retrieval import Space
from search.tasks import sync_mirrors
from search.vector_stores import vector_stores
from search.vector_stores.mirror import MirrorStore
from tests.contracts.vector_store import PGVECTOR, MakeFile, indexed, text_about


@pytest.fixture
def store(tmp_path: Path, settings: Any) -> MirrorStore:
    """FAISS for owners of more than two passages."""
    options = {"folder": tmp_path / "faiss", "exact_rows": 2}
    settings.VECTOR_STORES = {"default": {"BACKEND": "search.vector_stores.faiss.FaissStore", "OPTIONS": options}}
    chosen = vector_stores["default"]
    assert isinstance(chosen, MirrorStore)
    return chosen


@pytest.fixture
def other() -> Any:
    """Another connection to the tests' database."""
    values = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    with psycopg.connect(**{name: values[name] for name in names if name in values}, autocommit=True) as opened:
        yield opened


def document(owner: User, make_file: MakeFile, name: str = "cats.txt") -> IndexedFile:
    return indexed(make_file(owner, text_about(name).encode(), name)).index


def held() -> set[int]:
    return set(MirroredDocument.objects.values_list("document", flat=True))


def test_before_the_first_file_there_is_nothing_to_do(store: MirrorStore, db: None) -> None:
    assert mirroring.sync(store) == mirroring.Synced()


def test_pgvector_alone_has_no_mirror(settings: Any) -> None:
    settings.VECTOR_STORES = PGVECTOR
    assert mirroring.mirror_stores() == []


def test_a_run_copies_what_owners_of_many_passages_have(
    store: MirrorStore, alice: User, bob: User, make_file: MakeFile
) -> None:
    large = document(alice, make_file)
    indexed(make_file(bob, b"One passage.", "small.txt"))
    done = mirroring.sync(store)
    assert done == mirroring.Synced(owners=1, added=large.chunk_count)
    assert held() == {large.number}
    assert mirroring.sync(store) == mirroring.Synced(owners=1)


def test_beat_s_task_is_one_that_workers_know() -> None:
    app.loader.import_default_modules()
    assert sync_mirrors.name in app.tasks
    assert app.amqp.router.route({}, sync_mirrors.name)["queue"].name == "system"


def test_the_task_brings_all_mirrors_up_to_date(store: MirrorStore, alice: User, make_file: MakeFile) -> None:
    number = document(alice, make_file).number
    sync_mirrors()
    assert held() == {number}


def test_a_store_that_fails_is_told_of_and_tried_again(
    store: MirrorStore, alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise MirrorUnavailable("It is away.")

    document(alice, make_file)
    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(type(store), "bring_up", fail)
        sync_mirrors()
    assert [(log["event"], log["reason"]) for log in logs] == [("vector_store_not_synced", "It is away.")]
    sync_mirrors()
    assert held()


def test_an_owner_who_has_little_left_is_dropped(store: MirrorStore, alice: User, make_file: MakeFile) -> None:
    found = document(alice, make_file)
    mirroring.sync(store)
    services.delete(found.file)
    indexed(make_file(alice, b"One passage.", "small.txt"))
    mirroring.sync(store)
    assert not MirrorGeneration.objects.exists()
    assert held() == set()


def test_copies_of_a_space_that_is_no_more_are_dropped(store: MirrorStore, alice: User, make_file: MakeFile) -> None:
    document(alice, make_file)
    mirrors.begin(store.name, Space(99, "gone", 4), alice.pk, mirrors.NO_GENERATION)
    mirroring.sync(store)
    assert EmbeddingSpace.objects.get().pk == MirrorGeneration.objects.get().space_id


def test_one_run_at_a_time(store: MirrorStore, alice: User, make_file: MakeFile, other: Any) -> None:
    document(alice, make_file)
    other.execute("SELECT pg_advisory_lock(%s)", [mirroring._LOCK])
    assert mirroring.sync(store) == mirroring.Synced(finished=False)
    lines: list[str] = []
    mirroring.rebuild(lines.append)
    assert lines == ["faiss: another run is at work on it; try again when it has ended."]
    other.execute("SELECT pg_advisory_unlock(%s)", [mirroring._LOCK])
    assert mirroring.sync(store).finished
    assert held()


def test_no_owner_is_begun_after_the_time_is_up_and_the_next_run_goes_on(
    store: MirrorStore, alice: User, make_file: MakeFile
) -> None:
    document(alice, make_file)
    assert mirroring.sync(store, seconds=-1) == mirroring.Synced(finished=False)
    assert mirroring.sync(store).added


def test_a_rebuild_reports_in_lines(store: MirrorStore, alice: User, make_file: MakeFile) -> None:
    count = document(alice, make_file).chunk_count
    lines: list[str] = []
    mirroring.rebuild(lines.append)
    assert lines == [
        f"faiss: 1 of 1 owners, {count} passages of this one.",
        f"faiss: {count} passages of 1 owners.",
    ]


def test_what_is_complete_is_known_only_while_no_file_is_being_stored(
    store: MirrorStore, alice: User, make_file: MakeFile, other: Any
) -> None:
    number = document(alice, make_file).number
    other.execute("SELECT pg_advisory_lock_shared(%s)", [spaces._LOCK])
    assert mirrors.difference(alice.pk, mirrors.NO_GENERATION).complete_to == 0
    mirroring.sync(store)
    assert MirrorGeneration.objects.get().complete_to == 0
    assert held() == {number}
    other.execute("SELECT pg_advisory_unlock_shared(%s)", [spaces._LOCK])
    mirroring.sync(store)
    assert MirrorGeneration.objects.get().complete_to == number


def test_a_document_without_all_its_vectors_is_not_taken_for_held(
    store: MirrorStore, alice: User, make_file: MakeFile
) -> None:
    whole = document(alice, make_file)
    part = document(alice, make_file, "bees.txt")
    last = document(alice, make_file, "tea.txt")
    ChunkEmbedding.objects.filter(document=part, ordinal=0).delete()
    owners.facts_of.forget()
    mirroring.sync(store)
    assert held() == {whole.number, last.number}
    assert MirrorGeneration.objects.get().complete_to == part.number - 1
