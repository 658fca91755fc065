from __future__ import annotations

import bz2
from pathlib import Path

import pytest

from files.extraction.errors import EncryptedFile, MalformedFile
from tests.files.extraction.archive_samples import read_with_members, seven_zip, seven_zip_around
from tests.files.extraction.contract import ExtractorContract, facts, read, text_of, warnings_of
from tests.files.extraction.samples import write

SEVEN = "application/x-7z-compressed"
FILES = [(f"papers/paper {at}.txt", f"The words of paper {at}. ".encode() * 20) for at in range(12)]


class TestSevenZipExtractor(ExtractorContract):
    media_type = SEVEN
    ending = "7z"
    sample = seven_zip(FILES)
    says = "papers/paper 11.txt"

    def test_tells_sizes_and_dates(self, path: Path) -> None:
        told = facts(read(path, SEVEN))
        assert told["entry_count"] == 12
        assert told["total_size"] == sum(len(content) for _, content in FILES)
        assert told["newest"] == "2024-01-17T21:20:00"
        assert told["solid"] is True

    def test_members_are_read_where_asked_for(self, path: Path) -> None:
        assert "The words of paper 11." in text_of(read_with_members(path, SEVEN))


def test_other_packings_are_read(tmp_path: Path) -> None:
    content = b"".join(data for _, data in FILES)
    for coder, packed in ((b"\x03\x04\x02\x02", bz2.compress(content)), (b"\x01\x00", content)):
        path = write(tmp_path / "p.7z", seven_zip(FILES, coder=coder, packed=packed))
        assert "The words of paper 11." in text_of(read_with_members(path, SEVEN))


def test_encrypted_files_are_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "e.7z", seven_zip(FILES, coder=b"\x24\x06\xf1\x07\x01\x01\x00", packed=bytes(64)))
    pieces = read_with_members(path, SEVEN)
    assert "paper 3.txt" in text_of(pieces)
    assert facts(pieces)["encrypted"] is True
    assert warnings_of(pieces) == ["encrypted"]


def test_hidden_names_are_told_as_encrypted(tmp_path: Path) -> None:
    header = b"\x17\x06\x00\x01\x09\x10\x00\x07\x0b\x01\x00\x01\x24\x06\xf1\x07\x01\x01\x00\x0c\x10\x00\x00"
    with pytest.raises(EncryptedFile):
        read(write(tmp_path / "h.7z", seven_zip_around(bytes(16), header)), SEVEN)


@pytest.mark.parametrize(
    "header", [b"\x01\x04\x06\x00\xff" + b"\xff" * 8 + b"\x09", b"\x01\x05\xff" + b"\xff" * 8, b"\x09"]
)
def test_counts_that_cannot_be_are_refused(tmp_path: Path, header: bytes) -> None:
    with pytest.raises(MalformedFile):
        read(write(tmp_path / "c.7z", seven_zip_around(b"", header)), SEVEN)
