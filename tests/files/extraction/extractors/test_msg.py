from __future__ import annotations

import struct
from pathlib import Path

import pytest

from files.extraction.base import Source
from files.extraction.errors import MalformedFile, UnsafeArchive
from files.extraction.formats.office.rtf_compressed import decompressed_rtf
from files.extraction.limits import Limits
from files.extraction.reading import read_pieces
from files.extraction.registry import find
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of
from tests.files.extraction.old_office_samples import ole
from tests.files.extraction.samples import write

MSG = "application/vnd.ms-outlook"


def properties(header: int, **numbers: int) -> bytes:
    rows = [struct.pack("<HHIQ", 3, int(key[1:], 16), 6, value) for key, value in numbers.items()]
    return bytes(header) + b"".join(rows)


def texts(path: str, **values: str) -> dict[str, bytes]:
    return {f"{path}__substg1.0_{key[1:]}001F": value.encode("utf-16-le") for key, value in values.items()}


def message(**values: str) -> dict[str, bytes]:
    known = {"p0037": "Grüße", "p0C1A": "Ann", "p5D01": "a@example.org"} | values
    return {"__properties_version1.0": properties(32)} | texts("", **known)


PLAIN = message(p1000="The quick brown fox.\r\n")


class TestMsg(ExtractorContract):
    media_type = MSG
    ending = "msg"
    sample = ole(PLAIN)
    says = "The quick brown fox."


def test_the_head_is_text_and_metadata(tmp_path: Path) -> None:
    receiver = "__recip_version1.0_#00000000/"
    streams = PLAIN | {receiver + "__properties_version1.0": properties(8, p0C15=2)}
    streams |= texts(receiver, p3001="Bob", p39FE="b@example.org")
    pieces = read(write(tmp_path / "a.msg", ole(streams)), MSG)
    assert [s.text for s in segments(pieces)][:2] == ["# Grüße", "From: Ann <a@example.org>\nCc: Bob <b@example.org>"]
    assert facts(pieces)["from"] == "Ann <a@example.org>"


def test_html_is_read_where_there_is_no_plain_text(tmp_path: Path) -> None:
    streams = message() | {"__substg1.0_10130102": "<p>Über <b>uns</b></p>".encode()}
    assert text_of(read(write(tmp_path / "a.msg", ole(streams)), MSG)).endswith("Über uns")


@pytest.mark.parametrize(
    "rtf", [rb"{\rtf1 Rich words.\par}", rb"{\rtf1\fromhtml1{\*\htmltag <p>}Rich words.{\*\htmltag </p>}}"]
)
def test_rich_text_is_read_where_there_is_nothing_else(tmp_path: Path, rtf: bytes) -> None:
    packed = struct.pack("<IIII", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf
    streams = message() | {"__substg1.0_10090102": packed}
    assert text_of(read(write(tmp_path / "a.msg", ole(streams)), MSG)).endswith("Rich words.")


def test_narrow_texts_are_read_in_the_code_page_of_the_message(tmp_path: Path) -> None:
    streams = {
        "__properties_version1.0": properties(32, p3FFD=1251),
        "__substg1.0_1000001E": "Привет, мир".encode("cp1251"),
    }
    assert text_of(read(write(tmp_path / "a.msg", ole(streams)), MSG)) == "Привет, мир"


def test_attachments_and_messages_inside_are_read_at_their_place(tmp_path: Path) -> None:
    first, second = "__attach_version1.0_#00000000/", "__attach_version1.0_#00000001/"
    inner = second + "__substg1.0_3701000D/"
    streams = PLAIN | texts(first, p3707="notes.txt") | {first + "__substg1.0_37010102": b"Attached words."}
    streams |= texts(second, p3001="Re: inner") | {inner + "__properties_version1.0": properties(24)}
    streams |= texts(inner, p0037="Inner", p1000="Forwarded words.")
    source = Source(write(tmp_path / "a.msg", ole(streams)), "a.msg", MSG, scratch=tmp_path)
    found = {s.text: s.place.part for s in segments(list(read_pieces(find(MSG), source, Limits())))}
    assert found["Attached words."] == ("notes.txt",)
    assert found["Forwarded words."] == ("Re: inner.msg",)


def test_compressed_rich_text_unpacks_as_the_format_says() -> None:
    # The example of [MS-OXRTFCP] 3.1.
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert decompressed_rtf(packed, 1000) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    with pytest.raises(UnsafeArchive):
        decompressed_rtf(packed, 10)
    with pytest.raises(MalformedFile):
        decompressed_rtf(b"x" * 20, 1000)
