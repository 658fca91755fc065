from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from files.extraction.base import Source
from files.extraction.detection import detect
from files.extraction.document import SegmentKind
from files.extraction.limits import Limits
from files.extraction.reading import read_pieces
from files.extraction.registry import find
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of
from tests.files.extraction.samples import write

XML = "application/xml"
ARTICLE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE article PUBLIC "-//OASIS//DTD" "http://example.org/docbook.dtd">
<article xmlns="http://docbook.org/ns/docbook" xml:lang="en">
  <info><title>Tides of the <emphasis>sea</emphasis></title><author>A. Writer</author></info>
  <para>Words with <emphasis>weight</emphasis> and<unknown> more</unknown>.</para>
  <!-- unseen -->
  <section id="s1"><title>Data</title>
    <para><emphasis>First</emphasis> then text, <![CDATA[a < b]]> &#8364; &eacute;.</para>
    <programlisting>def f():
    return 1</programlisting>
    <table><thead><tr><th>Name</th><th>Size</th></tr></thead>
    <tbody><tr><td>A <b>boat</b></td><td>3</td></tr></tbody></table>
    <itemizedlist><listitem><para>One</para></listitem><listitem><para>Two</para></listitem></itemizedlist>
  </section>
</article>
"""


class TestXml(ExtractorContract):
    media_type = XML
    ending = "xml"
    sample = ARTICLE.encode()
    says = "Words with weight and more."

    def test_titles_give_the_path(self, path: Path) -> None:
        found = segments(read(path, XML))
        assert [s.text for s in found if s.kind is SegmentKind.HEADING] == ["# Tides of the sea", "# Data"]
        listed = [(s.text, s.place.headings) for s in found if s.text in ("One", "Two")]
        assert listed == [("One", ("Data",)), ("Two", ("Data",))]

    def test_code_and_tables_are_blocks_of_their_own(self, path: Path) -> None:
        found = {s.kind: s.text for s in segments(read(path, XML))}
        assert found[SegmentKind.CODE] == "def f():\n    return 1"
        assert found[SegmentKind.TABLE] == "| Name | Size |\n| --- | --- |\n| A boat | 3 |"

    def test_text_keeps_its_order_and_comments_go(self, path: Path) -> None:
        text = text_of(read(path, XML))
        assert "First then text, a < b € é." in text
        assert "unseen" not in text

    def test_says_what_it_is(self, path: Path) -> None:
        found = facts(read(path, XML))
        assert (found["root"], found["title"], found["author"]) == ("article", "Tides of the sea", "A. Writer")
        assert (found["language"], found["namespaces"]) == ("en", ["http://docbook.org/ns/docbook"])


DATA = """<catalog>
  <book isbn="12-3"><author>A. Writer</author><price cur="EUR">3</price></book>
  <book isbn="45-6"><author>B. Writer</author><price cur="EUR">4</price></book>
  <string name="app">Orchestra</string>
  <dict><key>Mode</key><string>fast</string><key>On</key><true/><key>Last</key></dict>
</catalog>"""


def test_data_is_read_as_names_and_values(tmp_path: Path) -> None:
    found = segments(read(write(tmp_path / "a.xml", DATA), XML))
    lines = [line for segment in found for line in segment.text.split("\n")]
    assert lines == [
        "book (isbn: 12-3)", "author: A. Writer", "price (cur: EUR): 3",
        "book (isbn: 45-6)", "author: B. Writer", "price (cur: EUR): 4",
        "string (name: app): Orchestra", "Mode: fast", "On: true", "Last",
    ]  # fmt: skip
    assert {segment.place.headings for segment in found} == {("catalog", "book"), ("catalog",), ("catalog", "dict")}


def test_a_feed_gives_its_items_under_their_titles(tmp_path: Path) -> None:
    feed = (
        "<rss><channel><title>Tides</title><item><title>High</title><link>https://e.org/1</link>"
        "<description>&lt;p&gt;Hello &amp;amp; bye&lt;/p&gt;&lt;p&gt;again&lt;/p&gt;</description></item>"
        "<item><title>Low</title><description><![CDATA[<b>Words</b>]]></description></item></channel></rss>"
    )
    found = segments(read(write(tmp_path / "a.xml", feed), XML))
    assert [(s.text, s.place.headings) for s in found if s.kind is SegmentKind.PARAGRAPH] == [
        ("https://e.org/1", ("Tides", "High")),
        ("Hello & bye\nagain", ("Tides", "High")),
        ("Words", ("Tides", "Low")),
    ]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ('<!DOCTYPE m [<!ENTITY corp "Acme &amp; Sons">]><m>by &corp;</m>', "m: by Acme & Sons"),
        ('<!DOCTYPE m [<!ENTITY a "x"><!ENTITY b "&a;&a;y">]><m>z &b;</m>', "m: z y"),
        ('<!DOCTYPE m [<!ENTITY s SYSTEM "file:///etc/hostname">]><m>z &s;</m>', "m: z &s;"),
        ("<m>z &nbsp;&nope; w</m>", "m: z &nope; w"),
        ('<m xmlns:xi="http://www.w3.org/2001/XInclude">z <xi:include href="/etc/hostname" parse="text"/></m>',
         "m: z (href: /etc/hostname, parse: text)"),
    ],
)  # fmt: skip
def test_entities_stand_for_little_and_nothing_is_opened(tmp_path: Path, document: str, text: str) -> None:
    assert text_of(read(write(tmp_path / "a.xml", document), XML)) == text


def test_an_entity_that_is_used_without_end_stops(tmp_path: Path) -> None:
    bomb = f'<!DOCTYPE m [<!ENTITY a "{"x" * 1900} ">]><m>{"&a;" * 200_000}</m>'
    assert len(text_of(read(write(tmp_path / "a.xml", bomb), XML))) < 300_000


def test_broken_xml_keeps_its_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", "<r><a>one</a>\n<b>two</r> three <c>four</c> five & six <")
    pieces = read(path, XML)
    for word in ("one", "two", "three", "four", "five & six"):
        assert word in text_of(pieces)
    assert facts(pieces)["malformed_line"] == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1251", "shift_jis", "gb18030"])
def test_the_declared_encoding_counts(tmp_path: Path, encoding: str) -> None:
    text = {"windows-1251": "Гавань", "shift_jis": "港の規則", "gb18030": "港口"}.get(encoding, "Häfen")
    document = f'<?xml version="1.0" encoding="{encoding}"?><m>{text}</m>'
    path = write(tmp_path / "a.xml", document.encode(encoding))
    assert detect(path).media_type == XML
    assert text_of(read(path, XML)) == f"m: {text}"


@pytest.mark.parametrize("declared", ["utf-7", "rot13", "base64", "utf-16", "nonsense"])
def test_a_false_encoding_does_no_harm(tmp_path: Path, declared: str) -> None:
    document = f'<?xml version="1.0" encoding="{declared}"?><m>Words</m>'
    assert text_of(read(write(tmp_path / "a.xml", document), XML)) == "m: Words"


def test_what_is_no_xml_goes_to_the_next_reader(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", "just words")
    pieces = list(read_pieces(find("text/plain"), Source(path, path.name, XML), Limits()))
    assert text_of(pieces) == "just words"


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(records: int) -> int:
        body = "<r><a>word</a><b>Some more words here</b><title>t</title></r>\n" * records
        path = write(tmp_path / "a.xml", f"<all>{body}</all>")
        tracemalloc.start()
        for _ in read_pieces(find(XML), Source(path, path.name, XML), Limits()):
            pass
        result = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return result

    peak(100)
    assert peak(24_000) < peak(6_000) * 1.5 + 500_000


def test_depth_costs_no_recursion(tmp_path: Path) -> None:
    document = "<a>" * 100_000 + "deep" + "</a>" * 100_000
    assert "deep" in text_of(read(write(tmp_path / "a.xml", document), XML))
