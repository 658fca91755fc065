"""A change of the model: a space is filled beside the one that is searched, and takes its place when it is complete."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from files import pipeline, services
from files.models import FileRecord
from orchestra.accounts.models import User
from search import questions, spaces
from search.indexing import refilling
from search.indexing.embedders.hashing import HashingEmbedder
from search.indexing.embedding import embed_whole
from search.models import ChunkEmbedding, EmbeddingSpace, IndexedFile
from search.retrieval import Space
from search.services import search

MakeFile = Callable[..., FileRecord]

HASHING = "search.indexing.embedders.hashing.HashingEmbedder"
OLD, NEW = "hashing-384", "hashing-128"


@pytest.fixture
def shelf(alice: User, make_file: MakeFile) -> list[FileRecord]:
    """Three files, indexed under the old model."""
    texts = ("The cat sleeps on the sill.", "Diesel engines compress air.", "Green tea is steeped briefly.")
    files = [make_file(alice, text.encode(), f"{number}.txt") for number, text in enumerate(texts)]
    while pipeline.work("test"):
        pass
    return files


@pytest.fixture
def new_model(settings: Any) -> None:
    """Configure another model; the old one is still installed."""
    new = {"BACKEND": HASHING, "OPTIONS": {"dimensions": 128}}
    settings.EMBEDDERS = {"default": new, "before": {"BACKEND": HASHING}}


def count(space: Space | None) -> int:
    assert space is not None
    return ChunkEmbedding.objects.filter(space_id=space.id).count()


def test_nothing_is_done_without_a_change(alice: User, shelf: list[FileRecord]) -> None:
    assert refilling.wanted_space() is None
    refilling.maintain(5)
    assert EmbeddingSpace.objects.count() == 1


def test_the_old_model_answers_until_the_new_one_is_complete(
    alice: User, shelf: list[FileRecord], new_model: None
) -> None:
    space = refilling.wanted_space()
    assert space is not None
    assert (space.model_id, space.dimensions) == (NEW, 128)
    steps = refilling.fill(space)
    assert next(steps).done == 1
    steps.close()
    assert spaces.active() != space
    embedded = questions.embed("cat")
    assert embedded is not None
    assert embedded.space.model_id == OLD
    assert search(alice, "Where does the cat sleep?").hits[0].file_name == "0.txt"
    assert refilling.wanted_space() == space, "what was begun goes on"
    assert [step.done for step in refilling.fill(space)] == [2, 3]
    assert refilling.finish(space)
    spaces.searched.forget()
    embedded = questions.embed("cat")
    assert embedded is not None
    assert (embedded.space, embedded.vector.shape) == (space, (128,))
    assert search(alice, "Where does the cat sleep?").hits[0].file_name == "0.txt"


def test_a_file_that_comes_meanwhile_is_searchable_at_once_and_delays_the_exchange(
    alice: User, make_file: MakeFile, shelf: list[FileRecord], new_model: None
) -> None:
    space = refilling.wanted_space()
    assert space is not None
    list(refilling.fill(space))
    make_file(alice, b"Bridges are measured in winter.", "late.txt")
    assert pipeline.work("test")
    assert search(alice, "bridges in winter").hits[0].file_name == "late.txt"
    assert not refilling.finish(space), "the late file has no vectors of the new model"
    list(refilling.fill(space))
    assert refilling.finish(space)
    spaces.searched.forget()
    assert search(alice, "bridges in winter").hits[0].file_name == "late.txt"


def test_files_deleted_or_read_again_meanwhile_leave_nothing_behind(
    alice: User, shelf: list[FileRecord], new_model: None
) -> None:
    space = refilling.wanted_space()
    assert space is not None
    list(refilling.fill(space))
    services.retry(shelf[1])
    assert pipeline.work("test")
    services.delete_completely(shelf[0])
    assert count(space) == 1
    list(refilling.fill(space))
    assert refilling.finish(space)
    assert count(space) == IndexedFile.objects.count() == 2


def test_a_file_embedded_by_the_old_model_after_the_exchange_is_read_again(
    alice: User, shelf: list[FileRecord], new_model: None
) -> None:
    before = spaces.active()
    assert before is not None
    refilling.maintain(30)
    with pytest.raises(spaces.SpaceChanged) as caught:
        spaces.hold(before)
    assert caught.value.transient


def test_maintenance_does_all_of_it_and_removes_what_was_retired(
    alice: User, shelf: list[FileRecord], new_model: None
) -> None:
    refilling.maintain(30)
    active = spaces.active()
    assert active is not None
    assert active.model_id == NEW
    retired = EmbeddingSpace.objects.get(state="retired")
    assert ChunkEmbedding.objects.filter(space=retired).count() == 3, "kept for searches that began before"
    EmbeddingSpace.objects.filter(pk=retired.pk).update(retired_at="2020-01-01T00:00:00Z")
    refilling.maintain(30)
    assert list(EmbeddingSpace.objects.values_list("state", flat=True)) == ["active"]
    assert ChunkEmbedding.objects.count() == 3


def test_words_are_searched_where_the_model_is_gone(alice: User, shelf: list[FileRecord], settings: Any) -> None:
    settings.EMBEDDERS = {"default": {"BACKEND": HASHING, "OPTIONS": {"dimensions": 128}}}
    result = search(alice, "diesel")
    assert [hit.file_name for hit in result.hits] == ["1.txt"]
    assert result.notes == ("Searched by words alone. The model that made the vectors is not configured here.",)
    refilling.maintain(30)
    spaces.searched.forget()
    assert search(alice, "diesel").notes == ()


def test_a_file_that_comes_while_the_model_is_gone_is_found_by_words_and_later_by_meaning(
    alice: User, make_file: MakeFile, shelf: list[FileRecord], settings: Any
) -> None:
    settings.EMBEDDERS = {"default": {"BACKEND": HASHING, "OPTIONS": {"dimensions": 128}}}
    late = make_file(alice, b"Bridges are measured in winter.", "late.txt")
    assert pipeline.work("test")
    late.refresh_from_db()
    assert late.status == "ready"
    assert [hit.file_name for hit in search(alice, "bridges").hits] == ["late.txt"]
    refilling.maintain(30)
    spaces.searched.forget()
    assert count(spaces.active()) == 4
    assert search(alice, "measuring a bridge").hits[0].file_name == "late.txt"


def test_missing_vectors_are_made_again(alice: User, shelf: list[FileRecord]) -> None:
    document = IndexedFile.objects.get(file=shelf[2])
    ChunkEmbedding.objects.filter(document=document).delete()
    refilling.maintain(30)
    assert ChunkEmbedding.objects.filter(document=document).count() == document.chunk_count


def test_the_command_says_what_it_did(alice: User, shelf: list[FileRecord], new_model: None) -> None:
    out = StringIO()
    call_command("rebuild_index", stdout=out)
    assert f"Vectors of {NEW} are searched now." in out.getvalue()
    again = StringIO()
    call_command("rebuild_index", "--again", stdout=again)
    active = spaces.active()
    assert count(active) == 3
    assert EmbeddingSpace.objects.filter(state="retired").count() == 2


def test_the_command_without_files_says_so(db: None) -> None:
    out = StringIO()
    call_command("rebuild_index", stdout=out)
    assert out.getvalue() == "Nothing is indexed yet.\n"


def test_a_long_passage_is_embedded_in_parts() -> None:
    embedder = HashingEmbedder(dimensions=64, max_tokens=8)
    text = "one two three four five six seven eight nine ten zebra"
    (whole,) = embed_whole(embedder, [text])
    (cut,) = embedder.embed_passages([text])
    zebra = embedder.embed_query("zebra")
    assert abs(float(whole @ whole) - 1) < 1e-5
    assert float(whole @ zebra) > float(cut @ zebra), "the end of the text is in the vector"
    assert embed_whole(embedder, ["short"]).shape == (1, 64)
