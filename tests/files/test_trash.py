"""The trash: nothing shows what is in it, what comes back is as before, what is purged leaves nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from rest_framework.test import APIClient

from files import expiry, jobs, pipeline, services, trash, uploads
from files.errors import FileNotFound, InvalidMove, QuotaExceeded
from files.holding import bytes_held, unless_held
from files.models import FileEvent, FileRecord, FileStatus, FileThumbnail, ProcessingJob
from files.selectors import bytes_used, counts_by_status, files_of, trash_of, trash_sum
from files.tasks import purge_trash
from orchestra.accounts.models import User
from search import services as search_services
from search.absence import absences
from search.evaluation.own_questions import add_question, files_to_choose, questions_of
from search.evaluation.own_runs import measure_own
from search.evaluation.runner import Configuration
from search.evaluation.shown_runs import shown
from search.models import SearchQuery
from search.retrieval import Scope, Tuning
from tests.answers import error_of
from tests.conftest import client_of, sha256
from tests.database import second_connection
from tests.routes import routes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_redis")]
MakeFile = Callable[..., FileRecord]
HARBOUR = b"The harbour master keeps the register of boats."
WORD = "xylophonist"  # stands in the name and the text of the file that is trashed, and nowhere else


@pytest.fixture
def read(alice: User, make_file: MakeFile) -> FileRecord:
    """A file that was read, beside another one."""
    make_file(alice, b"The bakery opens at four in the morning.", "bakery.txt")
    file = make_file(alice, HARBOUR + f" Says the {WORD}.".encode(), f"{WORD}.txt", tags=("boats",))
    while pipeline.work("a worker"):
        pass
    file.refresh_from_db()
    return file


def _hits(user: User, question: str = "harbour master") -> set[UUID]:
    return {hit.file_id for hit in search_services.search(user, question, limit=50).hits}


class TestPut:
    def test_the_file_is_in_no_list_count_or_search(self, alice: User, read: FileRecord) -> None:
        assert read.pk in _hits(alice)
        services.delete(read)
        assert read.pk not in _hits(alice)
        assert read.pk not in {hit.file_id for hit in search_services.nearest(alice, "harbour master").hits}
        assert read not in files_of(alice)
        assert counts_by_status(alice) == {"ready": 1}
        assert list(trash_of(alice)) == [read]
        assert absences(alice, "harbour", WORD) == []

    @pytest.mark.parametrize("state", [FileStatus.QUEUED, FileStatus.PROCESSING])
    def test_processing_is_cancelled_and_taken_up_again_after_a_restore(
        self, alice: User, make_file: MakeFile, state: FileStatus
    ) -> None:
        file = make_file(alice)
        claim = jobs.claim_next("a worker") if state == FileStatus.PROCESSING else None
        services.delete(file)
        assert ProcessingJob.objects.get(file=file).state == "cancelled"
        assert claim is None or not jobs.heartbeat(claim)
        assert jobs.claim_next("another worker") is None
        restored = services.restore(file)
        assert restored.status == FileStatus.QUEUED
        assert pipeline.work("a worker")
        assert _hits(alice, "some text") == {file.pk}

    def test_a_file_that_its_user_cancelled_stays_so(self, alice: User, make_file: MakeFile) -> None:
        file = make_file(alice)
        services.cancel(file)
        services.delete(file)
        assert services.restore(file).status == FileStatus.CANCELLED

    def test_an_unfinished_upload_is_deleted_at_once(self, alice: User) -> None:
        upload = uploads.initiate(alice, uploads.NewUpload("a.bin", 2 * 65536, chunk_size=65536))
        services.delete(upload.file)
        assert not FileRecord.objects.exists()

    def test_without_days_everything_is_deleted_at_once(self, read: FileRecord, settings: Any) -> None:
        settings.TRASH_DAYS = 0
        services.delete(read)
        assert not FileRecord.objects.filter(pk=read.pk).exists()

    def test_what_is_in_the_trash_is_not_there_to_be_deleted_retried_or_cancelled(self, read: FileRecord) -> None:
        services.delete(read)
        with pytest.raises(FileNotFound):
            services.delete(read)
        read.refresh_from_db()
        for act in (services.retry, services.cancel):
            with pytest.raises(InvalidMove):
                act(read)

    def test_the_timeline_tells(self, read: FileRecord) -> None:
        services.delete(read)
        services.restore(read)
        assert list(FileEvent.objects.filter(file=read).order_by("id").values_list("code", flat=True))[-2:] == [
            "trashed",
            "restored",
        ]


def _addresses(file: FileRecord) -> list[str]:
    shown = [route for route in routes() if "get" in route.methods and "trash" not in route.name]
    paths = [route.path({**dict.fromkeys(route.parameters, file.pk), "action": "retry"}) for route in shown]
    return [
        *paths,
        f"/files?name={WORD}",
        f"/api/files?id={file.pk}",
        "/api/files?tag=boats",
        f"/api/files/{file.pk}/content?format=text",
        "/search?q=harbour+master",
        f"/evaluation?name={WORD[:5]}",
    ]


def test_by_no_address_does_its_owner_see_what_is_in_the_trash(read: FileRecord, alice: User, client: Client) -> None:
    """S2: after the 204 nothing shows it; the addresses come from the resolver, so that later ones count too."""
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    add_question(User.objects.get(pk=alice.pk), "Who keeps the register?", [read.pk])
    measure_own(alice, [Configuration("basic", Tuning())])
    client.force_login(alice)
    before = sum(WORD in _body(client.get(address)) for address in _addresses(read))
    assert before >= 8, "these addresses show it while it is there"
    assert client.delete(f"/api/files/{read.pk}").status_code == 204
    for address in _addresses(read):
        response = client.get(address)
        text = _body(response)
        assert WORD not in text.replace(f"name={WORD}", "").replace(f'value="{WORD}"', ""), address
        assert str(read.pk) not in text or response.status_code == 404, address
    for body in ({"query": "harbour master"}, {"query": WORD}, {"query": "x", "filters": {"files": [str(read.pk)]}}):
        for path in ("/api/search", "/api/files/search"):
            answer = client.post(path, body, content_type="application/json")
            assert str(read.pk) not in answer.content.decode(), (path, body)


def _body(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return str(content.decode(errors="replace"))


def test_own_questions_and_runs_know_nothing_of_it(alice: User, read: FileRecord) -> None:
    add_question(alice, "Who keeps the register?", [read.pk])
    run = measure_own(alice, [Configuration("basic", Tuning())])
    services.delete(read)
    assert [list(question.files.all()) for question in questions_of(alice)] == [[]]
    assert files_to_choose(alice, WORD) == []
    assert WORD not in repr(shown(run))
    services.restore(read)
    assert [list(question.files.all()) for question in questions_of(alice)] == [[read]]


class TestUploadingTheSameAgain:
    def test_by_digest_it_comes_back_without_a_byte(self, alice: User, as_alice: APIClient, read: FileRecord) -> None:
        services.delete(read)
        body = {"name": "again.txt", "size": read.size, "sha256": read.sha256}
        answer = as_alice.post("/api/files/upload/initiate", body)
        assert answer.status_code == 200
        assert (answer.json()["duplicate"], answer.json()["restored"]) == (True, True)
        assert answer.json()["id"] == str(read.pk)
        assert read.pk in _hits(alice)
        assert "came back from the trash" in str(FileEvent.objects.filter(file=read).latest("id").message)

    def test_by_content_it_comes_back_too(self, alice: User, make_file: MakeFile) -> None:
        file = make_file(alice, HARBOUR)
        services.delete(file)
        again = uploads.receive_whole(alice, uploads.NewUpload("b.txt", len(HARBOUR)), io.BytesIO(HARBOUR))
        assert (again.file.pk, again.duplicate, again.restored) == (file.pk, True, True)
        assert list(files_of(alice)) == [file]

    def test_anothers_trash_has_nothing_to_do_with_it(self, alice: User, bob: User, make_file: MakeFile) -> None:
        services.delete(make_file(alice, HARBOUR))
        answer = client_of(bob).post(
            "/api/files/upload/initiate", {"name": "b", "size": len(HARBOUR), "sha256": sha256(HARBOUR)}
        )
        assert (answer.status_code, answer.json()["restored"]) == (201, False)


class TestQuota:
    def test_the_trash_counts_and_the_message_says_so(self, alice: User, make_file: MakeFile) -> None:
        User.objects.filter(pk=alice.pk).update(storage_quota=100)
        owner = User.objects.get(pk=alice.pk)
        services.delete(make_file(owner, bytes(80)))
        assert bytes_used(owner) == trash_sum(owner).bytes == 80
        with pytest.raises(QuotaExceeded, match="80 of the 100 bytes") as refused:
            uploads.initiate(owner, uploads.NewUpload("a", 50))
        assert "Empty the trash" in refused.value.hint
        assert trash.empty(owner) == 1
        assert not uploads.initiate(owner, uploads.NewUpload("a", 50)).complete


class TestPurge:
    def test_no_table_knows_the_file_or_its_passages(self, alice: User, read: FileRecord) -> None:
        """Every column of every table is looked through as text; the admin's log and the event log are none of it."""
        add_question(alice, "Who keeps the register?", [read.pk])
        FileThumbnail.objects.create(file=read, data=b"a picture", media_type="image/webp", width=1, height=1)
        search_services.search(alice, "harbour master", scope=Scope(alice.pk, (read.pk,)))
        measure_own(alice, [Configuration("basic", Tuning(0.0, 50))])
        _mention_in_a_run(alice, read)
        chunks = [str(chunk) for chunk in read.chunks.values_list("pk", flat=True)]
        number = read.index.number
        sought = [str(read.pk), *chunks]
        assert len(_tables_with(sought)) >= 8, "the test is about something"
        services.delete(read)
        assert _tables_with(sought)
        trash.purge(read)
        assert _tables_with(sought) == []
        assert _tables_with([WORD, read.sha256]) == []
        with connection.cursor() as cursor:
            for table in ("search_keywordposting", "search_chunkembedding"):
                cursor.execute(f"SELECT count(*) FROM {table} WHERE document_id = %s", [number])
                assert cursor.fetchone() == (0,), table
        assert SearchQuery.objects.filter(text="harbour master").exists(), "the question itself is its user's"

    @pytest.mark.django_db(transaction=True)
    def test_bytes_go_too(self, read: FileRecord, upload_dir: Any) -> None:
        services.delete(read)
        assert [path for path in upload_dir.rglob(str(read.pk)) if path.is_file()]
        services.delete_completely(read)
        assert not [path for path in upload_dir.rglob(f"*{read.pk}*") if path.is_file()]

    @pytest.mark.django_db(transaction=True)
    def test_bytes_stay_while_a_backup_holds_them_and_go_as_litter(
        self, read: FileRecord, upload_dir: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with second_connection() as other:
            other.execute("SELECT pg_advisory_lock(%s)", [0x0E5BACE7])
            services.delete_completely(read)
            assert not FileRecord.objects.filter(pk=read.pk).exists()
            assert [path for path in upload_dir.rglob(str(read.pk)) if path.is_file()]
            monkeypatch.setattr("files.expiry._DAY", -60)
            expiry.expire()
            assert [path for path in upload_dir.rglob(str(read.pk)) if path.is_file()], "held still"
            other.execute("SELECT pg_advisory_unlock(%s)", [0x0E5BACE7])
            expiry.expire()
        assert not [path for path in upload_dir.rglob(str(read.pk)) if path.is_file()]

    def test_the_time_decides(self, alice: User, make_file: MakeFile, settings: Any) -> None:
        old, new, kept = (make_file(alice, text, f"{text.decode()}.txt") for text in (b"old", b"new", b"kept"))
        services.delete(old)
        services.delete(new)
        FileRecord.objects.filter(pk=old.pk).update(trashed_at=Now() - timedelta(days=settings.TRASH_DAYS, seconds=1))
        FileRecord.objects.filter(pk=new.pk).update(trashed_at=Now() - timedelta(days=settings.TRASH_DAYS, hours=-1))
        purge_trash()
        assert set(FileRecord.objects.all()) == {new, kept}

    def test_what_was_restored_meanwhile_stays(self, read: FileRecord) -> None:
        services.delete(read)
        services.restore(read)
        assert trash.purge_trashed(read.pk) is False
        assert FileRecord.objects.filter(pk=read.pk).exists()

    def test_a_user_that_goes_takes_the_trash_along(self, alice: User, read: FileRecord) -> None:
        number = read.index.number
        services.delete(read)
        alice.delete()
        with connection.cursor() as cursor:
            for table in ("search_keywordposting", "search_chunkembedding"):
                cursor.execute(f"SELECT count(*) FROM {table} WHERE document_id = %s", [number])
                assert cursor.fetchone() == (0,), table
        assert _tables_with([str(read.pk)]) == []


def _mention_in_a_run(author: User, file: FileRecord) -> None:
    from search.models import EvaluationRun

    run = EvaluationRun.objects.filter(author=author).latest("created_at")
    chunk = file.chunks.values_list("pk", flat=True).first()
    run.results["questions"][0]["answers"][0]["instead"] = {"file": str(file.pk), "chunk": str(chunk)}
    run.save()


def _tables_with(texts: list[str]) -> list[str]:
    """Return the tables that have a row with one of these texts in any column, but for the audit log.

    That says which file was deleted, by its id, and nothing else of it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
            "AND relnamespace = 'public'::regnamespace AND relname <> 'accounts_auditevent'"
        )
        tables = [row[0] for row in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" t WHERE t::text LIKE ANY(%s))', [_like(texts)])
            if cursor.fetchone()[0]:
                found.append(table)
    return found


def _like(texts: list[str]) -> list[str]:
    return [f"%{text}%" for text in texts]


class TestApi:
    def test_list_restore_delete_empty(self, alice: User, as_alice: APIClient, read: FileRecord) -> None:
        other = files_of(alice).exclude(pk=read.pk).get()
        for file in (other, read):
            assert as_alice.delete(f"/api/files/{file.pk}").status_code == 204
        listed = as_alice.get("/api/files/trash").json()
        assert [row["id"] for row in listed["results"]] == [str(read.pk), str(other.pk)]
        assert (listed["count"], listed["bytes"]) == (2, read.size + other.size)
        assert listed["results"][0]["deleted_after"] > listed["results"][0]["trashed_at"]

        restored = as_alice.post(f"/api/files/trash/{read.pk}/restore")
        assert (restored.status_code, restored.json()["status"]) == (200, "ready")
        error_of(as_alice.post(f"/api/files/trash/{read.pk}/restore"), 404)
        assert as_alice.get(f"/api/files/{read.pk}").status_code == 200

        error_of(as_alice.delete(f"/api/files/trash/{read.pk}"), 404)
        assert as_alice.delete(f"/api/files/trash/{other.pk}").status_code == 204
        assert not FileRecord.objects.filter(pk=other.pk).exists()
        services.delete(read)
        assert as_alice.delete("/api/files/trash").json() == {"deleted": 1}
        assert not FileRecord.objects.exists()

    def test_an_upload_whose_file_is_in_the_trash_is_unknown(
        self, as_alice: APIClient, alice: User, read: FileRecord
    ) -> None:
        services.delete(read)
        error_of(as_alice.get(f"/api/files/{read.pk}/status"), 404)
        chunk = as_alice.put(
            f"/api/files/{read.pk}/upload",
            HARBOUR,
            content_type="application/octet-stream",
            headers={"Content-Range": f"bytes 0-{len(HARBOUR) - 1}/{len(HARBOUR)}"},
        )
        error_of(chunk, 404)


class TestPage:
    def test_from_the_list_to_the_trash_and_back(self, client: Client, alice: User, read: FileRecord) -> None:
        client.force_login(alice)
        answer = client.post(f"/files/{read.pk}/delete", follow=True)
        assert f"{WORD}.txt is in the trash, and can be restored for 30 days." in answer.content.decode()
        assert "Trash (1)" in answer.content.decode()
        page = client.get("/trash").content.decode()
        assert f"{WORD}.txt" in page
        assert "Kept until" in page
        answer = client.post(f"/trash/{read.pk}/restore", follow=True)
        assert f"{WORD}.txt was restored." in answer.content.decode()
        assert "The trash is empty" in answer.content.decode()
        assert client.post(f"/trash/{read.pk}/delete").status_code == 404
        assert client.post(f"/trash/{read.pk}/unheard-of").status_code == 404

    def test_deleting_for_good_one_by_one_and_all(self, client: Client, alice: User, read: FileRecord) -> None:
        client.force_login(alice)
        for file in files_of(alice):
            services.delete(file)
        client.post(f"/trash/{read.pk}/delete")
        assert trash_sum(alice).files == 1
        answer = client.post("/trash/empty", follow=True)
        assert "1 file deleted for good" in answer.content.decode()
        assert not FileRecord.objects.exists()


class TestCommand:
    def _run(self, *arguments: str) -> str:
        out = io.StringIO()
        call_command("purge", *arguments, stdout=out)
        return out.getvalue()

    def test_what_is_deleted_is_what_was_asked_for(self, alice: User, bob: User, make_file: MakeFile) -> None:
        hers, his = make_file(alice), make_file(bob)
        services.delete(hers)
        services.delete(his)
        assert self._run() == "Deleted for good: 0 files.\n"
        assert "notes.txt" in self._run("--all", "--dry-run", "--user", "alice")
        assert self._run("--all", "--user", "alice") == "Deleted for good: 1 file.\n"
        assert list(FileRecord.objects.all()) == [his]
        assert self._run("--older-than", "0") == "Deleted for good: 1 file.\n"
        for wrong in (["--user", "nobody"], ["--older-than", "-1"]):
            with pytest.raises(CommandError):
                self._run(*wrong)


@pytest.mark.django_db(transaction=True)
def test_one_backup_at_a_time_holds_the_bytes() -> None:
    with second_connection() as other, bytes_held() as held:
        assert held
        taken = other.execute("SELECT pg_try_advisory_xact_lock_shared(%s)", [0x0E5BACE7]).fetchone()
        assert taken == (False,)
    with second_connection() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [0x0E5BACE8])
        with bytes_held() as held:
            assert not held


def test_bytes_are_deleted_where_nobody_holds_them() -> None:
    deleted: list[int] = []
    assert unless_held(lambda: deleted.append(1)) is True
    assert deleted == [1]
