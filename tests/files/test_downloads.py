"""Downloads: the bytes, one range of them, and headers that keep them harmless."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from files.models import FileRecord, FileThumbnail
from files.storage.local import path_of
from orchestra.accounts.models import User
from tests.answers import error_of

MakeFile = Callable[..., FileRecord]


class TestDownload:
    CONTENT = bytes(range(256)) * 4

    @pytest.fixture
    def file(self, alice: User, make_file: MakeFile) -> FileRecord:
        return make_file(alice, self.CONTENT, name="data.html")

    def get(self, client: APIClient, file: FileRecord, range_header: str = "") -> Any:
        headers = {"Range": range_header} if range_header else {}
        return client.get(f"/api/files/{file.pk}/download", headers=headers)

    def body(self, response: Any) -> bytes:
        return b"".join(response.streaming_content) if response.streaming else bytes(response.content)

    def test_bytes_come_whole_and_as_an_attachment(self, as_alice: APIClient, file: FileRecord) -> None:
        response = self.get(as_alice, file)

        assert response.status_code == 200
        assert self.body(response) == self.CONTENT
        assert response["Content-Length"] == str(len(self.CONTENT))
        assert response["Content-Type"] == "application/octet-stream"
        assert response["Content-Disposition"] == 'attachment; filename="data.html"'
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response["Content-Security-Policy"]
        assert response["Accept-Ranges"] == "bytes"
        assert "no-store" in response["Cache-Control"]

    @pytest.mark.parametrize(
        ("header", "start", "end"),
        [
            ("bytes=0-0", 0, 1),
            ("bytes=10-19", 10, 20),
            ("bytes=1000-", 1000, 1024),
            ("bytes=1000-99999", 1000, 1024),
            ("bytes=-24", 1000, 1024),
            ("bytes=-99999", 0, 1024),
            ("bytes=1023-1023", 1023, 1024),
            ("BYTES=0-9", 0, 10),
        ],
    )
    def test_one_range(self, as_alice: APIClient, file: FileRecord, header: str, start: int, end: int) -> None:
        response = self.get(as_alice, file, header)
        assert response.status_code == 206
        assert self.body(response) == self.CONTENT[start:end]
        assert response["Content-Range"] == f"bytes {start}-{end - 1}/1024"
        assert response["Content-Length"] == str(end - start)
        assert response["Content-Disposition"].startswith("attachment")
        assert "sandbox" in response["Content-Security-Policy"]

    @pytest.mark.parametrize("header", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
    def test_ranges_beyond_the_end_answer_416(self, as_alice: APIClient, file: FileRecord, header: str) -> None:
        response = self.get(as_alice, file, header)
        assert response["Content-Range"] == "bytes */1024"
        assert error_of(response, 416)["code"] == "range_not_satisfiable"

    @pytest.mark.parametrize(
        "header", ["bytes=9-3", "bytes=a-b", "bytes=-", "items=0-1", "bytes=0-1,5-6", "bytes=" + "9" * 400 + "-"]
    )
    def test_invalid_and_multiple_ranges_are_ignored(self, as_alice: APIClient, file: FileRecord, header: str) -> None:
        response = self.get(as_alice, file, header)
        assert (response.status_code, self.body(response)) == (200, self.CONTENT)

    def test_empty_file_downloads(self, as_alice: APIClient, alice: User, make_file: MakeFile) -> None:
        file = make_file(alice, b"", name="empty")
        assert self.body(self.get(as_alice, file)) == b""
        error_of(self.get(as_alice, file, "bytes=0-"), 416)

    def test_head_gives_the_headers_and_no_bytes(self, as_alice: APIClient, file: FileRecord) -> None:
        response = as_alice.head(f"/api/files/{file.pk}/download")
        assert (response.status_code, response["Content-Length"]) == (200, "1024")
        assert self.body(response) == b""

    @pytest.mark.parametrize(
        "name",
        [
            'a";filename="b.exe',
            "übung 日本.pdf",
            "%22; x=y.txt",
            "a\\b;c,d=e.txt",
            "🙂.txt",
            "'quoted'.txt",
            "  spaced  .txt",
        ],
    )
    def test_hostile_names_stay_inside_the_header(
        self, as_alice: APIClient, alice: User, make_file: MakeFile, name: str
    ) -> None:
        from email.message import Message

        file = make_file(alice, b"x", name=name)
        response = self.get(as_alice, file)
        response.close()
        header = response["Content-Disposition"]
        message = Message()
        message["Content-Disposition"] = header
        assert message.get_content_disposition() == "attachment"
        assert len(message.get_params(header="Content-Disposition") or []) == 2, header
        assert message.get_filename() == file.name

    def test_missing_bytes_are_a_404_with_a_reason(self, as_alice: APIClient, file: FileRecord) -> None:
        path_of(file.storage_key).unlink()
        assert error_of(self.get(as_alice, file), 404)["code"] == "not_found"


class TestThumbnail:
    def test_a_picture_comes_with_its_type_and_cannot_act(
        self, as_alice: APIClient, alice: User, make_file: MakeFile
    ) -> None:
        file = make_file(alice, b"x", name="a.png")
        FileThumbnail.objects.create(file=file, data=b"RIFF....WEBP", media_type="image/webp", width=1, height=1)

        response = as_alice.get(f"/api/files/{file.pk}/thumbnail")

        assert (response.status_code, response.content) == (200, b"RIFF....WEBP")
        assert response["Content-Type"] == "image/webp"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response["Content-Security-Policy"]

    def test_a_file_without_one_says_so(self, as_alice: APIClient, alice: User, make_file: MakeFile) -> None:
        response = as_alice.get(f"/api/files/{make_file(alice).pk}/thumbnail")

        assert error_of(response, 404)["code"] == "not_found"
