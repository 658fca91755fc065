"""A bucket as a source: the contract at a real S3 server, and what a hostile one may say."""

from __future__ import annotations

import gzip
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from files import selectors
from integrations import services
from integrations.errors import ConnectionInvalid
from integrations.models import ExternalIntegration
from integrations.sources.base import (
    SourceItem,
    SourceItemGone,
    SourceKeyRefused,
    SourceStrange,
    SourceUnavailable,
    SourceUnknown,
)
from integrations.sources.s3 import Place, S3Source
from orchestra.accounts.models import User
from orchestra.common.outbound import client, ledger
from orchestra.common.outbound.client import Answer, Call
from tests.contracts.source import SourceContract, counts, imported
from tests.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server

PREFIX = "reports/"


@pytest.fixture
def server(s3_server: S3Server, settings: Any) -> S3Server:
    """The server, emptied, at an address that users' connections may ask."""
    s3_server.empty()
    settings.OUTBOUND_ALLOWED_PRIVATE = (f"127.0.0.1:{s3_server.ports['s3']}",)
    return s3_server


class BucketWorld:
    """The contract's view of the bucket."""

    def __init__(self, server: S3Server) -> None:
        self._server, self._client = server, server.client()
        self._made: list[ExternalIntegration] = []

    def connect(self, owner: User, **changed: str) -> ExternalIntegration:
        values = {
            "bucket": BUCKET,
            "endpoint": self._server.url,
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "prefix": PREFIX,
        }
        self._made.append(services.connect(owner, "s3", "Our bucket", {**values, **changed}))
        return self._made[-1]

    def put(self, name: str, words: str) -> None:
        self._client.put_object(Bucket=BUCKET, Key=f"{PREFIX}{name}.txt", Body=words.encode())

    def remove(self, name: str) -> None:
        self._client.delete_object(Bucket=BUCKET, Key=f"{PREFIX}{name}.txt")

    def refuse(self) -> None:
        for made in self._made:
            services.change(made, values={"secret_key": "another"})


class TestS3(SourceContract):
    @pytest.fixture
    def world(self, server: S3Server) -> BucketWorld:
        return BucketWorld(server)


@pytest.fixture
def source(server: S3Server) -> S3Source:
    return S3Source(Place(BUCKET, ACCESS_KEY, SECRET_KEY, endpoint=server.url))


def read(item: SourceItem) -> bytes:
    with item.opens() as reading:
        return b"".join(reading.pieces)


def test_only_what_lies_below_the_prefix_is_taken(server: S3Server, alice: User) -> None:
    for key in ("reports/a.txt", "reports/deep/b.txt", "reports/folder/", "other/c.txt"):
        server.client().put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    connection = BucketWorld(server).connect(alice)
    assert counts(imported(connection)) == {"added": 2}
    origins = {file.name: file.origin for file in selectors.files_of(alice)}
    assert origins == {
        "a.txt": f"{server.url}/{BUCKET}/reports/a.txt",
        "b.txt": f"{server.url}/{BUCKET}/reports/deep/b.txt",
    }
    services.change(connection, values={"prefix": "reports/deep/"})
    assert counts(imported(connection)) == {"unchanged": 1, "deleted": 1}


@pytest.mark.parametrize("key", ["a b+c.txt", "ü/ö.txt", "it's (1) 100%.txt", "a&b=c?d#e.txt", "tab\there.txt"])
def test_keys_of_any_signs_are_read(server: S3Server, source: S3Source, key: str) -> None:
    server.client().put_object(Bucket=BUCKET, Key=key, Body=b"words")
    (item,) = source.items()
    assert (item.key, read(item), source.gone(key)) == (key, b"words", False)


def test_an_object_that_is_stored_as_packed_is_read_as_it_lies_there(server: S3Server, source: S3Source) -> None:
    packed = gzip.compress(b"words")
    server.client().put_object(Bucket=BUCKET, Key="a.txt", Body=packed, ContentEncoding="gzip")
    (item,) = source.items()
    assert read(item) == packed


def test_every_request_goes_over_the_guarded_client(server: S3Server, source: S3Source) -> None:
    server.client().put_object(Bucket=BUCKET, Key="a.txt", Body=b"words")
    with ledger.watched() as entries:
        (item,) = source.items()
        read(item)
        assert not source.gone("a.txt")
    assert [(entry.host, entry.refused) for entry in entries] == [("127.0.0.1", False)] * 3


def test_a_private_address_is_not_asked(server: S3Server) -> None:
    elsewhere = server.url.replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(SourceUnknown):
        list(S3Source(Place(BUCKET, ACCESS_KEY, SECRET_KEY, endpoint=elsewhere)).items())


def test_what_is_gone_and_what_is_not_there_at_all(server: S3Server, source: S3Source) -> None:
    assert source.gone("never.txt")
    elsewhere = S3Source(Place("no-such-bucket", ACCESS_KEY, SECRET_KEY, endpoint=server.url))
    for ask in (lambda: list(elsewhere.items()), lambda: elsewhere.gone("a.txt")):
        with pytest.raises(SourceUnknown):
            ask()
    with pytest.raises(SourceKeyRefused):
        list(S3Source(Place(BUCKET, ACCESS_KEY, "wrong", endpoint=server.url)).items())


def test_an_object_that_goes_between_list_and_reading(server: S3Server, source: S3Source) -> None:
    server.client().put_object(Bucket=BUCKET, Key="a.txt", Body=b"words")
    (item,) = source.items()
    server.empty()
    with pytest.raises(SourceItemGone):
        read(item)


def test_long_listings_go_on(server: S3Server, source: S3Source, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        server.client().put_object(Bucket=BUCKET, Key=f"{number}.txt", Body=b"words")
    real = source._client.list_objects_v2
    monkeypatch.setattr(source._client, "list_objects_v2", lambda **asked: real(**asked, MaxKeys=2))
    assert [item.key for item in source.items()] == [f"{number}.txt" for number in range(5)]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What a server says instead of a listing, the last one again and again."""
    said: list[bytes] = []

    def fetch(call: Call) -> Answer:
        return Answer(200, {"content-type": "application/xml"}, said.pop(0) if len(said) > 1 else said[0])

    monkeypatch.setattr(client, "fetch", fetch)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    return said


def listing(*entries: str, more: str = "") -> bytes:
    following = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{more}</NextContinuationToken>" if more else ""
    return f"<ListBucketResult>{''.join(entries)}{following}</ListBucketResult>".encode()


def entry(key: str, size: str = "1") -> str:
    modified = "<LastModified>2020-01-01T00:00:00.000Z</LastModified>"
    return f"<Contents><Key>{key}</Key>{modified}<ETag>&quot;e&quot;</ETag><Size>{size}</Size></Contents>"


HOSTILE = Place("bucket", "key", "secret", prefix="reports/", endpoint="http://hostile.example.org")


def test_a_listing_without_an_end_is_left(answers: list[bytes]) -> None:
    answers.append(listing(more="again"))
    with pytest.raises(SourceStrange, match="does not end"):
        list(S3Source(HOSTILE).items())


@pytest.mark.parametrize("body", [b"", b"<html>", b"not XML", b"<ListBucketResult><Contents></ListBucketResult>"])
def test_what_is_no_listing_brings_nothing(answers: list[bytes], body: bytes) -> None:
    answers.append(body)
    with suppress(SourceUnavailable):
        assert list(S3Source(HOSTILE).items()) == []


def test_keys_outside_of_the_prefix_and_too_long_ones_are_left_out(answers: list[bytes]) -> None:
    answers.append(listing(entry("reports/a"), entry("elsewhere/b"), entry("reports/" + "x" * 2000), entry("")))
    assert [item.key for item in S3Source(HOSTILE).items()] == ["reports/a"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", "file:///etc/passwd"),
        ("endpoint", "HTTPS://s3.example.org"),
        ("endpoint", "http://u:p@example.org"),
        ("endpoint", "http://example.org/?a=b"),
        ("bucket", "../etc"),
        ("bucket", "UPPER"),
        ("bucket", ""),
        ("region", "us east"),
        ("access_key", ""),
    ],
)
def test_fields_are_checked(alice: User, field: str, value: str) -> None:
    good = {"bucket": "bucket", "access_key": "a", "secret_key": "b"}
    with pytest.raises(ConnectionInvalid) as caught:
        services.connect(alice, "s3", "Mine", {**good, field: value})
    assert set(caught.value.details) == {field}


def test_who_leads_it_to_another_server_does_not_take_the_keys_along(alice: User) -> None:
    values = {"bucket": "bucket", "access_key": "a", "secret_key": "b", "endpoint": "https://s3.example.org"}
    made = services.connect(alice, "s3", "Mine", values)
    with pytest.raises(ConnectionInvalid) as caught:
        services.change(made, values={"endpoint": "https://elsewhere.example.org"})
    assert set(caught.value.details) == {"access_key", "secret_key"}


def test_no_credential_is_in_a_representation() -> None:
    assert "secret" not in repr(Place("bucket", "key-secret", "secret"))
