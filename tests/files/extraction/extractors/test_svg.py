from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from files.extraction.base import ExtractionError
from files.extraction.detection import detect
from files.extraction.limits import Limits
from tests.files.extraction import samples
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of

SVG = "image/svg+xml"
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" width="20cm" height="100" viewBox="0 0 400 200">'
DRAWING = (
    f'<?xml version="1.0"?>{HEAD}<title>Harbour plan</title><desc>All berths</desc><style>.a{{fill:red}}</style>'
    '<script>alert("no")</script><g aria-label="North quay"><rect width="5"/><text x="1" y="2">Berth<tspan x="1" y="9">'
    'forty-two</tspan> and <tspan font-weight="bold">more</tspan></text></g><g><title>A buoy</title></g></svg>'
)


class TestSvgExtractor(ExtractorContract):
    media_type = SVG
    ending = "svg"
    sample = DRAWING.encode()
    says = "Berth forty-two and more"

    def test_tells_title_and_size_in_pixels(self, path: Path) -> None:
        found = facts(read(path, SVG))
        assert (found["title"], found["description"]) == ("Harbour plan", "All berths")
        assert (found["width"], found["height"], found["view_box"]) == (755.91, 100, "0 0 400 200")

    def test_labels_and_titles_of_parts_are_words_and_scripts_are_not(self, path: Path) -> None:
        text = text_of(read(path, SVG))
        assert "North quay" in text
        assert "A buoy" in text
        assert "alert" not in text
        assert "fill" not in text

    def test_a_packed_drawing_is_found_and_read(self, tmp_path: Path) -> None:
        path = samples.write(tmp_path / "x.svgz", gzip.compress(self.sample))
        assert detect(path).media_type == SVG
        assert self.says in text_of(read(path, SVG))


def test_a_drawing_without_words_is_complete(tmp_path: Path) -> None:
    pieces = read(samples.write(tmp_path / "x.svg", f"{HEAD}<rect/></svg>"), SVG)
    assert not segments(pieces)
    assert not warnings_of(pieces)


def test_entities_are_not_followed(tmp_path: Path) -> None:
    text = f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]>{HEAD}<text>before &x; after</text></svg>'
    assert text_of(read(samples.write(tmp_path / "x.svg", text), SVG)) == "before after"


def test_words_before_a_damaged_place_are_kept(tmp_path: Path) -> None:
    pieces = read(samples.write(tmp_path / "x.svg", f"{HEAD}<text>kept</text><g a=1></g></svg>"), SVG)
    assert text_of(pieces) == "kept"
    assert warnings_of(pieces) == ["malformed"]


def test_a_packed_drawing_that_unpacks_to_much_is_refused(tmp_path: Path) -> None:
    path = samples.write(tmp_path / "x.svgz", gzip.compress(f"{HEAD}<!--{' ' * 500_000}-->".encode()))
    with pytest.raises(ExtractionError) as raised:
        read(path, SVG, Limits(unpacked_floor=1000, unpacked_ratio=2))
    assert raised.value.code == "archive_bomb"
