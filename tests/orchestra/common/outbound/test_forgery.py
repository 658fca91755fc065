"""Requests that a user's address should make us send to where they must not go (SSRF)."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from orchestra.common.outbound.client import Call, fetch
from orchestra.common.outbound.errors import OutboundFailed, OutboundRefused
from tests.orchestra.common.outbound.answering import Server, answering, send

INSIDE = "169.254.169.254"

# (address, what the name in it leads to). An address of ours inside, spelled as filters overlook it.
VECTORS: list[tuple[str, list[str]]] = [
    (f"http://{host}/", [])
    for host in (
        *("127.0.0.1", "127.0.0.1:8000", "127.1", "127.0.1", "127.255.255.254", "2130706433", "017700000001"),
        *("0177.0.0.1", "0x7f000001", "0x7f.0.0.1", "0x7F.1", "0", "0.0.0.0", "0.0.0.0:8000", "localhost"),
        *("LOCALHOST", "localhost.", "localhost:6379", "10.0.0.1", "10.1", "0xa.1", "167772161", "172.16.0.1"),
        *("172.31.255.255", "192.168.1.1", "3232235777", "100.64.0.1", INSIDE, "2852039166", "0xa9fea9fe"),
        *("0251.0376.0251.0376", "169.254.169.254.", "169.16689662", "100.100.100.200", "192.0.0.192"),
        *("168.63.129.16", "198.18.0.1", "203.0.113.7", "224.0.0.1", "239.255.255.250:1900", "255.255.255.255"),
        *("240.0.0.1", "[::]", "[::1]", "[::1]:8000", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]"),
        *("[::ffff:7f00:1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]"),
        *("[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001::1]", "[fd00:ec2::254]"),
        *("[fc00::1]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[100::1]"),
        *("①②⑦.⓪.⓪.①", "127。0。0。1", "ⓛocalhost"),
        *("user@127.0.0.1", "example.org@127.0.0.1", "example.org:80@127.0.0.1", "u:p@example.org", ":@127.0.0.1"),
        *("127.0.0.1#.example.org", "127.0.0.1?.example.org", "127.0.0.1/.example.org"),
        *("example.org\\@127.0.0.1", "127.0.0.1\\.example.org", "127.0.0.1%00.example.org", "127.0.0.1%2f"),
        *("127.0.0.1 .example.org", "exa\tmple.org", "127.0.0.1\n", "", ":80", "example.org:0"),
    )
] + [
    ("http://rebound.example.org/", ["127.0.0.1"]),
    ("http://metadata.example.org/", [INSIDE]),
    ("http://mapped.example.org/", ["::ffff:10.0.0.1"]),
    ("http://translated.example.org/", ["64:ff9b::a00:1"]),
    ("http://local.example.org/", ["fe80::1%eth0"]),
    ("http://both.example.org/", ["93.184.216.34", "10.0.0.1"]),
    ("http://many.example.org/", ["93.184.216.34"] * 7 + ["127.0.0.1"]),
    ("http://none.example.org/", []),
    ("http://example.org:22/", ["93.184.216.34"]),
    ("http://example.org:25/", ["93.184.216.34"]),
    ("https://example.org:993/", ["93.184.216.34"]),
    ("http://example.org:99999/", ["93.184.216.34"]),
    *(
        (url, [])
        for url in (
            *(
                "file:///etc/passwd",
                "ftp://example.org/",
                "gopher://127.0.0.1:6379/_FLUSHALL",
                "dict://127.0.0.1:11211",
            ),
            *("unix:///run/docker.sock", "http+unix://%2Frun%2Fdocker.sock/", "ldap://127.0.0.1", "data:,x", "//x/"),
            *(
                "jar:http://127.0.0.1!/",
                "javascript:alert(1)",
                "example.org",
                "http:127.0.0.1",
                "http:///etc",
                "http://[",
            ),
            *("ws://127.0.0.1/", "HTTP://127.0.0.1/", "http://", "", " http://127.0.0.1/", "http://127.0.0.1/\r\nX: y"),
        )
    ),
]


def names(table: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make names lead where the table says; what looks like a number is resolved as ever."""
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host in table:
            if not table[host]:
                raise socket.gaierror("no such name")
            kinds = [socket.AF_INET6 if ":" in found else socket.AF_INET for found in table[host]]
            return [
                (kind, socket.SOCK_STREAM, 6, "", (found, port)) for kind, found in zip(kinds, table[host], strict=True)
            ]
        if any(sign.isalpha() for sign in host) and host != "localhost" and ":" not in host and "x" not in host.lower():
            raise socket.gaierror("no such name")  # no test asks a resolver
        return real(host, port, *args, **more)

    monkeypatch.setattr("socket.getaddrinfo", look_up)


def test_there_are_enough_of_them() -> None:
    assert len(VECTORS) >= 60
    assert len({url for url, _ in VECTORS}) == len(VECTORS)


@pytest.mark.parametrize(("url", "leads_to"), VECTORS, ids=lambda part: ascii(part)[:50])
def test_no_connection_is_made(url: str, leads_to: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr("socket.socket.connect", lambda _, address: made.append(address))
    host = url.partition("://")[2].strip("/").partition(":")[0]
    names({host: leads_to} if leads_to or host == "none.example.org" else {}, monkeypatch)
    with pytest.raises((OutboundRefused, OutboundFailed)):
        fetch(Call(url, "a test", seconds=2))
    assert made == []


@pytest.fixture
def inside() -> Iterator[Server]:
    with answering(lambda handler: send(handler, b"secret")) as running:
        yield running


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(
    inside: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])
    lookups: list[str] = []
    made: list[Any] = []

    def look_up(host: str, port: int, *_: object, **__: object) -> Any:
        lookups.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(_: socket.socket, address: Any) -> None:
        made.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    monkeypatch.setattr("socket.socket.connect", connect)
    with pytest.raises(OutboundFailed):
        fetch(Call(inside.url("rebinding.example.org"), "a test", seconds=2))
    assert lookups == ["rebinding.example.org"]
    assert made == [("93.184.216.34", inside.port)]


def test_the_host_stays_in_the_request(inside: Server, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    names({"models.example.org": ["127.0.0.1"]}, monkeypatch)
    settings.OUTBOUND_ALLOWED_PRIVATE = ("models.example.org",)
    assert fetch(Call(inside.url("models.example.org"), "a test", seconds=2)).body == b"secret"
    assert inside.asked[0][2]["host"] == f"models.example.org:{inside.port}"


def test_tls_is_for_the_name_and_its_certificate_is_checked(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any
) -> None:
    certificate = self_signed(tmp_path, "models.example.org")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    named: list[str | None] = []
    context.sni_callback = lambda _, name, __: named.append(name)
    names({"models.example.org": ["127.0.0.1"]}, monkeypatch)
    settings.OUTBOUND_ALLOWED_PRIVATE = ("models.example.org",)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_greet, args=(listening, context))
        thread.start()
        with pytest.raises(OutboundFailed) as caught:
            fetch(Call(f"https://models.example.org:{listening.getsockname()[1]}/", "a test", seconds=5))
        thread.join()
    assert named == ["models.example.org"]
    assert "ertificate" in repr(caught.value.__cause__) or "SSL" in repr(caught.value.__cause__)


def _greet(listening: socket.socket, context: ssl.SSLContext) -> None:
    taken, _ = listening.accept()
    try:
        context.wrap_socket(taken, server_side=True).close()
    except OSError:
        taken.close()


def self_signed(folder: Any, name: str) -> str:
    """Write a certificate that nobody vouches for, with its key, and return the path."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return str(path)
