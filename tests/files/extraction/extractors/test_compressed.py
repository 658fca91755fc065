from __future__ import annotations

import bz2
import gzip
import io
import lzma
from pathlib import Path

import pytest
from backports import zstd

from files.extraction.document import Segment
from files.extraction.errors import MalformedFile, UnsafeArchive
from files.extraction.limits import Limits
from tests.files.extraction.archive_samples import read_with_members, read_with_scratch, tar
from tests.files.extraction.contract import ExtractorContract, facts, read, text_of, warnings_of
from tests.files.extraction.samples import write

GZIP = "application/gzip"
PACKERS = [
    (GZIP, gzip.compress),
    ("application/x-bzip2", bz2.compress),
    ("application/x-xz", lzma.compress),
    ("application/x-lzma", lambda data: lzma.compress(data, lzma.FORMAT_ALONE)),
    ("application/zstd", zstd.compress),
]
CSV = b"ship,port\nAurora,Hull\nBoreas,Dover\n"


class TestCompressedExtractor(ExtractorContract):
    media_type = GZIP
    ending = "tar.gz"
    sample = gzip.compress(tar([(f"src/{at}.c", f"int f{at};\n".encode() * at) for at in range(40)]), mtime=0)
    says = "src/39.c"

    def test_members_are_read_where_asked_for(self, path: Path) -> None:
        assert "int f39;" not in text_of(read(path, GZIP))
        assert "int f39;" in text_of(read_with_members(path, GZIP))


@pytest.mark.parametrize(("media_type", "pack"), PACKERS)
def test_a_single_file_is_read_as_what_it_is(tmp_path: Path, media_type: str, pack: object) -> None:
    assert callable(pack)
    pieces = read_with_scratch(write(tmp_path / "data.csv.gz", pack(CSV)), media_type)
    table = next(piece for piece in pieces if isinstance(piece, Segment))
    assert "| Aurora | Hull |" in table.text
    assert table.place.part == ("data.csv",)
    assert facts(pieces)["total_size"] == len(CSV)
    assert not warnings_of(pieces)


@pytest.mark.parametrize(("media_type", "pack"), PACKERS)
def test_a_tar_inside_is_listed(tmp_path: Path, media_type: str, pack: object) -> None:
    assert callable(pack)
    pieces = read(write(tmp_path / "any.name", pack(tar([("a/b.txt", b"x")]))), media_type)
    assert "a/b.txt" in text_of(pieces)
    assert facts(pieces)["entry_count"] == 1


def test_the_name_in_the_header_wins_and_its_folder_is_ignored(tmp_path: Path) -> None:
    out = io.BytesIO()
    with gzip.GzipFile("../../evil/list.csv", "wb", fileobj=out) as file:
        file.write(CSV)
    data = out.getvalue().replace(b"list.csv", b"../l.csv", 1)
    pieces = read_with_scratch(write(tmp_path / "x.gz", data), GZIP)
    assert next(piece for piece in pieces if isinstance(piece, Segment)).place.part == ("l.csv",)


def test_several_streams_are_one_file(tmp_path: Path) -> None:
    data = gzip.compress(b"first half, ") + gzip.compress(b"second half") + bytes(512)
    assert "first half, second half" in text_of(read_with_scratch(write(tmp_path / "t.txt.gz", data), GZIP))


def test_a_cut_file_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    data = gzip.compress("".join(f"line {at} of the log\n" for at in range(5000)).encode())
    pieces = read_with_scratch(write(tmp_path / "l.log.gz", data[: len(data) // 2]), GZIP)
    assert "line 100 of the log" in text_of(pieces)
    assert warnings_of(pieces) == ["malformed"]


def test_a_bomb_is_refused_without_a_byte_more_than_allowed(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gz", gzip.compress(bytes(8 << 20)))
    with pytest.raises(UnsafeArchive):
        read_with_scratch(path, GZIP, Limits(unpacked_floor=1 << 20))


def test_a_file_above_what_is_kept_is_read_to_there(tmp_path: Path) -> None:
    text = "".join(f"{at} some words\n" for at in range(300_000)).encode()
    path = write(tmp_path / "t.txt.gz", gzip.compress(text))
    pieces = read_with_scratch(path, GZIP, Limits(child_bytes=2 << 20))
    assert "100 some words" in text_of(pieces)
    assert warnings_of(pieces) == ["limit_reached"]


def test_a_tar_that_claims_too_much_is_listed_to_there(tmp_path: Path) -> None:
    archive = bytearray(tar([("fine.txt", b"x"), ("huge.bin", b"")]))
    archive[1024 + 124 : 1024 + 136] = b"77777777777\x00"
    archive[1024 + 148 : 1024 + 156] = b" " * 8
    archive[1024 + 148 : 1024 + 156] = f"{sum(archive[1024:1536]):06o}\x00 ".encode()
    pieces = read(write(tmp_path / "h.tgz", gzip.compress(bytes(archive))), GZIP)
    assert "fine.txt" in text_of(pieces)
    assert warnings_of(pieces) == ["archive_bomb"]


def test_what_is_not_compressed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile):
        read_with_scratch(write(tmp_path / "n.gz", b"\x1f\x8b\x08 no gzip at all"), GZIP)
