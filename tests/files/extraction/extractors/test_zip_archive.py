from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from files.extraction.limits import Limits
from tests.files.extraction.archive_samples import read_with_members
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.samples import write, zipped

ZIP = "application/zip"


class TestZipExtractor(ExtractorContract):
    media_type = ZIP
    ending = "zip"
    sample = zipped({f"reports/{at}.txt": f"Report {at} " * 40 for at in range(60)})
    says = "reports/59.txt"

    def test_counts_and_sizes_are_told(self, path: Path) -> None:
        told = facts(read(path, ZIP))
        assert told["entry_count"] == 60
        assert told["encrypted"] is False
        assert told["unsafe_entries"] == 0
        assert told["findings"] == []
        assert told["total_size"] == sum(len(f"Report {at} " * 40) for at in range(60))

    def test_segments_name_the_entries_they_list(self, path: Path) -> None:
        found = segments(read(path, ZIP))
        assert len(found) > 1
        assert found[-1].place.row_end == 60

    def test_members_are_read_only_where_asked_for(self, path: Path) -> None:
        assert "Report 7" not in text_of(read(path, ZIP))
        assert "Report 7" in text_of(read_with_members(path, ZIP))


def made(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def codes(path: Path) -> dict[object, object]:
    findings = facts(read(path, ZIP))["findings"]
    assert isinstance(findings, list)
    return {finding["code"]: finding["count"] for finding in findings}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../../etc/passwd", "path_traversal"),
        ("a/../../b", "path_traversal"),
        ("/etc/passwd", "absolute_path"),
        ("C:\\Windows\\x.dll", "drive_letter"),
        ("..\\x", "backslash_in_name"),
        ("a\x1b[31m", "control_characters"),
        ("\u202egnp.exe", "disguised_name"),
        ("aux.txt", "reserved_name"),
        ("n" * 300, "name_too_long"),
    ],
)
def test_unsafe_names_are_told_and_nothing_is_written(tmp_path: Path, name: str, code: str) -> None:
    path = write(tmp_path / "x.zip", made((name, b"x"), ("fine.txt", b"fine")))
    assert code in codes(path)
    assert facts(read(path, ZIP))["unsafe_entries"] == 1
    pieces = read_with_members(path, ZIP)
    assert "fine" in text_of(pieces)
    assert {entry.name for entry in tmp_path.iterdir()} == {"x.zip", "scratch"}


def test_a_link_that_leads_out_and_a_path_through_it_are_told(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("door")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    path = write(tmp_path / "l.zip", made((link, b"/etc"), ("door/passwd", b"x")))
    assert {"link_outside", "path_through_link"} <= codes(path).keys()
    assert "door -> /etc" in text_of(read(path, ZIP))


def test_entries_that_share_bytes_are_told_and_not_unpacked(tmp_path: Path) -> None:
    whole = made(("a.txt", b"words " * 50))
    end = whole.index(b"PK\x05\x06")
    start = whole.index(b"PK\x01\x02")
    record = whole[start:end]
    data = whole[:start] + record * 3 + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 3, 3, 3 * len(record), start, 0)
    path = write(tmp_path / "o.zip", data)
    assert codes(path)["overlapping_entries"] == 3
    assert "words" not in text_of(read_with_members(path, ZIP))


def test_a_bomb_is_listed_with_a_warning_and_not_unpacked(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.bin", bytes(3 << 20))
    path = write(tmp_path / "b.zip", out.getvalue())
    pieces = read_with_members(path, ZIP, Limits(unpacked_floor=1 << 20))
    assert "zeros.bin" in text_of(pieces)
    assert warnings_of(pieces) == ["archive_bomb", "unsafe_members"]


def test_a_size_that_lies_is_found_out_when_the_member_is_read(tmp_path: Path) -> None:
    data = bytearray(zipped({"small.txt": "more than it says " * 100}))
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    path = write(tmp_path / "lie.zip", bytes(data))
    assert warnings_of(read_with_members(path, ZIP)) == ["malformed"]


def test_encrypted_entries_are_listed_and_not_read(tmp_path: Path) -> None:
    data = bytearray(made(("secret.txt", b"hidden words")))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path = write(tmp_path / "e.zip", bytes(data))
    pieces = read_with_members(path, ZIP)
    assert facts(pieces)["encrypted"] is True
    assert "secret.txt" in text_of(pieces)
    assert "hidden words" not in text_of(pieces)
    assert warnings_of(pieces) == ["encrypted"]


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("审计压缩包文件.doc", "gbk"),
        ("文章.txt", "cp932"),
        ("Договор аренды.doc", "cp866"),
        ("Überschrift é.txt", "cp437"),
    ],
)
def test_names_in_old_encodings_are_read(tmp_path: Path, name: str, encoding: str) -> None:
    raw = name.encode(encoding)
    data = made(("x" * len(raw), b"")).replace(b"x" * len(raw), raw)
    assert name in text_of(read(write(tmp_path / "n.zip", data), ZIP))


def test_a_cut_archive_is_listed_from_what_is_there(tmp_path: Path) -> None:
    whole = zipped({f"{at}.txt": f"words {at}" for at in range(30)})
    path = write(tmp_path / "c.zip", whole[: whole.index(b"PK\x01\x02") - 60])
    pieces = read(path, ZIP)
    assert "20.txt" in text_of(pieces)
    assert warnings_of(pieces) == ["malformed"]


def test_bytes_before_the_archive_do_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path / "s.zip", b"#!/bin/sh\nexit\n" + made(("a.txt", b"inner words")))
    assert "inner words" in text_of(read_with_members(path, ZIP))


def test_more_entries_than_the_limit_are_counted_not_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "m.zip", made(*((f"{at}.txt", b"") for at in range(50))))
    pieces = read(path, ZIP, Limits(archive_entries=20))
    assert facts(pieces)["entry_count"] == 50
    assert "20.txt" not in text_of(pieces)
    assert warnings_of(pieces) == ["too_many_entries"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_of_every_packing_are_read(tmp_path: Path, method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("a.txt", "the words inside " * 500)
    assert "the words inside" in text_of(read_with_members(write(tmp_path / "p.zip", out.getvalue()), ZIP))


def test_archives_in_archives_are_read_to_a_depth(tmp_path: Path) -> None:
    inner = made(("deepest.txt", b"too deep"))
    for at in range(5):
        inner = made((f"{at}.zip", inner))
    pieces = read_with_members(write(tmp_path / "d.zip", inner), ZIP)
    assert "too deep" not in text_of(pieces)
    assert warnings_of(pieces) == ["members_not_read"]
    assert facts(pieces)["nested_archives"] == ["4.zip"]


def test_an_empty_archive_says_so(tmp_path: Path) -> None:
    assert "empty" in text_of(read(write(tmp_path / "e.zip", made()), ZIP))
