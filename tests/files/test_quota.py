"""How many files and uploads under way one may have: refused in words, and not exceeded by requests at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from files import services
from files.errors import TooManyFiles, TooManyUploads
from files.models import FileRecord
from files.uploads import NewUpload, initiate
from orchestra.accounts.models import User

MakeFile = Callable[..., FileRecord]


def opened(client: APIClient, name: str = "a.txt") -> Any:
    return client.post("/api/files/upload/initiate", {"name": name, "size": 10})


def test_more_files_than_one_may_have_are_refused_in_words(
    alice: User, as_alice: APIClient, as_bob: APIClient, make_file: MakeFile, settings: Any
) -> None:
    settings.MAX_FILES = 2
    services.delete(make_file(alice, b"one"))  # the trash counts
    assert opened(as_alice).status_code == 201
    refused = opened(as_alice, "b.txt")
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["details"]) == (507, "too_many_files", {"most": 2})
    assert "empty the trash" in error["hint"]
    assert opened(as_bob).status_code == 201, "others are not touched"


def test_more_uploads_at_a_time_wait_until_one_is_finished(
    alice: User, as_alice: APIClient, make_file: MakeFile, settings: Any
) -> None:
    settings.MAX_UPLOADS = 1
    first = opened(as_alice).json()["id"]
    refused = opened(as_alice, "b.txt")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_uploads")
    assert refused["Retry-After"] == "10"
    assert as_alice.delete(f"/api/files/{first}").status_code == 204
    make_file(alice, b"whole", name="c.txt")
    assert opened(as_alice, "b.txt").status_code == 201


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("setting", ["MAX_FILES", "MAX_UPLOADS"])
def test_requests_at_once_exceed_nothing(alice: User, settings: Any, setting: str) -> None:
    setattr(settings, setting, 3)

    def opens(number: int) -> bool:
        try:
            initiate(alice, NewUpload(f"{number}.txt", 10))
        except (TooManyFiles, TooManyUploads):
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(opens, range(24))) == 3
    assert FileRecord.objects.filter(owner=alice).count() == 3


def test_the_account_page_tells_them(alice: User, make_file: MakeFile, client: Client, settings: Any) -> None:
    settings.MAX_FILES = 1_000
    make_file(alice)
    client.force_login(alice)
    html = client.get("/account").content.decode()
    assert "<dd>1 of 1,000</dd>" in html
    assert "<dd>0</dd>" in html
