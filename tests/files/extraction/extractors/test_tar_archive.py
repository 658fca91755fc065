from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tests.files.extraction.archive_samples import read_with_members, tar
from tests.files.extraction.contract import ExtractorContract, facts, read, text_of, warnings_of
from tests.files.extraction.samples import write

TAR = "application/x-tar"


class TestTarExtractor(ExtractorContract):
    media_type = TAR
    ending = "tar"
    sample = tar([(f"notes/{at}.txt", f"note {at}\n".encode() * 30) for at in range(40)])
    says = "notes/39.txt"

    def test_tells_count_and_dates(self, path: Path) -> None:
        told = facts(read(path, TAR))
        assert told["entry_count"] == 40
        assert told["newest"] == "2023-11-14T22:13:20"

    def test_members_are_read_where_asked_for(self, path: Path) -> None:
        assert "note 39" in text_of(read_with_members(path, TAR))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_of_every_kind_are_read(tmp_path: Path, form: int) -> None:
    name = "folder/" * 14 + "the file with its name"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        info = tarfile.TarInfo(name)
        info.size = 5
        archive.addfile(info, io.BytesIO(b"words"))
    pieces = read_with_members(write(tmp_path / "l.tar", out.getvalue()), TAR)
    assert name in text_of(pieces)
    assert facts(pieces)["total_size"] == 5


def test_links_and_devices_are_told(tmp_path: Path) -> None:
    links = [
        ("out", "/etc", tarfile.SYMTYPE),
        ("up", "../../shadow", tarfile.LNKTYPE),
        ("inside", "a.txt", tarfile.SYMTYPE),
        ("disk", "", tarfile.BLKTYPE),
    ]
    path = write(tmp_path / "l.tar", tar([("a.txt", b"x"), ("../b", b"y")], links=links))
    told = facts(read(path, TAR))
    assert isinstance(told["findings"], list)
    found = {finding["code"]: finding["examples"] for finding in told["findings"]}
    assert found == {"path_traversal": ["../b"], "link_outside": ["out", "up"], "device_node": ["disk"]}
    assert told["unsafe_entries"] == 4


def test_a_size_beyond_the_end_is_told_as_truncated(tmp_path: Path) -> None:
    header = bytearray(tar([("huge.bin", b"x")])[:512])
    header[124:136] = b"77777777777\x00"
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\x00 ".encode()
    pieces = read(write(tmp_path / "c.tar", bytes(header) + bytes(1024)), TAR)
    assert "huge.bin" in text_of(pieces)
    assert warnings_of(pieces) == ["malformed"]


def test_names_in_an_old_encoding_are_read(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        archive.addfile(tarfile.TarInfo("Müller.txt"))
    assert "Müller.txt" in text_of(read(write(tmp_path / "o.tar", out.getvalue()), TAR))
