"""What tus does here beyond its specification: names, tags, who may ask, whose files, what is told to nobody."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as DjangoClient
from django.utils import timezone
from rest_framework.test import APIClient

from files import expiry
from files.models import FileRecord, Upload
from files.uploads import NewUpload, initiate
from orchestra.accounts.models import User
from tests.conftest import sha256
from tests.files.tus.specification import CONTENT, NAME, Client
from tests.files.tus.test_conformance import InProcess


@pytest.fixture
def tus(as_alice: APIClient) -> Client:
    return Client(InProcess(as_alice))


def said(**pairs: str) -> str:
    return ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in pairs.items())


def whole(tus: Client, **metadata: str) -> str:
    path = tus.create(len(CONTENT), upload_metadata=said(**metadata) or None)
    assert tus.patch(path, 0, CONTENT).status == 204
    return path


def test_what_arrived_is_a_queued_file_with_its_name_and_tags(tus: Client) -> None:
    path = whole(tus, filename=f"../secret/{NAME}", filetype="image/png", tags="minutes, harbour ,")
    file = FileRecord.objects.get()
    assert path == f"/tus/{file.pk}"
    assert (file.name, file.tags, file.sha256) == (NAME, ["minutes", "harbour"], sha256(CONTENT))
    assert (file.status, file.media_type == "image/png") == ("queued", False)


@pytest.mark.parametrize("metadata", [{}, {"name": "by another word.txt"}, {"filename": "\0\n"}])
def test_a_file_without_a_name_has_one_all_the_same(tus: Client, metadata: dict[str, str]) -> None:
    whole(tus, **metadata)
    assert FileRecord.objects.get().name == metadata.get("name", "unnamed")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"upload_concat": "partial"}, 400, "tus_header_invalid"),
        ({"upload_length": None, "upload_defer_length": 1}, 400, "tus_header_invalid"),
        ({"upload_length": "9" * 5000}, 400, "tus_header_invalid"),
        ({"upload_length": 2 * 1024**3 + 1}, 413, "file_too_large"),
        ({"upload_metadata": "a " + "QUJD" * 5000}, 400, "tus_header_invalid"),
        ({"upload_metadata": "a QQ==,a QQ=="}, 400, "tus_header_invalid"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(tus: Client, headers: dict[str, Any], status: int, code: str) -> None:
    answer = tus.request("POST", "/tus/", **({"upload_length": 10} | headers))
    assert answer.status == status
    assert code.encode() in answer.body
    assert (answer.headers.get("tus-max-size") is not None) is (status == 413)
    assert not Upload.objects.exists()


def test_quota_is_looked_at_before_the_bytes(tus: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(storage_quota=100)
    alice.refresh_from_db()
    assert tus.request("POST", "/tus/", upload_length=101).status == 507


def test_a_creation_that_fails_leaves_nothing(tus: Client) -> None:
    answer = tus.request(
        "POST",
        "/tus/",
        CONTENT[:10],
        upload_length=20,
        content_type="application/offset+octet-stream",
        upload_checksum="sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    )
    assert answer.status == 460
    assert not FileRecord.objects.exists()


def test_an_upload_of_the_chunk_api_is_none_of_tus(tus: Client, alice: User) -> None:
    chunked = initiate(alice, NewUpload("chunks.bin", 100)).upload
    assert tus.request("HEAD", f"/tus/{chunked.pk}").status == 404
    assert tus.request("DELETE", f"/tus/{chunked.pk}").status == 404


def test_a_finished_upload_is_answered_after_its_row_went_and_can_be_deleted(tus: Client) -> None:
    path = whole(tus)
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=5))
    expiry.expire()
    assert not Upload.objects.exists()
    assert tus.offset(path) == len(CONTENT)
    assert tus.patch(path, len(CONTENT), b"").status == 204
    assert tus.patch(path, 0, b"?").status == 409
    assert tus.request("DELETE", path).status == 204
    assert tus.request("HEAD", path).status == 404


def test_the_end_of_a_lost_answer_is_given_again(tus: Client) -> None:
    path = whole(tus)
    answer = tus.patch(path, len(CONTENT), b"")
    assert (answer.status, answer.headers["upload-offset"]) == (204, str(len(CONTENT)))
    assert tus.patch(path, len(CONTENT), b"?").status == 413


def test_an_upload_past_its_time_is_gone_for_good(tus: Client) -> None:
    path = tus.create()
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=5))
    assert tus.request("HEAD", path).status == 410
    expiry.expire()
    assert tus.request("HEAD", path).status == 404


def test_everybody_may_ask_what_is_offered_and_nobody_else_anything(db: None) -> None:
    stranger = Client(InProcess(DjangoClient()))
    assert stranger.request("OPTIONS", "/tus/").status == 204
    for method in ("POST", "HEAD", "PATCH", "DELETE"):
        answer = stranger.request(method, "/tus/0193a1b2-0000-7000-8000-000000000000", x_http_method_override=None)
        assert answer.status == 401, method
    assert stranger.request("POST", "/tus/", upload_length=1, x_http_method_override="OPTIONS").status == 204


def test_a_page_of_another_origin_cannot_use_the_session(alice: User) -> None:
    browser = DjangoClient(enforce_csrf_checks=True)
    browser.force_login(alice)
    session = Client(InProcess(browser))
    for method, override in (("POST", None), ("GET", "POST")):
        answer = session.request(method, "/tus/", upload_length=1, x_http_method_override=override)
        assert answer.status == 403, answer
    assert not Upload.objects.exists()


def test_an_unknown_method_is_refused(tus: Client) -> None:
    for method in ("GET", "PUT"):
        assert tus.request(method, tus.create(1)).status == 405
    assert tus.request("POST", "/tus/", upload_length=1, x_http_method_override="DISPATCH").status == 405


def test_an_address_that_is_no_upload_is_answered_for_programs(tus: Client) -> None:
    answer = tus.request("HEAD", "/tus/not-an-upload")
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("application/json")


def test_a_duplicate_is_ended_without_the_file_that_was_there(
    tus: Client, alice: User, make_file: Callable[..., FileRecord]
) -> None:
    first = make_file(alice, CONTENT)
    path = whole(tus, filename="copy.txt")
    assert tus.offset(path) == len(CONTENT)
    assert tus.request("DELETE", path).status == 204
    assert tus.request("HEAD", path).status == 404
    assert FileRecord.objects.get().pk == first.pk
