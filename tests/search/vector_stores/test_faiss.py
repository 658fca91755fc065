from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from files import services
from orchestra.accounts.models import User
from search import mirrors
from search.errors import MirrorUnavailable
from search.indexing import mirroring
from search.models import ChunkEmbedding, IndexedFile, MirroredDocument, MirrorGeneration
from search.retrieval import Scope, Space
from search.vector_stores import faiss, vector_stores
from search.vector_stores.faiss import FaissStore
from search.vector_stores.faiss_index import Builder, FaissGeneration, Shape
from tests.contracts.vector_store import (
    Library,
    MakeFile,
    VectorStoreContract,
    assert_same,
    indexed,
    sync,
    text_about,
)


def faiss_store(folder: Path, **options: object) -> dict[str, Any]:
    """Return settings with which FAISS searches also the smallest owner."""
    backend = "search.vector_stores.faiss.FaissStore"
    return {"default": {"BACKEND": backend, "OPTIONS": {"folder": folder, "exact_rows": 0, **options}}}


class TestFlat(VectorStoreContract):
    @pytest.fixture
    def chosen(self, tmp_path: Path) -> dict[str, Any]:
        return faiss_store(tmp_path / "faiss")


class TestGraph(VectorStoreContract):
    @pytest.fixture
    def chosen(self, tmp_path: Path) -> dict[str, Any]:
        return faiss_store(tmp_path / "faiss", flat_rows=0)


class TestFiles:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "faiss"

    @pytest.fixture
    def chosen(self, folder: Path) -> dict[str, Any]:
        return faiss_store(folder)

    library = VectorStoreContract.library

    def test_a_search_is_answered_by_the_files(self, library: Library) -> None:
        assert library.store.nearest(library.asked("tea"), library.scope, 5).method == "faiss"
        assert generation_of(library).index.ntotal == ChunkEmbedding.objects.count()

    def test_without_files_postgresql_answers(self, library: Library, folder: Path) -> None:
        shutil.rmtree(folder)
        assert library.store.nearest(library.asked("tea"), library.scope, 5).method == "exact"

    @pytest.mark.parametrize("name", ["index.faiss", "passages.npy", "about.json"])
    @pytest.mark.parametrize("damage", ["cut", "changed", "removed"])
    def test_damaged_files_are_told_of_and_postgresql_answers(
        self, library: Library, folder: Path, name: str, damage: str
    ) -> None:
        spoil(current_folder(folder) / name, damage)
        store = anew()
        query = library.asked("cats on a window")
        with capture_logs() as logs:
            found = store.neighbours(query, library.scope, 10)
        assert_same(found, library.exactly(query, library.scope, 10))
        assert [log["event"] for log in logs] == ["vector_store_not_used"]
        assert not store.check().ok
        sync()
        assert store.check().ok
        assert store.nearest(query, library.scope, 5).method == "faiss"

    @pytest.mark.parametrize("content", ["", "no generation", "../../../etc", "0" * 32])
    def test_a_pointer_to_nothing_is_no_error(self, library: Library, folder: Path, content: str) -> None:
        (current_folder(folder).parent / "current").write_text(content)
        query = library.asked("cats on a window")
        assert_same(library.store.neighbours(query, library.scope, 10), library.exactly(query, library.scope, 10))
        sync()
        assert library.store.nearest(query, library.scope, 5).method == "faiss"

    @pytest.mark.parametrize("step", ["_record", "_point"])
    def test_a_crash_between_two_steps_leaves_a_working_state(
        self, library: Library, folder: Path, step: str, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = current_folder(folder)
        indexed(make_file(library.owner, text_about("lighthouses").encode(), "new.txt"))
        with monkeypatch.context() as patch:
            patch.setattr(FaissStore if step == "_record" else faiss, step, crash)
            with pytest.raises(Crash):
                mirroring.rebuild(lambda line: None)
        assert current_folder(folder) == before
        query = library.asked("lighthouses")
        for _ in range(2):
            assert_same(library.store.neighbours(query, library.scope, 10), library.exactly(query, library.scope, 10))
            mirroring.rebuild(lambda line: None)
        left = {path.name for path in before.parent.iterdir() if path.is_dir()}
        assert left == {g.hex for g in MirrorGeneration.objects.values_list("pk", flat=True)}
        assert len(left) == 2, "the current one and the one before"

    def test_an_open_generation_outlives_its_files(self, library: Library, folder: Path) -> None:
        opened = generation_of(library)
        vector = library.asked("green tea").vector
        before = opened.search(vector, 10, None)
        for _ in range(2):
            mirroring.rebuild(lambda line: None)
        assert not (current_folder(folder).parent / opened.id.hex).exists()
        assert opened.search(vector, 10, None) == before
        assert generation_of(library).id != opened.id, "a new one is noticed"

    def test_files_that_this_database_does_not_know_bring_nothing(self, library: Library) -> None:
        """As after a restore: what it has since been given the same numbers is not taken for what the files hold."""
        MirroredDocument.objects.all().delete()
        MirrorGeneration.objects.all().delete()
        query = library.asked("bees and honey")
        assert_same(library.store.neighbours(query, library.scope, 10), library.exactly(query, library.scope, 10))
        sync()
        assert MirrorGeneration.objects.count() == 1

    def test_few_owners_are_kept_open(
        self, library: Library, folder: Path, bob: User, make_file: MakeFile, settings: Any
    ) -> None:
        indexed(make_file(bob, text_about("violins").encode(), "violins.txt"))
        settings.VECTOR_STORES = faiss_store(folder, most_open=1)
        sync()
        query = library.asked("violins")
        for owner in (library.owner, bob, library.owner, bob):
            scope = Scope(owner.pk)
            assert_same(library.store.neighbours(query, scope, 5), library.exactly(query, scope, 5))
        assert len(library.store._open) == 1  # type: ignore[attr-defined]  # what a process holds is not its interface

    def test_a_few_changes_do_not_write_new_files(self, library: Library, folder: Path, make_file: MakeFile) -> None:
        before = current_folder(folder)
        indexed(make_file(library.owner, b"One more passage.", "more.txt"))
        sync()
        assert current_folder(folder) == before

    def test_files_grow_by_what_is_new(
        self, library: Library, folder: Path, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(faiss, "_LEAST_STALE", 0)
        before = generation_of(library)
        read: list[int] = []
        vectors = mirrors.vectors

        def counted(space: Space, owner_id: UUID, documents: Sequence[mirrors.Document]) -> Iterator[mirrors.Vectors]:
            read.append(len(documents))
            return vectors(space, owner_id, documents)

        monkeypatch.setattr(mirrors, "vectors", counted)
        indexed(make_file(library.owner, text_about("lighthouses").encode(), "new.txt"))
        sync()
        after = generation_of(library)
        assert read == [1]
        assert len(after) == ChunkEmbedding.objects.count() > len(before)
        assert held_documents(after) == set(IndexedFile.objects.values_list("number", flat=True))
        for question in ("lighthouses", "bees"):
            query = library.asked(question)
            assert_same(library.store.neighbours(query, library.scope, 9), library.exactly(query, library.scope, 9))

    def test_files_of_which_much_is_deleted_are_written_anew(
        self, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(faiss, "_LEAST_STALE", 0)
        services.delete_completely(library.files["bees"])
        sync()
        assert len(generation_of(library)) == ChunkEmbedding.objects.count()
        assert held_documents(generation_of(library)) == set(IndexedFile.objects.values_list("number", flat=True))

    def test_a_deleted_vector_leaves_the_files_within_a_day(
        self, library: Library, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        services.delete_completely(library.files["bees"])
        sync()
        assert len(generation_of(library)) > ChunkEmbedding.objects.count(), "few are gone, for a short time"
        MirrorGeneration.objects.update(written_at=timezone.now() - timedelta(hours=25))
        with monkeypatch.context() as patch:
            patch.setattr(faiss, "_LONGEST_GONE", timedelta(days=2))
            patch.setattr(faiss, "_LEAST_STALE", 0)
            patch.setattr(faiss, "_MOST_GONE_SHARE", 1.0)
            indexed(make_file(library.owner, text_about("lighthouses", 30).encode(), "new.txt"))
            sync()
        assert len(generation_of(library)) > ChunkEmbedding.objects.count(), "what grew is as old as what it grew from"
        sync()
        assert len(generation_of(library)) == ChunkEmbedding.objects.count()

    def test_a_file_that_was_numbered_earlier_and_came_later_is_found(
        self, library: Library, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As when its transaction took longer than those of later numbers."""
        monkeypatch.setattr(faiss, "_LEAST_STALE", 0)
        query = library.asked("cats on a window")
        late = library.files["cats"].index.number
        MirroredDocument.objects.filter(document=late).delete()
        MirrorGeneration.objects.update(complete_to=0)
        shape = generation_of(library).passages
        assert late << 24 in shape, "the files hold it, and are not believed to"
        for _ in range(3):
            assert_same(library.store.neighbours(query, library.scope, 9), library.exactly(query, library.scope, 9))
            sync()
        assert late in held_documents(generation_of(library))

    def test_a_deleted_owner_s_files_are_removed(self, library: Library, folder: Path) -> None:
        library.owner.delete()
        sync()
        assert not list(folder.glob("*/*"))
        assert not MirrorGeneration.objects.exists()
        assert not MirroredDocument.objects.exists()

    def test_a_folder_that_cannot_be_written_is_told_of(self, library: Library, tmp_path: Path, settings: Any) -> None:
        (tmp_path / "file").write_text("")
        settings.VECTOR_STORES = faiss_store(tmp_path / "file" / "faiss")
        with pytest.raises(MirrorUnavailable, match="cannot be written"):
            mirroring.rebuild(lambda line: None)


def test_a_small_share_of_a_graph_is_compared_exactly(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    matrix = random.standard_normal((3_000, 32)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    passages = (np.repeat(np.arange(1, 301, dtype=np.int64), 10) << 24) + np.tile(np.arange(10), 300)
    shape = Shape(flat_rows=0, candidates=10)
    builder = Builder(32, len(passages), shape)
    builder.add(passages, matrix)
    generation = FaissGeneration(builder.write(tmp_path), shape)
    for documents in ([7], [1, 300], list(range(5, 305, 30)), list(range(1, 201)), [400], []):
        chosen = np.isin(passages >> 24, documents)
        best = np.flatnonzero(chosen)[np.argsort(-(matrix[chosen] @ matrix[4]))][:10]
        found = [one.passage for one in generation.search(matrix[4], 10, documents)]
        assert {passage >> 24 for passage in found} <= set(documents)
        if len(documents) < 200:
            assert found == passages[best].tolist()
        else:
            assert len(found) == 10


def test_searches_of_many_threads_are_as_those_of_one(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    matrix = random.standard_normal((2_000, 32)).astype(np.float32)
    builder = Builder(32, len(matrix), Shape(flat_rows=0))
    builder.add(np.arange(1 << 24, (1 << 24) + len(matrix), dtype=np.int64), matrix)
    generation = FaissGeneration(builder.write(tmp_path), Shape())
    alone = [generation.search(vector, 10, None) for vector in matrix[:200]]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda vector: generation.search(vector, 10, None), matrix[:200])) == alone


class Crash(Exception):
    """Stands for a process that ended."""


def crash(*arguments: object) -> None:
    raise Crash


def anew() -> FaissStore:
    """Return the chosen store as a new process has it."""
    vector_stores._backends.clear()  # its own way to forget needs a change of settings
    store = vector_stores["default"]
    assert isinstance(store, FaissStore)
    return store


def generation_of(library: Library) -> FaissGeneration:
    store = vector_stores["default"]
    assert isinstance(store, FaissStore)
    found = store.generation(library.asked("x").space, library.owner.pk)
    assert found is not None
    return found


def held_documents(generation: FaissGeneration) -> set[int]:
    rows = MirroredDocument.objects.filter(generation_id=generation.id)
    return set(rows.values_list("document", flat=True))


def current_folder(folder: Path) -> Path:
    (pointer,) = folder.glob("*/*/current")
    return pointer.parent / pointer.read_text()


def spoil(path: Path, damage: str) -> None:
    if damage == "removed":
        path.unlink()
        return
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    else:
        content[len(content) // 2] ^= 0xFF
    path.unlink()  # what is mapped is another file
    path.write_bytes(content)
