from __future__ import annotations

import gzip
from pathlib import Path

from tests.files.extraction.archive_samples import ar, read_with_members, tar
from tests.files.extraction.contract import ExtractorContract, facts, read, text_of
from tests.files.extraction.samples import write

AR = "application/x-archive"
CONTROL = b"Package: orrery\nVersion: 1.2\nMaintainer: A. Writer\nDescription: planets\n moving in brass\n"


class TestArExtractor(ExtractorContract):
    media_type = AR
    ending = "ar"
    sample = ar([(f"part{at}.o/", b"content " * at) for at in range(20)])
    says = "part19.o"

    def test_members_are_read_where_asked_for(self, path: Path) -> None:
        assert "content content" in text_of(read_with_members(path, AR))


def test_a_debian_package_tells_what_it_is_and_installs(tmp_path: Path) -> None:
    parts = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", gzip.compress(tar([("./control", CONTROL)]))),
        ("data.tar.gz", gzip.compress(tar([("./usr/bin/orrery", b"\x7fELF"), ("./usr/share/doc/README", b"words")]))),
    ]
    pieces = read(write(tmp_path / "p.deb", ar(parts)), AR)
    assert "moving in brass" in text_of(pieces)
    assert "./usr/bin/orrery" in text_of(pieces)
    told = facts(pieces)
    assert (told["title"], told["version"], told["entry_count"]) == ("orrery", "1.2", 2)
