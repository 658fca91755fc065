from __future__ import annotations

import base64
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from files.extraction.base import Source
from files.extraction.document import Piece, SegmentKind
from files.extraction.limits import Limits
from files.extraction.reading import read_pieces
from files.extraction.registry import find
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.samples import write

MAIL = "message/rfc822"


def message(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in ({"Subject": "Grüße", "From": "Ann <a@example.org>", "To": "b@example.org"} | headers).items():
        mail[name.replace("_", "-")] = value
    return mail


def simple() -> bytes:
    mail = message(Date="Mon, 2 Feb 2026 10:00:00 +0100", Message_ID="<1@example.org>")
    mail.set_content("The quick brown fox.\n\nA second paragraph.\n")
    return mail.as_bytes()


def read_mail(tmp_path: Path, content: bytes, media_type: str = MAIL) -> list[Piece]:
    """Read with a place for what is inside."""
    source = Source(write(tmp_path / "a.eml", content), "a.eml", media_type, scratch=tmp_path)
    return list(read_pieces(find(media_type), source, Limits()))


class TestMail(ExtractorContract):
    media_type = MAIL
    ending = "eml"
    sample = simple()
    says = "The quick brown fox."


def test_the_head_is_text_and_metadata(tmp_path: Path) -> None:
    pieces = read_mail(tmp_path, simple())
    assert [s.text for s in segments(pieces)][:2] == [
        "# Grüße",
        "From: Ann <a@example.org>\nTo: b@example.org\nDate: 2026-02-02T10:00:00+01:00",
    ]
    found = facts(pieces)
    assert (found["subject"], found["from"], found["to"]) == ("Grüße", "Ann <a@example.org>", ["b@example.org"])
    assert (found["sent_at"], found["message_id"]) == ("2026-02-02T10:00:00+01:00", "<1@example.org>")
    assert segments(pieces)[-1].place.headings == ("Grüße",)


def test_the_page_is_read_where_it_says_more(tmp_path: Path) -> None:
    mail = message()
    mail.set_content("The meeting is at ten.\n")
    mail.add_alternative("<p>The meeting is at ten.</p><p>Bring cake.</p><style>p {}</style>", subtype="html")
    text = text_of(read_mail(tmp_path, mail.as_bytes()))
    assert text.count("The meeting is at ten.") == 1
    assert text.endswith("Bring cake.")


def test_a_stub_does_not_hide_the_page(tmp_path: Path) -> None:
    mail = message()
    mail.set_content("Your program cannot show this.\n")
    mail.add_alternative(
        "<h2>News</h2><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "html"
    )
    found = segments(read_mail(tmp_path, mail.as_bytes()))
    assert found[-1].kind is SegmentKind.TABLE
    assert found[-1].place.headings == ("Grüße", "News")


def test_attachments_are_listed_and_read(tmp_path: Path) -> None:
    mail = message()
    mail.set_content("See below.\n")
    mail.add_attachment("Attached words.\n", filename="nötes.txt")
    mail.add_attachment(b"\x89PNG\r\n\x1a\n", "image", "png", filename="logo.png", disposition="inline", cid="<x>")
    pieces = read_mail(tmp_path, mail.as_bytes())
    attached = segments(pieces)[-1]
    assert (attached.text, attached.place.part) == ("Attached words.", ("nötes.txt",))
    listed = facts(pieces)["attachments"]
    assert isinstance(listed, list)
    assert [entry["name"] for entry in listed] == ["nötes.txt"]
    assert warnings_of(pieces) == []


def test_a_mail_inside_a_mail_is_read_at_its_place(tmp_path: Path) -> None:
    inner = message(Subject="Inner")
    inner.set_content("Forwarded words.\n")
    mail = message()
    mail.set_content("See below.\n")
    mail.add_attachment(inner)
    found = segments(read_mail(tmp_path, mail.as_bytes()))[-1]
    assert found.text == "Forwarded words."
    assert found.place.part[0].endswith(".eml")


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ('application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"', "AAAA"),
        ('multipart/encrypted; boundary="b"', "--b\nContent-Type: application/octet-stream\n\nx\n--b--\n"),
        ("text/plain", "-----BEGIN PGP MESSAGE-----\nabc\n"),
    ],
)
def test_an_encrypted_text_is_told(tmp_path: Path, kind: str, parts: str) -> None:
    pieces = read_mail(tmp_path, f"Subject: Secret\nFrom: a@b\nContent-Type: {kind}\n\n{parts}".encode())
    assert "encrypted" in warnings_of(pieces)
    assert "# Secret" in text_of(pieces)


def test_a_text_inside_its_signature_is_told(tmp_path: Path) -> None:
    content = b"From: a@b\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\n\nAAAA"
    assert warnings_of(read_mail(tmp_path, content)) == ["signed_body"]


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        (b"=?utf-8?B?R3LDvA==?= =?utf-8?Q?=C3=9Fe?=", "Grüße"),
        (b"=?utf-8?B?R3LD?=\r\n =?utf-8?B?vMOf?=", "Grüß"),  # a character split over two words
        (b"=?iso-2022-jp?B?GyRCRWw1fhsoQg==?=", "東京"),
        ("Grüße".encode(), "Grüße"),
        ("Grüße".encode("cp1252"), "Grüße"),
        (b"=?no-such-set?Q?caf=C3=A9?=", "café"),
        (b"=?rot13?Q?abc?= =?zip?B?YWJj?=", "abcabc"),
    ],
)
def test_headers_are_decoded_whatever_their_writers_did(tmp_path: Path, header: bytes, subject: str) -> None:
    pieces = read_mail(tmp_path, b"Subject: " + header + b"\r\nFrom: a@b\r\n\r\nx")
    assert facts(pieces)["subject"] == subject


@pytest.mark.parametrize(
    "disposition",
    [
        "attachment; filename*=utf-8''n%C3%B6tes.txt",
        "attachment; filename*0*=utf-8''n%C3%B6; filename*1=tes.txt",
        'attachment; filename="=?utf-8?Q?n=C3=B6tes.txt?="',
        'attachment; filename="C:\\\\docs\\\\nötes.txt"',
    ],
)
def test_names_of_attachments_are_decoded(tmp_path: Path, disposition: str) -> None:
    content = f"From: a@b\nContent-Type: text/plain\nContent-Disposition: {disposition}\n\nWords."
    assert segments(read_mail(tmp_path, content.encode()))[-1].place.part == ("nötes.txt",)


@pytest.mark.parametrize("charset", ["iso-8859-1", "no-such-set", "unicode_escape", "us-ascii", ""])
def test_a_wrong_charset_does_not_spoil_the_text(tmp_path: Path, charset: str) -> None:
    head = f"From: a@b\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n"
    assert "naïve café 東京" in text_of(read_mail(tmp_path, head.encode() + "naïve café 東京".encode()))


def test_a_saved_page_is_read_without_its_pictures(tmp_path: Path) -> None:
    mail = message(Subject="Page", Snapshot_Content_Location="http://example.org/")
    mail.set_content("<h1>Title</h1><p>Words.</p>", subtype="html")
    mail.add_related(b"GIF89a", "image", "gif", cid="<pic>")
    pieces = read_mail(tmp_path, mail.as_bytes(), "multipart/related")
    assert [s.text for s in segments(pieces)][-2:] == ["# Title", "Words."]
    assert facts(pieces)["url"] == "http://example.org/"
    assert facts(pieces)["attachment_count"] == 0


def test_apples_form_with_its_length_before_it(tmp_path: Path) -> None:
    mail = b"From: a@b\n\nWords.\n"
    assert text_of(read_mail(tmp_path, b"%d\n" % len(mail) + mail + b"<?xml?><plist>settings</plist>")).endswith(
        "Words."
    )


def nested(depth: int) -> bytes:
    head = b"From: a@b\n"
    for at in range(depth):
        head += b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (at, at)
    return head + b"\nx tail"


@pytest.mark.parametrize(
    "content",
    [
        nested(3000),
        b"Subject: " + b"=?utf-8?Q?abc?= " * 200_000 + b"\n\nx tail",
        b"From: a@b\n" + b"".join(b"X-%d: y\n" % at for at in range(100_000)) + b"\nx tail",
        b"To: " + b'(((((("' * 100_000 + b"\n\nx tail",
        b'From: a@b\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n\nx tail\n' + b"--b\n\na\n" * 50_000,
        b"From: a@b\nContent-Type: text/plain" + b"; a*0=x" * 50_000 + b"\n\nx tail",
    ],
    ids=["depth", "encoded words", "headers", "addresses", "parts", "parameters"],
)
def test_what_is_out_of_proportion_costs_little(tmp_path: Path, content: bytes) -> None:
    started = time.thread_time()
    assert "x tail" in text_of(read(write(tmp_path / "a.eml", content), MAIL))
    assert time.thread_time() - started < 20


def test_a_long_attachment_passes_in_pieces(tmp_path: Path) -> None:
    data = b"some line of text\n" * 100_000
    head = b'From: a@b\nContent-Type: text/plain; name="long.txt"\nContent-Transfer-Encoding: base64\n\n'
    pieces = read_mail(tmp_path, head + base64.encodebytes(data))
    children = facts(pieces)["children"]
    assert isinstance(children, list)
    assert children[0]["size"] == len(data)
