"""What tus 1.0.0 asks of a server, as cases: each with the sentence of the specification that it tests.

https://tus.io/protocols/resumable-upload. The cases know no product: they are run against ours
(`test_conformance.py`), and against the protocol's reference server, which tests the cases themselves
(`test_reference_server.py`).
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

CONTENT = bytes(range(256)) * 40
OFFSET_TYPE = "application/offset+octet-stream"
NAME = "Bücher über 東京 🙂.txt"


@dataclass(frozen=True)
class Answer:
    """What a server said; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class Server(Protocol):
    """A server under test."""

    endpoint: str

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Send one request and return its answer."""


@dataclass(frozen=True)
class Client:
    """Says what a client of tus says, and lets a case leave out or change any of it."""

    server: Server

    def request(self, method: str, path: str, body: bytes = b"", **headers: Any) -> Answer:
        """Send a request; None takes a header out that would be sent otherwise."""
        said = {"tus_resumable": "1.0.0"} | headers
        return self.server.send(
            method, path, {_header(name): str(value) for name, value in said.items() if value is not None}, body
        )

    def create(self, length: int = len(CONTENT), **headers: Any) -> str:
        answer = self.request("POST", self.server.endpoint, upload_length=length, **headers)
        assert answer.status == 201, answer
        return self.path_of(answer)

    def path_of(self, answer: Answer) -> str:
        return urlsplit(urljoin(f"http://server{self.server.endpoint}", answer.headers["location"])).path

    def patch(self, path: str, offset: int, body: bytes, **headers: Any) -> Answer:
        said = {"content_type": OFFSET_TYPE, "upload_offset": offset} | headers
        return self.request("PATCH", path, body, **said)

    def offset(self, path: str) -> int:
        answer = self.request("HEAD", path)
        assert answer.status in (200, 204), answer
        return int(answer.headers["upload-offset"])

    def extensions(self) -> set[str]:
        answer = self.request("OPTIONS", self.server.endpoint, tus_resumable=None)
        return {name.strip() for name in answer.headers.get("tus-extension", "").split(",")}


def _header(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("_"))


Act = Callable[[Client], None]


@dataclass(frozen=True)
class Case:
    """One sentence and what shows that a server follows it. `extension` is empty for the core protocol."""

    name: str
    extension: str
    sentence: str
    act: Act = field(repr=False)


CASES: list[Case] = []


def spec(extension: str, sentence: str) -> Callable[[Act], Act]:
    """Add a case."""

    def add(act: Act) -> Act:
        CASES.append(Case(act.__name__, extension, sentence, act))
        return act

    return add


def checksum(algorithm: str, content: bytes) -> str:
    return f"{algorithm} {b64encode(hashlib.new(algorithm, content).digest()).decode()}"


# --- Core ------------------------------------------------------------------------------------------------------------


@spec("", "The Tus-Resumable header MUST be included in every request and response except for OPTIONS requests.")
def every_answer_names_the_version(client: Client) -> None:
    path = client.create()
    answers = [
        client.request("HEAD", path),
        client.patch(path, 0, CONTENT[:10]),
        client.patch(path, 77, CONTENT[:10]),
        client.request("HEAD", client.create() + "0"),
    ]
    assert [answer.headers.get("tus-resumable") for answer in answers] == ["1.0.0"] * 3 + [
        answers[3].headers.get("tus-resumable")
    ]


@spec("", "If the version specified by the Client is not supported by the Server, it MUST respond with 412.")
def an_unknown_version_is_refused(client: Client) -> None:
    for method in ("HEAD", "PATCH"):
        answer = client.request(
            method, client.create(), tus_resumable="0.2.2", upload_offset=0, content_type=OFFSET_TYPE
        )
        assert answer.status == 412, answer


@spec("", "[With the 412] the Server MUST include the Tus-Version header in the response.")
def the_refusal_of_a_version_names_those_that_are_known(client: Client) -> None:
    answer = client.request("HEAD", client.create(), tus_resumable="0.2.2")
    assert "1.0.0" in answer.headers["tus-version"].split(",")


@spec("", "In addition, the Server MUST NOT process the request.")
def a_request_of_an_unknown_version_changes_nothing(client: Client) -> None:
    path = client.create()
    assert client.patch(path, 0, CONTENT[:100], tus_resumable="0.2.2").status == 412
    assert client.offset(path) == 0


@spec("", "The Tus-Resumable header MUST be included in every request.")
def a_request_without_a_version_is_refused(client: Client) -> None:
    assert client.request("HEAD", client.create(), tus_resumable=None).status == 412


@spec("", "A HEAD request is used to determine the offset at which the upload should be continued.")
def a_new_upload_has_the_offset_nought(client: Client) -> None:
    assert client.offset(client.create()) == 0


@spec("", "The Server MUST always include the Upload-Offset header in the response for a HEAD request, even if 0.")
def the_offset_is_told_before_and_after_bytes(client: Client) -> None:
    path = client.create()
    assert client.request("HEAD", path).headers["upload-offset"] == "0"
    assert client.patch(path, 0, CONTENT[:100]).status == 204
    assert client.request("HEAD", path).headers["upload-offset"] == "100"


@spec("", "If the size of the upload is known, the Server MUST include the Upload-Length header in the response.")
def the_length_is_told(client: Client) -> None:
    assert client.request("HEAD", client.create(1234)).headers["upload-length"] == "1234"


@spec("", "If the resource is not found, the Server SHOULD return 404, 410 or 403 without the Upload-Offset header.")
def an_unknown_upload_is_not_found(client: Client) -> None:
    path = client.create()
    unknown = path[:-4] + ("aaaa" if path[-4:] != "aaaa" else "bbbb")
    answer = client.request("HEAD", unknown)
    assert answer.status in (403, 404, 410), answer
    assert "upload-offset" not in answer.headers


@spec("", "The Server MUST prevent caching of the response by adding Cache-Control: no-store.")
def the_offset_is_never_cached(client: Client) -> None:
    assert client.request("HEAD", client.create()).headers["cache-control"] == "no-store"


@spec("", "The Server SHOULD accept PATCH requests against any upload URL and apply the bytes at the given offset.")
def bytes_are_appended(client: Client) -> None:
    path = client.create()
    answer = client.patch(path, 0, CONTENT[:1000])
    assert (answer.status, answer.headers["upload-offset"]) == (204, "1000")
    answer = client.patch(path, 1000, CONTENT[1000:])
    assert (answer.status, answer.headers["upload-offset"]) == (204, str(len(CONTENT)))
    assert client.offset(path) == len(CONTENT)


@spec(
    "",
    "PATCH requests MUST use application/offset+octet-stream, otherwise the Server SHOULD return 415.",
)
def bytes_of_another_type_are_refused(client: Client) -> None:
    path = client.create()
    for wrong in ("application/octet-stream", "text/plain", "application/json"):
        assert client.patch(path, 0, b"[1, 2, 3]", content_type=wrong).status == 415
    assert client.offset(path) == 0


@spec("", "The Upload-Offset header's value MUST be equal to the current offset of the resource.")
def bytes_for_the_current_offset_are_taken_at_any_offset(client: Client) -> None:
    path = client.create()
    for offset in range(0, 50, 10):
        assert client.patch(path, offset, CONTENT[offset : offset + 10]).status == 204


@spec("", "If the offsets do not match, the Server MUST respond with 409 without modifying the upload resource.")
def bytes_for_another_offset_conflict_and_change_nothing(client: Client) -> None:
    path = client.create()
    client.patch(path, 0, CONTENT[:100])
    for wrong in (0, 99, 101, len(CONTENT), len(CONTENT) + 1):
        assert client.patch(path, wrong, CONTENT[:10]).status == 409, wrong
    assert client.offset(path) == 100


@spec("", "The Server MUST acknowledge successful PATCH requests with 204 and the Upload-Offset header.")
def no_bytes_at_all_are_acknowledged_too(client: Client) -> None:
    path = client.create()
    answer = client.patch(path, 0, b"")
    assert (answer.status, answer.headers["upload-offset"]) == (204, "0")


@spec("", "If the Server receives a PATCH request against a non-existent resource it SHOULD return 404.")
def bytes_for_an_unknown_upload_are_not_found(client: Client) -> None:
    path = client.create()
    unknown = path[:-4] + ("aaaa" if path[-4:] != "aaaa" else "bbbb")
    assert client.patch(unknown, 0, CONTENT[:10]).status in (403, 404, 410)


@spec("", "The Upload-Offset request header MUST be a non-negative integer.")
def an_offset_that_is_no_number_is_refused(client: Client) -> None:
    path = client.create()
    for wrong in ("-1", "one", "1.5", "0x10"):
        assert 400 <= client.patch(path, 0, CONTENT[:10], upload_offset=wrong).status < 500, wrong
    assert 400 <= client.patch(path, 0, CONTENT[:10], upload_offset=None).status < 500
    assert client.offset(path) == 0


@spec("", "An OPTIONS request MAY be used to gather information: 204 or 200 with the Tus-Version header.")
def the_server_tells_what_it_can_do(client: Client) -> None:
    answer = client.request("OPTIONS", client.server.endpoint, tus_resumable=None)
    assert answer.status in (200, 204)
    assert "1.0.0" in answer.headers["tus-version"].split(",")


@spec("", "The Tus-Resumable header [in] OPTIONS: the Client SHOULD NOT include it, the Server MUST ignore it.")
def what_it_can_do_is_told_to_every_version(client: Client) -> None:
    assert client.request("OPTIONS", client.server.endpoint, tus_resumable="9.9.9").status in (200, 204)


@spec("", "If X-HTTP-Method-Override is present, the Server MUST interpret its value as the request's method.")
def the_method_may_be_replaced(client: Client) -> None:
    path = client.create()
    answer = client.request(
        "POST", path, CONTENT[:10], x_http_method_override="PATCH", content_type=OFFSET_TYPE, upload_offset=0
    )
    assert (answer.status, answer.headers.get("upload-offset")) == (204, "10")
    assert client.offset(path) == 10


@spec("", "The Upload-Length: the Server MUST NOT accept more bytes than the upload has.")
def bytes_beyond_the_length_are_refused(client: Client) -> None:
    path = client.create(10)
    answer = client.patch(path, 0, CONTENT[:11])
    assert 400 <= answer.status < 500, answer
    assert client.offset(path) <= 10


# --- Creation --------------------------------------------------------------------------------------------------------


@spec("creation", "The Server MUST acknowledge a successful upload creation with 201 and set the Location header.")
def a_creation_tells_where_the_upload_is(client: Client) -> None:
    answer = client.request("POST", client.server.endpoint, upload_length=100)
    assert answer.status == 201
    assert client.offset(client.path_of(answer)) == 0


@spec("creation", "Each upload has a URL of its own.")
def two_creations_are_two_uploads(client: Client) -> None:
    first, second = client.create(), client.create()
    assert first != second
    client.patch(first, 0, CONTENT[:10])
    assert (client.offset(first), client.offset(second)) == (10, 0)


@spec("creation", "The request MUST include Upload-Length or Upload-Defer-Length: 1.")
def a_creation_without_a_length_is_refused(client: Client) -> None:
    assert client.request("POST", client.server.endpoint).status == 400


@spec("creation", "The Upload-Length header: the value MUST be a non-negative integer.")
def a_creation_with_a_length_that_is_no_number_is_refused(client: Client) -> None:
    for wrong in ("-1", "ten", "1e3"):
        assert 400 <= client.request("POST", client.server.endpoint, upload_length=wrong).status < 500, wrong


@spec("creation", "If the length of the upload exceeds the maximum (Tus-Max-Size), the Server MUST respond with 413.")
def a_creation_of_too_much_is_refused(client: Client) -> None:
    limit = client.request("OPTIONS", client.server.endpoint).headers.get("tus-max-size")
    assert limit is not None, "a server without a limit says so by leaving this case out"
    assert client.request("POST", client.server.endpoint, upload_length=int(limit) + 1).status == 413


@spec("creation", "The Client MAY supply the Upload-Metadata header: keys and Base64 values; the HEAD repeats it.")
def what_the_client_says_is_kept(client: Client) -> None:
    said = f"filename {b64encode(NAME.encode()).decode()},filetype {b64encode(b'text/plain').decode()},is_confidential"
    repeated = client.request("HEAD", client.create(upload_metadata=said)).headers["upload-metadata"]
    assert {pair.strip() for pair in repeated.split(",")} == set(said.split(","))


@spec("creation", "The Upload-Metadata request and response header MUST consist of comma-separated key-value pairs.")
def malformed_metadata_is_refused(client: Client) -> None:
    for wrong in ("filename !!!", "a b c d"):
        answer = client.request("POST", client.server.endpoint, upload_length=10, upload_metadata=wrong)
        assert answer.status == 400, wrong


@spec("creation", "An empty file: the Client MAY create an upload of Upload-Length: 0, which is complete at once.")
def an_empty_upload_is_complete(client: Client) -> None:
    answer = client.request("HEAD", client.create(0))
    assert (answer.headers["upload-offset"], answer.headers["upload-length"]) == ("0", "0")


# --- Creation with upload --------------------------------------------------------------------------------------------


@spec("creation-with-upload", "The Client MAY include the entire upload, or parts of it, in the POST request.")
def a_creation_may_bring_the_first_bytes(client: Client) -> None:
    answer = client.request("POST", client.server.endpoint, CONTENT[:100], upload_length=200, content_type=OFFSET_TYPE)
    assert answer.status == 201
    assert client.offset(client.path_of(answer)) == 100


@spec("creation-with-upload", "The Server MUST include the Upload-Offset header in the response.")
def a_creation_with_bytes_tells_the_offset(client: Client) -> None:
    length = len(CONTENT)
    answer = client.request("POST", client.server.endpoint, CONTENT, upload_length=length, content_type=OFFSET_TYPE)
    assert answer.headers["upload-offset"] == str(length)
    assert client.offset(client.path_of(answer)) == length


@spec("creation-with-upload", "Rules of PATCH apply: no more bytes than Upload-Length.")
def a_creation_with_too_many_bytes_is_refused(client: Client) -> None:
    answer = client.request("POST", client.server.endpoint, CONTENT, upload_length=10, content_type=OFFSET_TYPE)
    assert 400 <= answer.status < 500, answer


# --- Expiration ------------------------------------------------------------------------------------------------------


@spec("expiration", "[Upload-Expires] MUST be included in every PATCH response if the upload is going to expire.")
def the_expiry_is_told_with_bytes(client: Client) -> None:
    answer = client.patch(client.create(), 0, CONTENT[:10])
    assert parsedate_to_datetime(answer.headers["upload-expires"]).tzinfo is not None


@spec("expiration", "If the expiration is known at the creation, Upload-Expires MUST be in the response to it.")
def the_expiry_is_told_at_creation(client: Client) -> None:
    answer = client.request("POST", client.server.endpoint, upload_length=10)
    assert answer.headers["upload-expires"].endswith("GMT")


# --- Checksum --------------------------------------------------------------------------------------------------------


@spec("checksum", "The Tus-Checksum-Algorithm response header MUST be a comma-separated list of algorithms.")
def the_algorithms_are_told(client: Client) -> None:
    answer = client.request("OPTIONS", client.server.endpoint)
    assert answer.headers["tus-checksum-algorithm"]


@spec("checksum", "The Server MUST support at least the SHA1 checksum algorithm identified by sha1.")
def sha1_is_among_them(client: Client) -> None:
    assert "sha1" in client.request("OPTIONS", client.server.endpoint).headers["tus-checksum-algorithm"].split(",")
    answer = client.patch(client.create(), 0, CONTENT[:99], upload_checksum=checksum("sha1", CONTENT[:99]))
    assert (answer.status, answer.headers["upload-offset"]) == (204, "99")


@spec("checksum", "Each algorithm that is announced is understood.")
def every_announced_algorithm_is_understood(client: Client) -> None:
    announced = client.request("OPTIONS", client.server.endpoint).headers["tus-checksum-algorithm"].split(",")
    path = client.create()
    for at, algorithm in enumerate(announced):
        part = CONTENT[at * 10 : at * 10 + 10]
        assert client.patch(path, at * 10, part, upload_checksum=checksum(algorithm, part)).status == 204, algorithm


@spec("checksum", "Checksums mismatch: the Server MUST respond with 460 Checksum Mismatch.")
def damaged_bytes_are_refused(client: Client) -> None:
    answer = client.patch(client.create(), 0, CONTENT[:99], upload_checksum=checksum("sha1", CONTENT[1:100]))
    assert answer.status == 460


@spec("checksum", "[On a mismatch] the Server MUST discard the chunk, and MUST NOT update the upload and its offset.")
def damaged_bytes_change_nothing(client: Client) -> None:
    path = client.create()
    client.patch(path, 0, CONTENT[:50])
    client.patch(path, 50, b"?" * 50, upload_checksum=checksum("sha1", CONTENT[50:100]))
    assert client.offset(path) == 50
    part = CONTENT[50:]
    assert client.patch(path, 50, part, upload_checksum=checksum("sha1", part)).status == 204
    assert client.offset(path) == len(CONTENT)


@spec("checksum", "The checksum algorithm is not supported by the server: 400 Bad Request.")
def an_unknown_algorithm_is_refused(client: Client) -> None:
    path = client.create()
    assert client.patch(path, 0, CONTENT[:10], upload_checksum="crc9 AAAA").status == 400
    assert client.offset(path) == 0


@spec("checksum", "The Upload-Checksum header MUST be the name of the algorithm and the Base64 encoded checksum.")
def a_malformed_checksum_is_refused(client: Client) -> None:
    path = client.create()
    for wrong in ("sha1", "sha1 ???", "sha1 AAAA", "AAAA"):
        assert client.patch(path, 0, CONTENT[:10], upload_checksum=wrong).status == 400, wrong
    assert client.offset(path) == 0


@spec("checksum", "Creation with upload and checksum: the checksum is that of the body.")
def the_first_bytes_of_a_creation_may_be_checked(client: Client) -> None:
    endpoint, part = client.server.endpoint, CONTENT[:10]
    for said, expected in ((checksum("sha1", part), 201), (checksum("sha1", b"other"), 460)):
        answer = client.request(
            "POST", endpoint, part, upload_length=20, content_type=OFFSET_TYPE, upload_checksum=said
        )
        assert answer.status == expected, said


# --- Termination -----------------------------------------------------------------------------------------------------


@spec("termination", "If the DELETE is accepted, the Server MUST respond with 204.")
def an_upload_can_be_deleted(client: Client) -> None:
    for received in (0, 100):
        path = client.create()
        client.patch(path, 0, CONTENT[:received])
        assert client.request("DELETE", path).status == 204


@spec("termination", "For all future requests to this URL, the Server SHOULD respond with 404 or 410.")
def a_deleted_upload_is_gone(client: Client) -> None:
    path = client.create()
    client.request("DELETE", path)
    for answer in (
        client.request("HEAD", path),
        client.patch(path, 0, CONTENT[:10]),
        client.request("DELETE", path),
    ):
        assert answer.status in (404, 410), answer


@spec("termination", "Termination of an upload leaves others alone.")
def other_uploads_stay(client: Client) -> None:
    first, second = client.create(), client.create()
    client.patch(second, 0, CONTENT[:10])
    client.request("DELETE", first)
    assert client.offset(second) == 10
