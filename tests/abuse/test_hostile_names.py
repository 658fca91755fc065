"""Two hundred hostile names in every field that names something: stored as data or refused in words, never a path."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from files import pipeline
from files.models import FileRecord
from files.names import MAX_NAME
from integrations.services import connect
from orchestra.accounts.models import ApiKey, User
from tests.abuse.hostile_names import NAMES

MakeFile = Callable[..., FileRecord]
STORED = re.compile(r"(files|incoming)/[0-9a-f]{2}/[0-9a-f-]{36}|incoming/[0-9a-f-]{36}\.part")
JSON = "application/json"
REFUSED = (400, 422)
SURROGATE = re.compile("[\ud800-\udfff]")


def test_there_are_enough_of_them() -> None:
    assert len(NAMES) >= 200


def escaped(body: dict[str, Any]) -> bytes:
    """Return JSON in ASCII, which can say half a surrogate pair."""
    return json.dumps(body).encode()


@pytest.fixture
def fields(alice: User, as_alice: APIClient, make_file: MakeFile) -> dict[str, Callable[[str], Any]]:
    """Every field that names something, by where it is shown: asks for a name, and returns the answer."""
    file = make_file(alice)
    persona = as_alice.post("/api/personas", {"name": "a persona"}, format="json").json()["id"]
    connection = connect(alice, "notion", "Pages", {"token": "ntn_1"})
    webhook = as_alice.post("/api/webhooks", {"url": "https://example.org/"}, format="json").json()["id"]

    def patch(address: str, made: Callable[[str], dict[str, Any]]) -> Callable[[str], Any]:
        return lambda name: as_alice.patch(address, escaped(made(name)), content_type=JSON)

    return {
        "file name": patch(f"/api/files/{file.pk}", lambda name: {"name": name}),
        "file tag": patch(f"/api/files/{file.pk}", lambda name: {"tags": [name, "a"]}),
        "persona name": patch(f"/api/personas/{persona}", lambda name: {"name": name}),
        "persona tag": patch(f"/api/personas/{persona}", lambda name: {"tags": [name], "blocked_terms": [name]}),
        "connection name": patch(f"/api/integrations/{connection.pk}", lambda name: {"name": name}),
        "webhook": patch(f"/api/webhooks/{webhook}", lambda name: {"url": f"https://example.org/{name}"}),
        "own name": patch("/api/auth/me", lambda name: {"first_name": name, "last_name": name}),
        "preferences": patch("/api/auth/me", lambda name: {"preferences": {name[:50]: name}}),
    }


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def test_each_field_keeps_it_as_data_or_says_what_is_wrong(fields: dict[str, Callable[[str], Any]]) -> None:
    broken = []
    for field, ask in fields.items():
        taken = 0
        for name in NAMES:
            answer = ask(name)
            if answer.status_code == 200:
                taken += 1
                odd = field != "preferences" and any(map(is_odd, texts(answer.json())))
                broken += [f"{field}: {ascii(name)[:60]} is shown with control characters"] if odd else []
            elif answer.status_code not in REFUSED or not answer.json()["error"]["code"]:
                broken.append(f"{field}: {ascii(name)[:60]} answered {answer.status_code}")
        assert taken > len(NAMES) / 4, field
    assert not broken, "\n".join(broken[:20])


def is_odd(text: str) -> bool:
    """Tell whether a text has characters that control a terminal, a header or the order of what is read."""
    return any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text)


def test_no_upload_lies_where_its_name_says(as_alice: APIClient, alice: User, upload_dir: Path, tmp_path: Path) -> None:
    before = set(tmp_path.parent.rglob("*"))
    for number, name in enumerate(NAMES):
        answers = [
            as_alice.post("/api/files/upload/initiate", escaped({"name": name, "size": 3}), content_type=JSON),
            as_alice.post("/tus/", headers=tus_headers(name)),
        ]
        if number % 5 == 0 and not SURROGATE.search(name):  # which no form can say
            whole = SimpleUploadedFile("placeholder", f"Content {number}.".encode())
            whole._name = name  # type: ignore[attr-defined]  # its setter would clean it
            answers.append(as_alice.post("/api/files/upload", {"file": whole}, format="multipart"))
        for answer in answers:
            assert answer.status_code in (200, 201, *REFUSED), (ascii(name)[:60], answer.content)
        FileRecord.objects.filter(owner=alice, status="uploading").delete()
    assert FileRecord.objects.count() > 30
    for name in FileRecord.objects.values_list("name", flat=True):
        assert 0 < len(name) <= MAX_NAME
        assert not set("/\\") & set(name)
        assert name not in (".", "..")
    assert pipeline.work("a worker")
    made = {path for path in set(tmp_path.parent.rglob("*")) - before if path.is_file()}
    strange = [path for path in made if not STORED.fullmatch(str(path.relative_to(upload_dir)))]
    assert made
    assert strange == []


def tus_headers(name: str) -> dict[str, str]:
    said = base64.b64encode(name.encode("utf-8", "surrogatepass")).decode()
    return {"Tus-Resumable": "1.0.0", "Upload-Length": "3", "Upload-Metadata": f"filename {said}"}


def test_a_download_has_the_name_and_no_other_header(as_alice: APIClient, alice: User, make_file: MakeFile) -> None:
    file = make_file(alice, b"<script>alert(1)</script>", "a.html")
    for name in NAMES:
        renamed = as_alice.patch(f"/api/files/{file.pk}", escaped({"name": name}), content_type=JSON)
        if renamed.status_code != 200:
            continue
        response: Any = as_alice.get(f"/api/files/{file.pk}/download")
        response.close()
        header = response["Content-Disposition"]
        read = Message()
        read["Content-Disposition"] = header
        assert header.isascii(), header
        assert header.isprintable(), header
        assert read.get_content_disposition() == "attachment", header
        assert len(read.get_params(header="Content-Disposition") or []) == 2, header
        assert read.get_filename() == renamed.json()["name"], header
        assert response["Content-Type"] == "application/octet-stream"
        assert (response["X-Content-Type-Options"], "Set-Cookie" in response) == ("nosniff", False)


def test_the_pages_forms_take_them_as_data(alice: User, client: Client) -> None:
    client.force_login(alice)
    client.raise_request_exception = False
    for number, name in enumerate(NAMES):
        text = name.encode("utf-8", "replace").decode()  # a form's bytes are always UTF-8
        answers = [client.post("/account/keys", {"name": text})]
        if number % 6 == 0:
            answers += [client.get("/files", {"name": text, "tag": text}), client.post("/personas/new", {"name": text})]
        assert all(answer.status_code in (200, 302, 400) for answer in answers), ascii(name)[:60]
        ApiKey.objects.all().delete()
