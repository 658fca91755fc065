"""A disabled passage is found by no path, and comes back whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from files import pipeline, services, states
from files.errors import FileNotFound
from files.models import FileRecord, FileStatus
from orchestra.accounts.models import User
from orchestra.monitoring.verification import Level, invariants
from search import disabling, spaces
from search import services as searching
from search.absence import why_absent
from search.errors import PassageNotFound
from search.indexing import disabled, mirroring, rebuild, refilling
from search.models import ChunkEmbedding, IndexedFile, KeywordPosting, MirroredDocument, VectorChunk
from search.vector_stores import vector_stores
from search.vector_stores.mirror import MirrorStore

pytestmark = pytest.mark.django_db

MakeFile = Callable[..., FileRecord]
WORD = "zebrafish"
SECTIONS = (
    "# Harbour\n\n" + "The harbour master keeps the register of boats and of berths. " * 16,
    "# Fish\n\n" + f"The {WORD} lives in clear water; the {WORD} is small and striped like nothing else. " * 11,
    "# Crane\n\n" + "The crane stops when the wind is strong; the foreman decides on it. " * 14,
)


def read_all() -> None:
    while pipeline.work("a worker"):
        pass


@pytest.fixture
def file(alice: User, make_file: MakeFile) -> FileRecord:
    made = make_file(alice, "\n\n".join(SECTIONS).encode(), "harbour.md")
    make_file(alice, b"Nothing of interest is written here.", "other.txt")
    read_all()
    made.refresh_from_db()
    return made


def passages(file: FileRecord, **more: Any) -> list[VectorChunk]:
    return list(VectorChunk.objects.filter(file=file, **more).order_by("ordinal"))


def about_fish(file: FileRecord) -> list[VectorChunk]:
    return passages(file, text__contains=WORD)


def disable(user: User, file: FileRecord) -> list[VectorChunk]:
    return [disabling.disable(user, file.pk, chunk.pk) for chunk in about_fish(file)]


def found_by(user: User, query: str = WORD) -> set[str]:
    """The texts that any mode, the vectors alone, a phrase or a word that no index has bring."""
    texts: set[str] = set()
    questions = (query, f'"{query}"', f"{query[:5]}*")
    for mode in ("basic", "deep", "super_deep", "creative", "private"):
        for question in questions:
            result = searching.search(user, question, mode=mode, limit=50)
            texts |= {one.text for hit in result.hits for one in (hit, *hit.more)}
            texts |= {str(result.answer)}
    texts |= {hit.text for hit in searching.nearest(user, query, limit=50).hits}
    return {text for text in texts if WORD in text}


def violations() -> list[str]:
    """What `manage.py verify` finds in the database."""
    found = invariants.examine(invariants.up_to(Level.DATABASE))
    return [f"{one.code}: {one.finding.examples}" for one in found if one.finding]


def test_no_mode_and_neither_side_finds_a_disabled_passage(alice: User, file: FileRecord) -> None:
    assert found_by(alice)
    gone = disable(alice, file)
    assert gone
    assert all(chunk.disabled for chunk in gone)
    assert found_by(alice) == set()
    assert searching.search(alice, "harbour master").hits, "the others are found as before"
    assert IndexedFile.objects.get(file=file).disabled_count == len(gone)
    assert violations() == []


def test_words_that_no_index_has_do_not_find_it_either(alice: User, make_file: MakeFile) -> None:
    file = make_file(alice, b"To be, or not to be.", "hamlet.txt")
    read_all()
    assert searching.search(alice, "or not to").hits
    disabling.disable(alice, file.pk, passages(file)[0].pk)
    assert searching.search(alice, "or not to").hits == ()


def test_enabled_again_it_has_the_very_vectors_and_postings_that_it_had(alice: User, file: FileRecord) -> None:
    def rows() -> list[Any]:
        vectors = ChunkEmbedding.objects.values_list("space_id", "document_id", "ordinal", "embedding")
        words = KeywordPosting.objects.values_list("owner_id", "document_id", "block", "lexeme", "postings")
        return [sorted(map(str, vectors)), sorted(map(str, words))]

    before, hits = rows(), searching.search(alice, WORD).hits
    for chunk in disable(alice, file):
        assert disabling.enable(alice, file.pk, chunk.pk).disabled is False
    assert rows() == before
    assert [(hit.chunk_id, hit.score) for hit in searching.search(alice, WORD).hits] == [
        (hit.chunk_id, hit.score) for hit in hits
    ]


def test_twice_is_as_once(alice: User, file: FileRecord) -> None:
    disable(alice, file)
    disable(alice, file)
    chunk = about_fish(file)[0]
    disabling.enable(alice, file.pk, chunk.pk)
    disabling.enable(alice, file.pk, chunk.pk)
    assert violations() == []
    assert len([event for event in file.events.all() if event.code == "passage_enabled"]) == 1


def test_a_file_read_again_keeps_passages_of_the_same_text_disabled(alice: User, file: FileRecord) -> None:
    old = {chunk.pk for chunk in disable(alice, file)}
    services.retry(file)
    read_all()
    chunks = about_fish(file)
    assert {chunk.pk for chunk in chunks}.isdisjoint(old)
    assert all(chunk.disabled for chunk in chunks)
    assert found_by(alice) == set()
    assert violations() == []


def test_the_trash_and_back_keep_it(alice: User, file: FileRecord) -> None:
    disable(alice, file)
    services.delete(file)
    with pytest.raises(FileNotFound):
        disabling.enable(alice, file.pk, about_fish(file)[0].pk)
    services.restore(file)
    assert found_by(alice) == set()
    assert violations() == []
    disabling.enable(alice, file.pk, about_fish(file)[0].pk)
    assert found_by(alice)


def test_words_and_vectors_made_anew_leave_it_out(alice: User, file: FileRecord, settings: Any) -> None:
    disable(alice, file)
    list(rebuild.rebuild_keywords(IndexedFile.objects.all()))
    ChunkEmbedding.objects.all().delete()
    space = spaces.active()
    assert space is not None
    list(refilling.fill(space))
    assert found_by(alice) == set()
    assert violations() == []


def test_a_file_of_disabled_passages_alone_says_so(alice: User, file: FileRecord) -> None:
    for chunk in passages(file):
        disabling.disable(alice, file.pk, chunk.pk)
    assert why_absent(alice, WORD, file.pk).code == "disabled"
    assert found_by(alice) == set()
    assert violations() == []
    disabling.enable(alice, file.pk, about_fish(file)[0].pk)
    assert found_by(alice)


def test_a_mirror_that_holds_the_passage_is_not_believed(
    alice: User, make_file: MakeFile, tmp_path: Path, settings: Any
) -> None:
    options = {"folder": tmp_path / "faiss", "exact_rows": 2}
    settings.VECTOR_STORES = {"default": {"BACKEND": "search.vector_stores.faiss.FaissStore", "OPTIONS": options}}
    store = vector_stores["default"]
    assert isinstance(store, MirrorStore)
    file = make_file(alice, "\n\n".join(SECTIONS).encode(), "harbour.md")
    read_all()
    mirroring.sync(store)
    document = IndexedFile.objects.get(file=file)
    assert MirroredDocument.objects.get().document == document.number
    gone = disable(alice, file)
    assert found_by(alice) == set()
    mirroring.sync(store, everything=True)
    document.refresh_from_db()
    assert MirroredDocument.objects.get(document=document.number).passages == document.chunk_count - len(gone)
    assert found_by(alice) == set()
    disabling.enable(alice, file.pk, gone[0].pk)
    assert found_by(alice), "before the mirror has it"
    mirroring.sync(store, everything=True)
    assert found_by(alice)
    assert violations() == []


def test_those_of_others_and_those_that_are_replaced_are_not_there(alice: User, bob: User, file: FileRecord) -> None:
    chunk = about_fish(file)[0]
    for act in (disabling.disable, disabling.enable):
        with pytest.raises(FileNotFound):
            act(bob, file.pk, chunk.pk)
        with pytest.raises(PassageNotFound):
            act(alice, file.pk, uuid4())


def test_a_passage_that_can_still_be_found_is_noticed(alice: User, file: FileRecord) -> None:
    VectorChunk.objects.filter(pk=about_fish(file)[0].pk).update(disabled=True)
    assert any(one.startswith("disabled_searched") for one in violations())


def test_who_disables_waits_for_no_worker_that_is_reading(alice: User, file: FileRecord) -> None:
    services.retry(file)
    states.move(file.pk, FileStatus.PROCESSING, "processing", "It is being read.")
    disable(alice, file)
    assert disabled.texts_of(file.pk)
