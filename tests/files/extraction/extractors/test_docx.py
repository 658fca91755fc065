from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.base import Source
from files.extraction.document import SegmentKind
from files.extraction.errors import EncryptedFile, MalformedFile, UnsafeArchive
from files.extraction.limits import Limits
from files.extraction.media_types import DOCX
from files.extraction.reading import read_pieces
from files.extraction.registry import find, load, readers_of
from tests.files.extraction import samples
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of
from tests.files.extraction.ole_samples import native, ole
from tests.files.extraction.samples import W, docx, paragraph, table, write

STYLES = (
    f'<w:styles xmlns:w="{W}"><w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:styleId="H2"><w:name w:val="heading 2"/></w:style>'
    '<w:style w:styleId="Mine"><w:name w:val="Mine"/><w:basedOn w:val="H2"/></w:style></w:styles>'
)
INNER = table(["inner one", "inner two"])
BODY = (
    paragraph("Rules", "H1")
    + paragraph("Mooring", "Mine")
    + paragraph("Boats moor at the quay.")
    + "<w:p><w:ins><w:r><w:t>Added words. </w:t></w:r></w:ins>"
    + "<w:del><w:r><w:delText>Gone words.</w:delText></w:r></w:del>"
    + "<w:moveFrom><w:r><w:t>Moved words.</w:t></w:r></w:moveFrom></w:p>"
    + table(["Berth", "Depth"], ["A", "4.5 m"], after_last=INNER)
    + f"<w:p><w:r><w:t>Host.</w:t></w:r><w:r><w:pict><w:txbxContent>{paragraph('In the box.')}</w:txbxContent></w:pict>"
    + '</w:r><w:r><w:drawing><docPr descr="A crane at work"/></w:drawing></w:r><w:r><w:drawing><docPr descr="a.png"/>'
    + '</w:drawing></w:r></w:p><w:p><w:hyperlink r:id="r7"><w:r><w:t>the tide table</w:t></w:r></w:hyperlink></w:p>'
)
NAMESPACE = f'xmlns:w="{W}"'
RELATIONS = [
    ("styles", "styles.xml"),
    ("header", "header1.xml"),
    ("footer", "footer1.xml"),
    ("footnotes", "footnotes.xml"),
    ("endnotes", "endnotes.xml"),
    ("comments", "comments.xml"),
    ("hyperlink", "https://example.org/tides"),
]
MORE = {
    "word/styles.xml": STYLES,
    "word/header1.xml": f"<w:hdr {NAMESPACE}>{paragraph('Port authority')}</w:hdr>",
    "word/footer1.xml": f"<w:ftr {NAMESPACE}>{paragraph('Page foot')}</w:ftr>",
    "word/footnotes.xml": f"<w:footnotes {NAMESPACE}><w:footnote>{paragraph('A foot note.')}</w:footnote>"
    "</w:footnotes>",
    "word/endnotes.xml": f"<w:endnotes {NAMESPACE}><w:endnote>{paragraph('An end note.')}</w:endnote></w:endnotes>",
    "word/comments.xml": f'<w:comments {NAMESPACE}><w:comment w:author="Ann">{paragraph("Check this.")}</w:comment>'
    "</w:comments>",
}


class TestDocxExtractor(ExtractorContract):
    media_type = DOCX
    ending = "docx"
    sample = docx(BODY, MORE, RELATIONS)
    says = "Boats moor at the quay."

    def test_headings_give_the_path_also_through_a_style_that_is_based_on_one(self, path: Path) -> None:
        segment = next(s for s in segments(read(path, DOCX)) if "Boats" in s.text)
        assert segment.place.headings == ("Rules", "Mooring")

    def test_insertions_are_kept_and_deletions_dropped(self, path: Path) -> None:
        text = text_of(read(path, DOCX))
        assert "Added words." in text
        assert "Gone" not in text
        assert "Moved" not in text

    def test_tables_are_markdown_and_inner_tables_follow(self, path: Path) -> None:
        tables = [s.text for s in segments(read(path, DOCX)) if s.kind is SegmentKind.TABLE]
        assert tables[0].splitlines()[0] == "| Berth | Depth |"
        assert "| A | 4.5 m |" in tables[0]
        assert "inner one" in tables[1]

    @pytest.mark.parametrize(
        "words",
        [
            "In the box.",
            "Picture: A crane at work",
            "Port authority",
            "Page foot",
            "A foot note.",
            "An end note.",
            "Comment by Ann: Check this.",
        ],
    )
    def test_nothing_beside_the_body_is_lost(self, path: Path, words: str) -> None:
        assert words in text_of(read(path, DOCX))

    def test_links_keep_their_address(self, path: Path) -> None:
        assert "[the tide table](https://example.org/tides)" in text_of(read(path, DOCX))

    def test_core_properties_are_metadata(self, path: Path) -> None:
        assert facts(read(path, DOCX)) | {"title": "Harbour rules", "author": "A. Writer"} == facts(read(path, DOCX))


def test_entities_are_never_expanded(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt", "the secret words")
    evil = (
        f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY s SYSTEM "{secret.as_uri()}"><!ENTITY j "joke ">]>'
        f'<w:document xmlns:w="{W}"><w:body>{paragraph("Kept. &s; &j;")}</w:body></w:document>'
    )
    text = text_of(read(write(tmp_path / "x.docx", docx("", {"word/document.xml": evil})), DOCX))
    assert "Kept." in text
    assert "secret words" not in text
    assert "joke" not in text


def test_a_part_that_inflates_enormously_is_not_opened(tmp_path: Path) -> None:
    bomb = docx("", {"word/document.xml": "<w:document>" + " " * (80 << 20)})
    with pytest.raises(UnsafeArchive):
        read(write(tmp_path / "b.docx", bomb), DOCX)


def test_too_many_parts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive):
        read(write(tmp_path / "m.docx", docx("")), DOCX, Limits(archive_entries=3))


def test_a_zip_without_a_document_is_malformed(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile):
        read(write(tmp_path / "z.docx", samples.zipped({"a.txt": "b"})), DOCX)


def test_an_office_file_with_a_password_says_so(tmp_path: Path) -> None:
    with pytest.raises(EncryptedFile):
        read(write(tmp_path / "p.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)), DOCX)


def numbered(text: str, level: int = 0, number: int = 1) -> str:
    settings = f'<w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr></w:pPr>'
    return f"<w:p>{settings}<w:r><w:t>{text}</w:t></w:r></w:p>"


def test_lists_are_counted_as_word_counts_them(tmp_path: Path) -> None:
    levels = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for at, (form, text) in enumerate([("decimal", "%1."), ("lowerLetter", "%1.%2)"), ("upperRoman", "%3.")])
    )
    bullets = '<w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="o"/></w:lvl>'
    again = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    numbering = (
        f'<w:numbering {NAMESPACE}><w:abstractNum w:abstractNumId="7">{levels}</w:abstractNum>'
        f'<w:abstractNum w:abstractNumId="8">{bullets}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num>'
        f'<w:num w:numId="3"><w:abstractNumId w:val="7"/>{again}</w:num></w:numbering>'
    )
    body = (
        numbered("one")
        + numbered("two")
        + numbered("first", 1)
        + numbered("second", 1)
        + numbered("deep", 2)
        + numbered("three")
        + numbered("fresh", 1)
        + numbered("bullet", 0, 2)
        + numbered("anew", 0, 3)
        + numbered("plain", 0, 0)
    )
    path = write(tmp_path / "n.docx", docx(body, {"word/numbering.xml": numbering}, [("numbering", "numbering.xml")]))
    assert [segment.text for segment in segments(read(path, DOCX))] == [
        "1. one",
        "2. two",
        "  2.a) first",
        "  2.b) second",
        "    I. deep",
        "3. three",
        "  3.a) fresh",
        "- bullet",
        "1. anew",
        "plain",
    ]


def test_absurd_spans_do_not_widen_the_table(tmp_path: Path) -> None:
    span = '<w:tcPr><w:gridSpan w:val="2000000000"/></w:tcPr>'
    body = f"<w:tbl><w:tr><w:tc>{span}{paragraph('wide')}</w:tc><w:tc>{paragraph('next')}</w:tc></w:tr></w:tbl>"
    assert len(text_of(read(write(tmp_path / "s.docx", docx(body)), DOCX))) < 1000


class TestSecondReader:
    def test_gives_headings_paragraphs_and_tables(self, tmp_path: Path) -> None:
        import docx as python_docx

        document = python_docx.Document()
        document.add_heading("Rules", 1)
        document.add_paragraph("Boats moor at the quay.")
        cells = document.add_table(2, 2).rows
        for at, words in enumerate(("Berth", "Depth", "A", "4.5 m")):
            cells[at // 2].cells[at % 2].text = words
        path = tmp_path / "a.docx"
        document.save(str(path))
        reader = load(readers_of(DOCX)[1])
        found = segments(list(read_pieces(reader, Source(path, path.name, DOCX), Limits())))
        assert [s.text for s in found] == [
            "# Rules", "Boats moor at the quay.", "| Berth | Depth |\n| --- | --- |\n| A | 4.5 m |",
        ]  # fmt: skip
        assert found[1].place.headings == ("Rules",)

    def test_a_file_that_is_no_document_is_malformed(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.docx", samples.zipped({"word/document.xml": "<a/>"}))
        with pytest.raises(MalformedFile):
            list(read_pieces(load(readers_of(DOCX)[1]), Source(path, path.name, DOCX), Limits()))


def test_embedded_files_are_read_out_of_their_wrapping(tmp_path: Path) -> None:
    inner = docx(paragraph("Inside the inner one"))
    wrapped = ole({"\x01Ole10Native": native("C:\\notes\\tides.txt", b"High at noon")})
    more = {"word/embeddings/oleObject1.bin": wrapped, "word/embeddings/inner.docx": inner}
    relations = [("oleObject", "embeddings/oleObject1.bin"), ("package", "embeddings/inner.docx")]
    path = write(tmp_path / "a.docx", docx(paragraph("Outer"), more, relations))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = list(read_pieces(find(DOCX), Source(path, path.name, DOCX, scratch=scratch), Limits()))
    assert {s.text: s.place.part for s in segments(found)} == {
        "Outer": (),
        "High at noon": ("tides.txt",),
        "Inside the inner one": ("inner.docx",),
    }
