"""S3: the objects below a prefix of a bucket, on Amazon or any server that speaks the protocol.

boto3's library signs requests and reads answers, and sends nothing: each request goes over the guarded client, which
checks the address as it was resolved and connects to what it checked. Objects are read by a signed address over the
same client. Only a connection's own keys are used, never credentials of this machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any
from urllib.parse import quote

from integrations.base import Field, Kind, Provider
from integrations.sources.base import (
    EVERY_MINUTES,
    SILENCE,
    Reading,
    Source,
    SourceItem,
    SourceItemGone,
    SourceKeyRefused,
    SourceStrange,
    SourceUnavailable,
    SourceUnknown,
)
from orchestra.common.outbound import client
from orchestra.common.outbound.client import Call
from orchestra.common.outbound.errors import OutboundFailed, OutboundRefused

_SECONDS = 30.0
_MOST_BYTES = 16 * 1024**2
_OBJECT_SECONDS = 1_800.0
_TRIES = 4
_MOST_OBJECTS = 200_000
_MOST_LISTS = _MOST_OBJECTS // 1_000 * 4
_LONGEST_KEY = 1_024
_SIGNED_SECONDS = 300
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_REFUSED = (
    *("AccessDenied", "AllAccessDisabled", "AuthorizationHeaderMalformed", "ExpiredToken", "InvalidAccessKeyId"),
    *("InvalidToken", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "401", "403"),
)
_UNKNOWN = ("NoSuchBucket", "PermanentRedirect", "InvalidBucketName")
_ELSEWHERE = (301, 307, 400)  # what Amazon answers to an address that was signed for another region
_GONE = ("NoSuchKey", "NotFound", "404")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the objects are, and with what they are read. `endpoint` empty: Amazon."""

    bucket: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"


class S3Source(Source):
    """The objects below a prefix."""

    name = "s3"

    def __init__(self, place: Place) -> None:
        """Set up without connecting."""
        self._place = place

    def items(self) -> Iterator[SourceItem]:
        """Yield the objects in the order of their keys; what is a folder's mark alone is left out."""
        count = 0
        for page in self._lists():
            for entry in page.get("Contents", ()):
                count += 1
                if count > _MOST_OBJECTS:
                    raise SourceStrange("The prefix has more objects than are taken.")
                item = self._item(entry)
                if item is not None:
                    yield item

    def gone(self, key: str) -> bool:
        """Ask for the object itself. One that the connection's prefix does not cover any more is gone from it."""
        if not key.startswith(self._place.prefix):
            return True
        try:
            self._asked("head_object", Key=key)
        except SourceItemGone:
            self._listed(MaxKeys=1)  # an answer to HEAD does not say whether the bucket is missing
            return True
        return False

    def _lists(self) -> Iterator[dict[str, Any]]:
        """Yield the listing's pages. Raises SourceStrange where it comes back to where it was, or does not end."""
        known = {""}
        following = ""
        while len(known) < _MOST_LISTS:
            start = {"ContinuationToken": following} if following else {}
            page = self._listed(Prefix=self._place.prefix, **start)
            yield page
            following = page.get("NextContinuationToken", "")
            if not page.get("IsTruncated") or not following:
                return
            if following in known:
                break
            known.add(following)
        raise SourceStrange("The service's list does not end.")

    def _listed(self, **asked: Any) -> dict[str, Any]:
        try:
            return self._asked("list_objects_v2", **asked)
        except SourceItemGone as exc:
            raise SourceUnknown from exc

    def _asked(self, operation: str, **asked: Any) -> dict[str, Any]:
        """Return the answer to one of boto3's calls. Raises SourceItemGone, SourceUnavailable or what is below it."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            with _outbound_named():
                answer: dict[str, Any] = getattr(self._client, operation)(Bucket=self._place.bucket, **asked)
        except ClientError as exc:
            raise _named(exc) from exc
        except (BotoCoreError, ResponseParserError, ValueError, LookupError, TypeError, AttributeError) as exc:
            raise SourceStrange from exc  # its parser trusts the answer's shape
        return answer

    def _item(self, entry: dict[str, Any]) -> SourceItem | None:
        key, version, size = entry.get("Key", ""), str(entry.get("ETag", "")).strip('"'), int(entry.get("Size", 0))
        if not key.startswith(self._place.prefix) or not key or len(key.encode()) > _LONGEST_KEY or key.endswith("/"):
            return None
        name = key.rpartition("/")[2]
        return SourceItem(key, name, version[:200], self._origin(key), partial(self._opened, key, size), size)

    def _origin(self, key: str) -> str:
        place = self._place
        base = f"{place.endpoint.rstrip('/')}/{place.bucket}" if place.endpoint else _amazon(place)
        return f"{base}/{quote(key)}"

    @contextmanager
    def _opened(self, key: str, size: int) -> Iterator[Reading]:
        # An object that was stored as packed comes as it lies there: it is read like every packed file.
        asked = {"Bucket": self._place.bucket, "Key": key, "ResponseContentEncoding": "identity"}
        url = self._client.generate_presigned_url("get_object", Params=asked, ExpiresIn=_SIGNED_SECONDS)
        call = Call(url, "object of a bucket", seconds=_OBJECT_SECONDS, most_bytes=size, silence=SILENCE)
        with _outbound_named(), client.stream(call) as answer:
            if answer.status == 404:
                raise SourceItemGone
            if answer.status in _ELSEWHERE:
                raise SourceUnknown("The bucket lies in another region.", hint="Correct the connection's region.")
            if answer.status != 200:
                raise SourceKeyRefused if answer.status in (401, 403) else SourceUnavailable
            yield Reading(answer.pieces())

    @cached_property
    def _client(self) -> Any:
        """Return boto3's client, whose requests `_send` takes out of its hands."""
        import boto3
        from botocore.config import Config

        place = self._place
        config = Config(
            signature_version="s3v4",
            retries={"mode": "standard", "total_max_attempts": _TRIES},
            s3={"addressing_style": "path" if place.endpoint else "auto"},
            ignore_configured_endpoint_urls=True,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        made = boto3.session.Session(
            aws_access_key_id=place.access_key, aws_secret_access_key=place.secret_key, region_name=place.region
        ).client("s3", endpoint_url=place.endpoint or None, config=config)
        made.meta.events.register("before-send.s3", self._send)
        return made

    def _send(self, request: Any, **_: object) -> Any:
        """Send one of botocore's signed requests over the guarded client, and return the answer in botocore's form."""
        from botocore.awsrequest import AWSResponse

        headers = {
            name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        seconds = min(_SECONDS, self.patience.left())
        call = Call(request.url, "list of a bucket", request.method, headers, seconds=seconds, most_bytes=_MOST_BYTES)
        answer = client.fetch(call)
        return AWSResponse(request.url, answer.status, dict(answer.headers), _Body(answer.body))


class _Body:
    """A body that was read already, as botocore takes one."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        """Yield it."""
        yield self._content


@contextmanager
def _outbound_named() -> Iterator[None]:
    """Turn what the guarded client raises into a source's errors."""
    try:
        yield
    except OutboundRefused as exc:
        raise SourceUnknown(exc.message, hint=exc.hint) from exc
    except OutboundFailed as exc:
        raise SourceUnavailable(exc.message, hint=exc.hint) from exc


def _named(error: Any) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _GONE:
        return SourceItemGone()
    if code in _REFUSED:
        return SourceKeyRefused()
    return SourceUnknown() if code in _UNKNOWN else SourceUnavailable()


def _amazon(place: Place) -> str:
    return f"https://{place.bucket}.s3.{place.region}.amazonaws.com"


def _check_endpoint(value: str) -> None:
    if not value.startswith(("https://", "http://")):  # as it stands: it becomes the beginning of each origin
        raise ValueError("Write it as https://host, without a name or password.")
    try:
        client.host_of(value)
    except OutboundRefused as exc:
        raise ValueError("Write it as https://host, without a name or password.") from exc
    if "?" in value or "#" in value:
        raise ValueError("Write it without ? and #.")


def _check_bucket(value: str) -> None:
    if not _BUCKET.fullmatch(value):
        raise ValueError("Write the bucket's name: small letters, digits, dots and dashes.")


def _check_region(value: str) -> None:
    if not _REGION.fullmatch(value):
        raise ValueError("Write it like us-east-1.")


PROVIDER = Provider(
    "s3",
    "S3 bucket",
    Kind.SOURCE,
    (
        Field("bucket", "Bucket", required=True, check=_check_bucket),
        Field("prefix", "Prefix", help="Only objects whose key begins so, such as reports/. Empty: all of them."),
        Field(
            "endpoint",
            "Endpoint",
            leads=True,
            check=_check_endpoint,
            help="Of a server other than Amazon's. An address that is not public must be in OUTBOUND_ALLOWED_PRIVATE.",
        ),
        Field("region", "Region", default="us-east-1", check=_check_region),
        Field("access_key", "Access key", secret=True, required=True, help="It needs to list and to read, no more."),
        Field("secret_key", "Secret key", secret=True, required=True, help="Stored encrypted and never shown again."),
        EVERY_MINUTES,
    ),
    lambda values: S3Source(
        Place(
            values["bucket"],
            values["access_key"],
            values["secret_key"],
            values["prefix"],
            values["endpoint"],
            values["region"],
        )
    ),
    brings="The objects of a bucket as files: new ones come, changed ones are exchanged, deleted ones go.",
    personal=True,
)
