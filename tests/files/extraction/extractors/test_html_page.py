from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.document import SegmentKind
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of
from tests.files.extraction.samples import write

HTML = "text/html"
PAGE = """<!doctype html><html lang="en"><head><title>Harbour  rules</title>
<meta name="description" content="How to moor"><style>.x{color:red}</style></head><body>
<script>alert("never shown")</script><!-- a remark --> <h1>Rules</h1><p>Boats moor at the
<a href="https://example.org/quay">new quay</a> only.</p><h2>Fees</h2>
<table><tr><th>Length</th><th>Fee</th></tr><tr><td>5 m</td><td>10 a|b</td></tr></table>
<ul><li>ropes<li>fenders<ol><li>large</ol></ul><pre>line one
  line two</pre><p><a href="javascript:x()">click</a><img alt="a crane" src=c.png></p></body></html>"""


class TestHtmlExtractor(ExtractorContract):
    media_type = HTML
    ending = "html"
    sample = PAGE.encode()
    says = "Boats moor at the [new quay](https://example.org/quay) only."

    def test_scripts_styles_and_remarks_are_left_out(self, path: Path) -> None:
        text = text_of(read(path, HTML))
        assert not [word for word in ("never shown", "color:red", "a remark", "javascript") if word in text]
        assert "click" in text
        assert "a crane" in text

    def test_structure_becomes_markdown_with_a_heading_path(self, path: Path) -> None:
        found = segments(read(path, HTML))
        table = next(s for s in found if s.kind is SegmentKind.TABLE)
        assert table.text == "| Length | Fee |\n| --- | --- |\n| 5 m | 10 a\\|b |"
        assert table.place.headings == ("Rules", "Fees")
        assert [s.text for s in found if s.text.lstrip().startswith(("-", "1."))] == [
            "- ropes",
            "- fenders",
            "  1. large",
        ]
        assert next(s for s in found if s.kind is SegmentKind.CODE).text == "line one\n  line two"

    def test_title_description_and_language_are_metadata(self, path: Path) -> None:
        found = facts(read(path, HTML))
        assert (found["title"], found["description"], found["language"]) == ("Harbour rules", "How to moor", "en")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "shift_jis", "koi8-r"])
def test_pages_are_decoded_as_they_declare(tmp_path: Path, encoding: str) -> None:
    words = {"shift_jis": "港の規則です", "koi8-r": "правила гавани"}.get(encoding, "naïve “café”")
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    page = f'<html><head><meta charset="{declared}"></head><body><p>{words}</p></body></html>'
    assert words in text_of(read(write(tmp_path / "p.html", page.encode(encoding)), HTML))


def test_a_false_declaration_is_not_believed(tmp_path: Path) -> None:
    page = '<meta charset="us-ascii"><p>' + "größer für Übermut " * 5 + "</p>"
    assert "größer für Übermut" in text_of(read(write(tmp_path / "p.html", page.encode("cp1252")), HTML))


@pytest.mark.parametrize("depth", [300, 20_000])
def test_deep_nesting_neither_crashes_nor_loses_the_page_before_it(tmp_path: Path, depth: int) -> None:
    page = "<p>First words.</p>" + "<div>" * depth + "deep words" + "</div>" * depth
    assert "First words." in text_of(read(write(tmp_path / "d.html", page), HTML))


def test_layout_tables_are_read_as_pages(tmp_path: Path) -> None:
    inner = "<table><tr><td>A</td><td>B</td></tr><tr><td>C</td><td>D</td></tr></table>"
    page = f"<table><tr><td><h1>Menu</h1></td><td>{inner}</td></tr></table>"
    found = segments(read(write(tmp_path / "l.html", page), HTML))
    assert found[0].kind is SegmentKind.HEADING
    assert sum(s.kind is SegmentKind.TABLE for s in found) == 1


def test_words_of_neighbouring_blocks_do_not_run_together(tmp_path: Path) -> None:
    page = "<div>one</div><div>two</div><table><tr><td><p>three</p><p>four</p></td><td>five<br>six</td></tr></table>"
    assert text_of(read(write(tmp_path / "w.html", page), HTML)).replace("|", " ").replace("-", " ").split() == [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
    ]
