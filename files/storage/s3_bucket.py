"""One bucket of an S3-compatible server: the requests that the storage makes, by django-storages and boto3.

Every call raises our errors. boto3 repeats what failed for the moment, with growing pauses, before that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from files.errors import BytesMissing, UploadBytesLost
from files.storage.s3_errors import BucketMissing, StorageUnavailable, code_of, errors_named

PIECE = 1024 * 1024
_CONNECT_SECONDS = 5
_READ_SECONDS = 60
_TRIES = 4
_RESUMES = 3  # of one reading whose connection breaks


@dataclass(frozen=True, slots=True)
class BucketOptions:
    """Where the bucket is and how it is spoken to. Without keys, boto3's own chain finds credentials."""

    bucket: str
    endpoint_url: str = ""
    region: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    prefix: str = ""
    path_style: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """An object, or a multipart upload under way (`multipart_id`), as a listing shows it. `key` is without prefix."""

    key: str
    written: datetime
    size: int = 0
    multipart_id: str = ""


class Bucket:
    """Objects and multipart uploads below the prefix of one bucket."""

    def __init__(self, options: BucketOptions) -> None:
        self._options = options
        self._lock = threading.Lock()

    @cached_property
    def _storage(self) -> Any:
        from botocore.config import Config
        from storages.backends.s3 import S3Storage

        chosen = self._options
        config = Config(
            region_name=chosen.region or None,
            signature_version="s3v4",
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _TRIES},
            max_pool_connections=32,
            # The server compares the SHA-256 of what arrives with the one that we signed.
            s3={"addressing_style": "path" if chosen.path_style else "virtual", "payload_signing_enabled": True},
            # Newer checksums in trailers are not understood by every server.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return S3Storage(
            bucket_name=chosen.bucket,
            endpoint_url=chosen.endpoint_url or None,
            region_name=chosen.region or None,
            access_key=chosen.access_key or None,
            secret_key=chosen.secret_key or None,
            location=chosen.prefix,
            client_config=config,
            file_overwrite=True,
        )

    @cached_property
    def _made_client(self) -> Any:
        return self._storage.connection.meta.client

    @property
    def _client(self) -> Any:
        # One for all threads, which boto3 allows for clients: building one takes a tenth of a second.
        with self._lock, errors_named():
            return self._made_client

    def _at(self, key: str) -> dict[str, str]:
        prefix = self._options.prefix
        return {"Bucket": self._options.bucket, "Key": f"{prefix}/{key}" if prefix else key}

    def require(self) -> None:
        """Raise BucketMissing where there is no such bucket. Asked by a listing: answers to HEAD give no reason."""
        try:
            with errors_named():
                self._client.list_objects_v2(Bucket=self._options.bucket, MaxKeys=1)
        except BytesMissing as exc:
            raise BucketMissing from exc

    def put(self, key: str, body: BinaryIO | bytes) -> None:
        """Store an object of some megabytes at most, in one request."""
        with errors_named():
            self._client.put_object(**self._at(key), Body=body)

    def save(self, key: str, source: Path) -> None:
        """Store a file of any size, whole or not at all."""
        from django.core.files.base import File

        with errors_named(), source.open("rb") as stream:
            self._storage.save(key, File(stream))

    def size_of(self, key: str) -> int | None:
        """Return an object's size, None where there is none."""
        try:
            with errors_named():
                return int(self._client.head_object(**self._at(key))["ContentLength"])
        except BytesMissing:
            return None

    def delete(self, key: str) -> None:
        """Delete an object, if it is there."""
        with errors_named():
            self._client.delete_object(**self._at(key))

    def read(self, key: str, start: int = 0, count: int | None = None) -> Iterator[bytes]:
        """Yield an object's bytes in pieces of at most a mebibyte; a connection that breaks is taken up again.

        `count` of None: up to the end. Raises BytesMissing.
        """
        size = self.size_of(key) if count is None else start + count
        if size is None:
            raise BytesMissing
        position, broken = start, 0
        while position < size:
            try:
                for piece in self._stream(key, position, size - 1):
                    position += len(piece)
                    yield piece
            except StorageUnavailable:
                broken += 1
                if broken > _RESUMES:
                    raise
            else:
                if position < size:
                    raise BytesMissing

    def _stream(self, key: str, first: int, last: int) -> Iterator[bytes]:
        with errors_named():
            body = self._client.get_object(**self._at(key), Range=f"bytes={first}-{last}")["Body"]
            try:
                yield from body.iter_chunks(PIECE)
            finally:
                body.close()

    def begin(self, key: str) -> str:
        """Begin a multipart upload and return its id."""
        with errors_named():
            return str(self._client.create_multipart_upload(**self._at(key))["UploadId"])

    def put_part(self, key: str, multipart_id: str, number: int, body: BinaryIO) -> str:
        """Store one part and return its tag. Raises UploadBytesLost where the multipart upload is gone."""
        body.seek(0)  # boto3 sends from where it stands, and an earlier try may have moved it
        with errors_named(), _loss_named():
            answer = self._client.upload_part(**self._at(key), UploadId=multipart_id, PartNumber=number, Body=body)
            return str(answer["ETag"])

    def complete(self, key: str, multipart_id: str, tags: dict[int, str]) -> None:
        """Put the parts together. Raises UploadBytesLost where it, or a part with that tag, is gone."""
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in sorted(tags.items())]
        with errors_named(), _loss_named():
            self._client.complete_multipart_upload(
                **self._at(key), UploadId=multipart_id, MultipartUpload={"Parts": parts}
            )

    def abort(self, key: str, multipart_id: str) -> None:
        """Delete a multipart upload with its parts, if it is there."""
        try:
            with errors_named(), _loss_named():
                self._client.abort_multipart_upload(**self._at(key), UploadId=multipart_id)
        except (UploadBytesLost, BytesMissing):
            return

    def objects(self, under: str) -> Iterator[Listed]:
        """Yield the objects whose key begins with `under`."""
        for page in self._pages("list_objects_v2", under):
            for entry in page.get("Contents", ()):
                yield Listed(self._bare(entry["Key"]), entry["LastModified"], int(entry["Size"]))

    def multiparts(self, under: str) -> Iterator[Listed]:
        """Yield the multipart uploads under way whose key begins with `under`."""
        for page in self._pages("list_multipart_uploads", under):
            for entry in page.get("Uploads", ()):
                yield Listed(self._bare(entry["Key"]), entry["Initiated"], multipart_id=entry["UploadId"])

    def _pages(self, operation: str, under: str) -> Iterator[Any]:
        place = self._at(under)
        with errors_named():
            pages = self._client.get_paginator(operation).paginate(Bucket=place["Bucket"], Prefix=place["Key"])
            yield from pages

    def _bare(self, key: str) -> str:
        prefix = self._options.prefix
        return key.removeprefix(f"{prefix}/") if prefix else key

    def __str__(self) -> str:
        return f"bucket {self._options.bucket} at {self._options.endpoint_url or 'Amazon S3'}"


class _loss_named:  # noqa: N801  # a context manager, used like a function
    """Tells apart that what was acknowledged is gone from everything else that a server may say."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and code_of(error) in ("NoSuchUpload", "InvalidPart", "InvalidPartOrder"):
            raise UploadBytesLost from error
