from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.errors import MalformedFile
from tests.files.extraction.contract import ExtractorContract, facts, read, segments
from tests.files.extraction.samples import write

VCF = "text/vcard"
SAMPLE = """BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;Dr.;
TEL;WORK;VOICE:+49 1
NOTE;ENCODING=QUOTED-PRINTABLE:line one=0D=0A=
line two
PHOTO;ENCODING=BASE64;JPEG:AAAA
 BBBB

END:VCARD
BEGIN:VCARD
VERSION:4.0
FN:Ann Example
N:Example;Ann;;;
ORG:Firm\\, Inc.;Sales
item1.EMAIL;TYPE="work,home":a@example.org
ADR:;;1 Street;Town;;12345;Land
END:VCARD
"""


class TestContacts(ExtractorContract):
    media_type = VCF
    ending = "vcf"
    sample = SAMPLE.encode()
    says = "Dr. Jörg Müller"


def test_each_contact_is_a_passage(tmp_path: Path) -> None:
    pieces = read(write(tmp_path / "a.vcf", SAMPLE), VCF)
    assert [s.text for s in segments(pieces)] == [
        "## Dr. Jörg Müller\n\nPhone (work): +49 1\nNote: line one\nline two",
        "## Ann Example\n\nOrganisation: Firm, Inc., Sales\nE-mail (work, home): a@example.org\n"
        "Address: 1 Street, Town, 12345, Land",
    ]
    assert facts(pieces)["contact_count"] == 2


def test_pictures_of_any_length_are_dropped(tmp_path: Path) -> None:
    photo = "PHOTO;ENCODING=b:" + "QUJD" * 500_000
    found = segments(read(write(tmp_path / "a.vcf", f"BEGIN:VCARD\nFN:A\n{photo}\nTEL:1\nEND:VCARD\n"), VCF))
    assert [s.text for s in found] == ["## A\n\nPhone: 1"]


def test_what_holds_no_contact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile):
        read(write(tmp_path / "a.vcf", "FN:x\n"), VCF)
