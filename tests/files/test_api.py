"""The files API: lists, status, content, changes, deletion, and one shape for every error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from files import pipeline, states
from files.models import (
    FileEvent,
    FileRecord,
    FileSegment,
    FileStatus,
    JobState,
    ProcessingJob,
    Upload,
)
from orchestra.accounts.models import User
from search.models import ChunkEmbedding, IndexedFile, KeywordPosting, VectorChunk
from tests.answers import error_of

MakeFile = Callable[..., FileRecord]
TEXT = b"# Harbour\n\nThe harbour master keeps the register.\n\n# Berths\n\nBerth nine is deep.\n"


def post_raw(client: APIClient, path: str, body: bytes, content_type: str = "application/json") -> Any:
    """Post bytes as they are."""
    return client.post(path, body, content_type=content_type)


def read_file(make_file: MakeFile, owner: User, content: bytes = TEXT, name: str = "harbour.md") -> FileRecord:
    """Return a file that went through the whole pipeline."""
    file = make_file(owner, content, name=name)
    assert pipeline.work("a worker")
    file.refresh_from_db()
    return file


def set_status(file: FileRecord, status: str) -> None:
    """Put a file and its job where that status has them."""
    job = {"queued": JobState.QUEUED, "processing": JobState.RUNNING, "cancelled": JobState.CANCELLED}
    FileRecord.objects.filter(pk=file.pk).update(status=status)
    ProcessingJob.objects.filter(file=file).update(state=job.get(status, JobState.DONE))


class TestList:
    @pytest.fixture(autouse=True)
    def _files(self, alice: User, make_file: MakeFile) -> None:
        for n in range(4):
            file = make_file(alice, f"text {n}".encode(), name=f"Report {n}.txt", tags=(f"year{n % 2}", "all"))
            set_status(file, ["ready", "failed", "queued", "ready"][n])
            FileRecord.objects.filter(pk=file.pk).update(kind="text" if n else "pdf")

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("", "3210"),
            ("status=ready", "30"),
            ("status=failed&status=queued", "21"),
            ("kind=pdf", "0"),
            ("tag=year1", "31"),
            ("tag=year1&status=failed", "1"),
            ("name=REPORT+2", "2"),
            ("name=%25", ""),
            ("name=_", ""),
            ("status=ready&name=3&tag=all&kind=text", "3"),
        ],
    )
    def test_filters(self, as_alice: APIClient, query: str, names: str) -> None:
        results = as_alice.get(f"/api/files?{query}").json()["results"]
        assert "".join(file["name"][7] for file in results) == names

    @pytest.mark.parametrize("query", ["status=unknown", "status=ready&status=unknown", "status="])
    def test_unknown_status_is_an_error_and_not_everything(self, as_alice: APIClient, query: str) -> None:
        error = error_of(as_alice.get(f"/api/files?{query}"), 400)
        assert error["code"] == "invalid"
        assert "status" in error["details"]

    def test_ids_select_files_and_wrong_ids_are_refused(self, as_alice: APIClient) -> None:
        first, second, *_ = [file["id"] for file in as_alice.get("/api/files").json()["results"]]
        picked = as_alice.get(f"/api/files?id={first},{uuid4()},{second}").json()["results"]
        assert [file["id"] for file in picked] == [first, second]
        assert "id" in error_of(as_alice.get("/api/files?id=abc"), 400)["details"]

    def test_pages_cover_everything_once(self, as_alice: APIClient) -> None:
        pages = [as_alice.get(f"/api/files?page_size=3&page={page}").json() for page in (1, 2)]
        assert [len(page["results"]) for page in pages] == [3, 1]
        assert {page["count"] for page in pages} == {4}
        assert len({file["id"] for page in pages for file in page["results"]}) == 4
        assert pages[0]["next"]
        assert pages[1]["next"] is None

    @pytest.mark.parametrize(("query", "status"), [("page=99", 404), ("page=abc", 400), ("page=0", 400)])
    def test_pages_that_are_not_there_are_errors(self, as_alice: APIClient, query: str, status: int) -> None:
        error_of(as_alice.get(f"/api/files?{query}"), status)

    @pytest.mark.parametrize("query", ["page_size=100000", "page_size=abc", "page_size=-1", "name=%00", "tag=%00"])
    def test_odd_values_do_no_harm(self, as_alice: APIClient, query: str) -> None:
        assert as_alice.get(f"/api/files?{query}").status_code in (200, 400)

    def test_the_number_of_queries_does_not_grow_with_the_list(
        self, as_alice: APIClient, django_assert_max_num_queries: Any
    ) -> None:
        with django_assert_max_num_queries(10):
            assert as_alice.get("/api/files").json()["count"] == 4


class TestStatus:
    def test_timeline_tells_the_whole_way(self, as_alice: APIClient, alice: User, make_file: MakeFile) -> None:
        file = read_file(make_file, alice)

        body = as_alice.get(f"/api/files/{file.pk}/status").json()

        assert body["status"] == "ready"
        assert [event["code"] for event in body["timeline"]] == [
            "upload_started",
            "uploaded",
            "started",
            "text_read",
            "ready",
        ]
        versions = [event["version"] for event in body["timeline"]]
        assert versions == sorted(set(versions))
        assert set(body["timings"]) == {"extract", "index"}
        assert (body["upload"], body["waiting_behind"], body["progress"], body["error"]) == (None, None, None, None)
        assert body["chunk_count"] == VectorChunk.objects.filter(file=file).count() > 0

    def test_waiting_behind_counts_what_is_taken_before_and_shrinks(
        self, as_alice: APIClient, alice: User, bob: User, make_file: MakeFile
    ) -> None:
        make_file(bob, b"one")
        make_file(alice, b"two")
        file = make_file(alice, b"three")
        address = f"/api/files/{file.pk}/status"

        assert as_alice.get(address).json()["waiting_behind"] == 2
        assert pipeline.work("a worker")
        assert as_alice.get(address).json()["waiting_behind"] in (1, None)

    def test_running_job_shows_stage_and_progress(self, as_alice: APIClient, alice: User, make_file: MakeFile) -> None:
        from files import jobs

        file = make_file(alice)
        claim = jobs.claim_next("a worker")
        assert claim
        jobs.report(claim, "extract", 3, 12, "pages")

        body = as_alice.get(f"/api/files/{file.pk}/status").json()

        assert body["status"] == "processing"
        assert body["progress"]["heartbeat_age"] >= 0
        del body["progress"]["heartbeat_age"]
        assert body["progress"] == {"stage": "extract", "done": 3, "total": 12, "unit": "pages", "percent": 25}

    @pytest.mark.django_db(transaction=True)
    def test_failed_file_says_why_and_what_to_do(self, as_alice: APIClient, alice: User, make_file: MakeFile) -> None:
        file = read_file(make_file, alice, b"\x7fELF" + bytes(200), "program")
        error = as_alice.get(f"/api/files/{file.pk}/status").json()["error"]
        assert error["code"] == "unsupported_format"
        assert error["message"]
        assert error["hint"]


class TestContent:
    @pytest.mark.parametrize("form", ["json", "text", "markdown"])
    def test_odd_pages_are_refused_in_each_form(
        self, as_alice: APIClient, alice: User, make_file: MakeFile, form: str
    ) -> None:
        file = make_file(alice)
        assert as_alice.get(f"/api/files/{file.pk}/content?format={form}&limit=many").status_code == 400

    def test_segments_are_paged_without_gap_or_overlap(
        self, as_alice: APIClient, alice: User, make_file: MakeFile
    ) -> None:
        file = make_file(alice)
        FileRecord.objects.filter(pk=file.pk).update(generation=2, segment_count=7)
        for generation in (1, 2):
            for n in range(7):
                FileSegment.objects.create(
                    file=file,
                    generation=generation,
                    ordinal=n,
                    kind="text",
                    text=f"{generation}.{n}",
                    place={"line": n},
                )
        texts: list[str] = []
        offset: int | None = 0
        while offset is not None:
            page = as_alice.get(f"/api/files/{file.pk}/content?offset={offset}&limit=3").json()
            texts += [segment["text"] for segment in page["segments"]]
            offset = page["next_offset"]
        assert texts == [f"2.{n}" for n in range(7)], "the current generation, in order"

    @pytest.mark.parametrize("query", ["limit=99999", "offset=999999999"])
    def test_odd_paging_does_no_harm(self, as_alice: APIClient, alice: User, make_file: MakeFile, query: str) -> None:
        file = make_file(alice)
        assert as_alice.get(f"/api/files/{file.pk}/content?{query}").status_code == 200

    @pytest.mark.parametrize("query", ["offset=-1", "offset=abc", "limit=0"])
    def test_paging_that_is_none_is_refused(
        self, as_alice: APIClient, alice: User, make_file: MakeFile, query: str
    ) -> None:
        refused = as_alice.get(f"/api/files/{make_file(alice).pk}/content?{query}")
        assert refused.status_code == 400
        assert query.split("=", maxsplit=1)[0] in refused.json()["error"]["details"]

    @pytest.mark.parametrize(("form", "media_type"), [("text", "text/plain"), ("markdown", "text/markdown")])
    def test_text_form_is_all_text_and_cannot_act_in_a_browser(
        self, as_alice: APIClient, alice: User, make_file: MakeFile, form: str, media_type: str
    ) -> None:
        file = read_file(make_file, alice, b"<script>alert(1)</script>\n\nBerth nine.\n", "page.txt")

        for accept in ("*/*", "application/json", "text/html", "text/plain"):
            response: Any = as_alice.get(f"/api/files/{file.pk}/content?format={form}", headers={"Accept": accept})
            assert response.status_code == 200, accept
            text = b"".join(response.streaming_content).decode()
            assert "Berth nine." in text
            assert response["Content-Type"] == f"{media_type}; charset=utf-8"
            assert response["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in response["Content-Security-Policy"]

    def test_json_form_may_be_named_and_others_are_refused(
        self, as_alice: APIClient, alice: User, make_file: MakeFile
    ) -> None:
        file = make_file(alice)
        assert as_alice.get(f"/api/files/{file.pk}/content?format=json").json()["segments"] == []
        error = error_of(as_alice.get(f"/api/files/{file.pk}/content?format=exe"), 400)
        assert "format" in error["details"]

    def test_content_of_other_lists_still_takes_drfs_format(self, as_alice: APIClient) -> None:
        assert as_alice.get("/api/files?format=json")["Content-Type"] == "application/json"


class TestUpdate:
    def test_name_and_tags_change_and_the_version_grows(
        self, as_alice: APIClient, alice: User, make_file: MakeFile
    ) -> None:
        file = make_file(alice)
        body = as_alice.patch(f"/api/files/{file.pk}", {"name": "../new\u202e.txt", "tags": [" a ", "a", "b"]}).json()
        assert (body["name"], body["tags"]) == ("new.txt", ["a", "b"])
        assert body["version"] > file.version

    def test_nothing_else_changes(self, as_alice: APIClient, alice: User, bob: User, make_file: MakeFile) -> None:
        file = make_file(alice)
        before: dict[str, Any] = dict(FileRecord.objects.values().get(pk=file.pk))
        wanted = {
            "id": str(uuid4()),
            "owner": str(bob.pk),
            "owner_id": str(bob.pk),
            "status": "ready",
            "size": 1,
            "sha256": "0" * 64,
            "storage_key": "../../etc/passwd",
            "version": 900,
            "metadata": {"a": 1},
            "media_type": "text/html",
            "generation": 9,
            "error_code": "x",
            "created_at": "2000-01-01",
        }
        assert as_alice.patch(f"/api/files/{file.pk}", {**wanted, "name": "ok.txt"}).status_code == 200

        after: dict[str, Any] = dict(FileRecord.objects.values().get(pk=file.pk))
        assert {key for key in after if after[key] != before[key]} == {"name", "version", "updated_at"}

    @pytest.mark.parametrize(
        "body",
        [
            {"name": ""},
            {"name": "x" * 256},
            {"name": None},
            {"tags": "a"},
            {"tags": ["x" * 51]},
            {"tags": [None]},
            [],
            "x",
        ],
    )
    def test_wrong_values_are_named(self, as_alice: APIClient, alice: User, make_file: MakeFile, body: Any) -> None:
        file = make_file(alice)
        error = error_of(as_alice.patch(f"/api/files/{file.pk}", body), 400)
        assert (error["code"], bool(error["details"])) == ("invalid", True)


@pytest.mark.django_db(transaction=True)
class TestDelete:
    def test_nothing_is_left_without_a_trash(
        self, as_alice: APIClient, alice: User, make_file: MakeFile, upload_dir: Any, settings: Any
    ) -> None:
        settings.TRASH_DAYS = 0
        kept, file = read_file(make_file, alice, b"Kept."), read_file(make_file, alice)
        models = (
            FileSegment,
            VectorChunk,
            IndexedFile,
            FileEvent,
            ProcessingJob,
            Upload,
        )
        document = IndexedFile.objects.get(file=file)
        of_document = [model.objects.filter(document=document) for model in (KeywordPosting, ChunkEmbedding)]
        assert all(model.objects.filter(file=file).exists() for model in models), "the test is about something"
        assert all(rows.all().exists() for rows in of_document)

        assert as_alice.delete(f"/api/files/{file.pk}").status_code == 204

        assert [model for model in models if model.objects.filter(file_id=file.pk).exists()] == []
        assert not any(rows.all().exists() for rows in of_document)
        assert list(FileRecord.objects.all()) == [kept]
        bytes_left = [path.name for path in upload_dir.rglob("*") if path.is_file()]
        assert bytes_left == [str(kept.pk)]
        error_of(as_alice.get(f"/api/files/{file.pk}"), 404)
        error_of(as_alice.delete(f"/api/files/{file.pk}"), 404)

    def test_unfinished_upload_goes_with_its_bytes(self, as_alice: APIClient, upload_dir: Any) -> None:
        body = {"name": "a.bin", "size": 2 * 65536, "chunk_size": 65536}
        upload = as_alice.post("/api/files/upload/initiate", body).json()
        as_alice.put(
            f"/api/files/{upload['id']}/upload",
            bytes(65536),
            content_type="application/octet-stream",
            headers={"Content-Range": "bytes 0-65535/131072"},
        )
        assert as_alice.delete(f"/api/files/{upload['id']}").status_code == 204
        assert not Upload.objects.exists()
        assert [path for path in upload_dir.rglob("*") if path.is_file()] == []


STATES = [status.value for status in FileStatus]


ALLOWED = {"retry": {"ready", "partial", "failed", "cancelled"}, "cancel": {"queued", "processing"}}


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize("action", ["retry", "cancel"])
def test_actions_are_accepted_where_they_make_sense(
    as_alice: APIClient, alice: User, make_file: MakeFile, status: str, action: str
) -> None:
    allowed, then = ALLOWED[action], "queued" if action == "retry" else "cancelled"
    file = make_file(alice)
    set_status(file, status)
    response = as_alice.post(f"/api/files/{file.pk}/{action}")
    if status in allowed:
        assert response.status_code == 202
        assert response.json()["status"] == then
        assert FileEvent.objects.filter(file=file).last().code in ("retried", "cancelled")  # type: ignore[union-attr]
        expected_job = JobState.QUEUED if then == "queued" else JobState.CANCELLED
        assert ProcessingJob.objects.get(file=file).state == expected_job
    else:
        error = error_of(response, 409)
        assert error["code"] == "invalid_state"
        assert error["hint"]
        assert FileRecord.objects.get(pk=file.pk).status == status


def test_upload_under_way_cannot_be_retried(as_alice: APIClient) -> None:
    upload = as_alice.post("/api/files/upload/initiate", {"name": "a", "size": 10}).json()
    assert error_of(as_alice.post(f"/api/files/{upload['id']}/retry"), 409)["hint"]
    assert error_of(as_alice.post(f"/api/files/{upload['id']}/cancel"), 409)["hint"]


class TestErrors:
    def test_malformed_json(self, as_alice: APIClient) -> None:
        response = post_raw(as_alice, "/api/files/upload/initiate", b"{")
        assert error_of(response, 400)["code"] == "parse_error"

    def test_json_that_is_no_object(self, as_alice: APIClient) -> None:
        for body in (b"[]", b"null", b'"x"', b"1"):
            for path in ("/api/files/upload/initiate", "/api/search", "/api/auth/keys"):
                response = post_raw(as_alice, path, body)
                assert error_of(response, 400)["code"] == "invalid", (path, body)

    def test_deep_json(self, as_alice: APIClient) -> None:
        body = b"[" * 100_000
        error_of(post_raw(as_alice, "/api/search", body), 400)

    def test_nul_in_text(self, as_alice: APIClient) -> None:
        for path, body in (
            ("/api/search", {"query": "a\x00b", "filters": {"tags": ["a\x00"]}}),
            ("/api/auth/keys", {"name": "a\x00b"}),
            ("/api/files/upload/initiate", {"name": "a\x00b", "size": 1, "tags": ["\x00"]}),
        ):
            assert as_alice.post(path, body).status_code in (200, 201, 400), path

    def test_lone_surrogate_in_text(self, as_alice: APIClient) -> None:
        for path, body in (
            ("/api/search", b'{"query": "a\\ud800b"}'),
            ("/api/files/upload/initiate", b'{"name": "a\\ud800b", "size": 1, "tags": ["\\ud800"]}'),
            ("/api/auth/keys", b'{"name": "a\\ud800b"}'),
        ):
            response = post_raw(as_alice, path, body)
            assert response.status_code in (200, 201, 400), path

    def test_numbers_beyond_the_column(self, as_alice: APIClient) -> None:
        for size in (2**63, 10**30):
            error_of(as_alice.post("/api/files/upload/initiate", {"name": "a", "size": size}), 413)

    def test_unsupported_media_type(self, as_alice: APIClient) -> None:
        response = post_raw(as_alice, "/api/search", b"<a/>", "application/xml")
        error_of(response, 415)

    def test_method_that_is_not_allowed(self, as_alice: APIClient) -> None:
        response = as_alice.put("/api/files", {})
        assert error_of(response, 405)["code"] == "method_not_allowed"
        assert "GET" in response["Allow"]

    @pytest.mark.parametrize(
        "path",
        ["/api/nothing", "/api/", "/api/files/", "/api/files/abc", "/api/files/abc/status", "/api/auth/keys/1", "/api"],
    )
    def test_unknown_address_under_api(self, as_alice: APIClient, path: str) -> None:
        assert error_of(as_alice.get(path), 404)["code"] == "not_found"

    @pytest.mark.django_db
    def test_no_and_wrong_credentials(self) -> None:
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Api-Key x"}, {"Authorization": "Bearer"}):
            response = APIClient().get("/api/files", headers=headers)
            error = error_of(response, 401)
            assert error["hint"]
            assert response["WWW-Authenticate"].startswith("Bearer")

    def test_session_without_csrf_token(self, alice: User) -> None:
        client = APIClient(enforce_csrf_checks=True)
        client.force_login(alice)
        assert error_of(client.post("/api/auth/ticket"), 403)["code"] == "permission_denied"

    def test_a_bug_is_a_500_in_the_same_shape_and_tells_nothing(
        self, as_alice: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def breaks(*_: object) -> None:
            raise RuntimeError("password=hunter2")

        monkeypatch.setattr("files.selectors.files_of", breaks)
        as_alice.raise_request_exception = False
        response = as_alice.get("/api/files")
        assert error_of(response, 500)["code"] == "internal_error"
        assert b"hunter2" not in response.content

    def test_failed_validation_of_multipart(self, as_alice: APIClient) -> None:
        error_of(as_alice.post("/api/files/upload", {}, format="multipart"), 400)
        error_of(post_raw(as_alice, "/api/files/upload", b"junk", "multipart/form-data"), 400)
        error_of(as_alice.post("/api/files/upload", {"file": "not a file"}, format="multipart"), 400)

    def test_changes_made_together_are_seen_in_order(
        self, as_alice: APIClient, alice: User, make_file: MakeFile
    ) -> None:
        file = make_file(alice)
        states.touch(file.pk)
        assert as_alice.get(f"/api/files/{file.pk}").json()["version"] == file.version + 1
