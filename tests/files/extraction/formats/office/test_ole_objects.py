from __future__ import annotations

import pytest

from files.extraction.formats.office.ole_objects import unwrap
from tests.files.extraction.ole_samples import native, ole


def test_a_native_stream_gives_the_file_under_its_own_name() -> None:
    wrapped = ole({"\x01Ole10Native": native("C:\\a\\tides.txt", b"High")})
    assert unwrap(wrapped, "oleObject1.bin") == ("tides.txt", b"High")


@pytest.mark.parametrize("stream", ["Package", "CONTENTS", "EmbeddedOdf"])
def test_a_document_in_a_stream_is_taken_out(stream: str) -> None:
    name, data = unwrap(ole({stream: b"PK\x03\x04 and the rest"}), "oleObject1.bin")
    assert name == "oleObject1"
    assert data.startswith(b"PK\x03\x04")


def test_a_document_of_an_older_program_stays_in_its_container() -> None:
    whole = ole({"WordDocument": b"x"})
    assert unwrap(whole, "oleObject1.bin") == ("oleObject1.doc", whole)


@pytest.mark.parametrize("cut", [8, 100, 600, 1100, 1600])
def test_a_damaged_container_is_handed_over_as_it_is(cut: int) -> None:
    damaged = ole({"\x01Ole10Native": native("a.txt", b"High")})[:cut]
    assert unwrap(damaged, "o.bin")[1] in (damaged, b"High")


def test_what_is_no_container_is_handed_over_as_it_is() -> None:
    assert unwrap(b"plain", "a.txt") == ("a.txt", b"plain")
