from __future__ import annotations

import struct
from pathlib import Path

import pytest

from files.extraction.errors import EncryptedFile
from tests.files.extraction.archive_samples import rar4, rar5, read_with_members
from tests.files.extraction.contract import ExtractorContract, facts, read, text_of, warnings_of
from tests.files.extraction.samples import write

RAR = "application/vnd.rar"


class TestRarExtractor(ExtractorContract):
    media_type = RAR
    ending = "rar"
    sample = rar5([(f"Bücher/{at}.txt", f"page {at} ".encode() * 9) for at in range(30)])
    says = "Bücher/29.txt"

    def test_stored_members_are_read_where_asked_for(self, path: Path) -> None:
        assert facts(read(path, RAR))["newest"] == "2023-11-14T22:13:20"
        assert "page 29" in text_of(read_with_members(path, RAR))


class TestOlderRar(ExtractorContract):
    media_type = RAR
    ending = "rar"
    sample = rar4([(b"docs\\%d.txt" % at, b"page %d " % at * 9) for at in range(30)])
    says = "docs/29.txt"

    def test_stored_members_are_read_where_asked_for(self, path: Path) -> None:
        assert facts(read(path, RAR))["entry_count"] == 30
        assert "page 29" in text_of(read_with_members(path, RAR))


def test_names_in_unicode_are_unpacked(tmp_path: Path) -> None:
    packed = b"\x04" + b"\xa0" + struct.pack("<HH", 0x6587, 0x7AE0) + bytes([0b00_00_00_00]) + b".txt"
    pieces = read(write(tmp_path / "u.rar", rar4([(b"__.txt\x00" + packed, b"")], flags=0x200)), RAR)
    assert "文章" in text_of(pieces)


def test_encrypted_names_and_encrypted_files_differ(tmp_path: Path) -> None:
    with pytest.raises(EncryptedFile):
        read(write(tmp_path / "h.rar", rar4([], main_flags=0x80)), RAR)
    pieces = read_with_members(write(tmp_path / "e.rar", rar5([("a.txt", b"x" * 16)], extra=b"\x02\x01\x00")), RAR)
    assert "a.txt" in text_of(pieces)
    assert warnings_of(pieces) == ["encrypted"]


def test_a_link_of_version_5_is_told(tmp_path: Path) -> None:
    redirection = b"\x05\x01\x00\x09/etc/pass"
    extra = bytes([len(redirection)]) + redirection
    told = facts(read(write(tmp_path / "l.rar", rar5([("door", b"")], extra=extra)), RAR))
    assert isinstance(told["findings"], list)
    assert [finding["code"] for finding in told["findings"]] == ["link_outside"]


def test_a_cut_archive_is_listed_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = rar5([(f"{at}.txt", b"words") for at in range(20)])
    pieces = read(write(tmp_path / "c.rar", whole[: len(whole) // 2]), RAR)
    assert "5.txt" in text_of(pieces)
    assert warnings_of(pieces) == ["malformed"]
