from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.detection import detect
from files.extraction.document import SegmentKind
from files.extraction.errors import EncryptedFile
from files.extraction.media_types import ODG, ODP, ODT
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of
from tests.files.extraction.office_samples import HEAD, ODF, ODF_NAMES, flat_odf, odf
from tests.files.extraction.samples import write

AUTOMATIC = (
    '<style:style style:name="P1" style:parent-style-name="Title" style:master-page-name="Standard"/>'
    '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="a" '
    'style:num-suffix=")"/><text:list-level-style-bullet text:level="2"/></text:list-style>'
)
MASTER = (
    '<style:master-page style:name="Standard"><style:header><text:p>Port authority</text:p></style:header>'
    "<style:footer><text:p>Page <text:page-number>1</text:page-number></text:p></style:footer></style:master-page>"
    '<style:master-page style:name="Unused"><style:header><text:p>Nowhere</text:p></style:header></style:master-page>'
)
BODY = (
    "<text:tracked-changes><text:changed-region><text:deletion><text:p>Gone words</text:p></text:deletion>"
    "</text:changed-region></text:tracked-changes>"
    '<text:p text:style-name="P1">Rules</text:p><text:h text:outline-level="1">Mooring</text:h>'
    '<text:section><text:p>Boats<text:s text:c="2000000000"/>moor<text:tab/>here'
    "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>A foot note</text:p></text:note-body>"
    "</text:note> at   the <text:span>quay</text:span>.<office:annotation><dc:creator>Ann</dc:creator>"
    "<text:p>Check this</text:p></office:annotation></text:p></text:section>"
    '<text:list text:style-name="L1"><text:list-item><text:p>one</text:p><text:list><text:list-item>'
    "<text:p>inner</text:p></text:list-item></text:list></text:list-item><text:list-item><text:p>two</text:p></text:list-item></text:list>"
    '<text:p><text:a xlink:href="https://example.org/tides">the tide table</text:a>'
    "<draw:frame><draw:text-box><text:p>In the box</text:p></draw:text-box></draw:frame>"
    "<draw:frame><draw:image/><svg:desc>A crane</svg:desc></draw:frame></text:p>"
    "<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Berth</text:p></table:table-cell>"
    "<table:table-cell><text:p>Depth</text:p></table:table-cell></table:table-row></table:table-header-rows>"
    '<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="2"><text:p>deep'
    '</text:p></table:table-cell><table:table-cell table:number-columns-repeated="1000000000"/></table:table-row>'
    "</table:table>"
)


def chart() -> bytes:
    names = f'xmlns:chart="{ODF}chart:1.0"{ODF_NAMES}'
    return (
        f"{HEAD}<office:document-content {names}><office:body><office:chart><chart:chart><chart:title>"
        "<text:p>Ships</text:p></chart:title><table:table><table:table-row><table:table-cell><text:p>Tug</text:p>"
        "</table:table-cell><table:table-cell><text:p>5</text:p></table:table-cell></table:table-row></table:table>"
        "</chart:chart></office:chart></office:body></office:document-content>"
    ).encode()


class TestOdfTextExtractor(ExtractorContract):
    media_type = ODT[0]
    ending = "odt"
    sample = odf("text", BODY, automatic=AUTOMATIC, master=MASTER)
    says = "at the quay."

    def test_headings_give_the_path_below_the_title(self, path: Path) -> None:
        segment = next(s for s in segments(read(path, ODT[0])) if "quay" in s.text)
        assert segment.place.headings == ("Rules", "Mooring")

    def test_deletions_are_dropped(self, path: Path) -> None:
        assert "Gone" not in text_of(read(path, ODT[0]))

    def test_spaces_are_bounded(self, path: Path) -> None:
        assert f"Boats{' ' * 40}moor\there at the quay." in text_of(read(path, ODT[0]))

    def test_lists_are_marked_as_their_style_says(self, path: Path) -> None:
        found = [s.text for s in segments(read(path, ODT[0]))]
        assert [text for text in found if text.endswith(("one", "inner", "two"))] == ["a) one", "  - inner", "b) two"]

    def test_repeated_rows_and_columns_are_bounded(self, path: Path) -> None:
        table = next(s.text for s in segments(read(path, ODT[0])) if s.kind is SegmentKind.TABLE)
        assert table.splitlines() == ["| Berth | Depth |", "| --- | --- |", "| deep | deep |", "| deep | deep |"]

    @pytest.mark.parametrize(
        "words", ["In the box", "Picture: A crane", "A foot note", "Comment by Ann: Check this", "Port authority"]
    )
    def test_nothing_beside_the_body_is_lost(self, path: Path, words: str) -> None:
        assert text_of(read(path, ODT[0])).count(words) == 1

    def test_headers_of_unused_pages_and_page_numbers_are_left_out(self, path: Path) -> None:
        assert "Nowhere" not in text_of(read(path, ODT[0]))
        assert "Page 1" not in text_of(read(path, ODT[0]))

    def test_links_keep_their_address(self, path: Path) -> None:
        assert "[the tide table](https://example.org/tides)" in text_of(read(path, ODT[0]))

    def test_metadata_has_the_first_author(self, path: Path) -> None:
        assert facts(read(path, ODT[0])) == {
            "title": "Harbour rules",
            "author": "A. Writer",
            "last_modified_by": "B. Reader",
            "keywords": "boats, tides",
            "page_count": 3,
        }


class TestFlatText(ExtractorContract):
    media_type = ODT[1]
    ending = "fodt"
    sample = flat_odf("text", BODY, automatic=AUTOMATIC, master=MASTER)
    says = "at the quay."

    def test_reads_the_same_as_the_packed_form(self, path: Path, tmp_path: Path) -> None:
        packed = write(tmp_path / "a.odt", TestOdfTextExtractor.sample)
        assert segments(read(path, ODT[1])) == segments(read(packed, ODT[0]))

    def test_is_found_by_its_content(self, path: Path) -> None:
        assert detect(path, "notes.xml").media_type == ODT[1]


def test_charts_and_embedded_files_are_read(tmp_path: Path) -> None:
    body = '<text:p>x<draw:frame><draw:object xlink:href="./Object 1"/></draw:frame></text:p>'
    path = write(tmp_path / "a.odt", odf("text", body, more={"Object 1/content.xml": chart()}))
    assert "| Tug | 5 |" in text_of(read(path, ODT[0]))
    assert "Ships" in text_of(read(path, ODT[0]))


def test_an_encrypted_text_is_named_so(tmp_path: Path) -> None:
    manifest = (
        f'{HEAD}<m:manifest xmlns:m="{ODF}manifest:1.0"><m:file-entry m:full-path="content.xml"><m:encryption-data/>'
        "</m:file-entry></m:manifest>"
    )
    path = write(tmp_path / "a.odt", odf("text", BODY, more={"META-INF/manifest.xml": manifest}))
    with pytest.raises(EncryptedFile):
        read(path, ODT[0])


def _frame(text: str, role: str = "", at: str = "0cm") -> str:
    kind = f'presentation:class="{role}"' if role else ""
    box = f"<draw:text-box><text:p>{text}</text:p></draw:text-box>"
    return f'<draw:frame {kind} svg:x="0cm" svg:y="{at}">{box}</draw:frame>'


SLIDES = (
    '<draw:page draw:name="page1" draw:master-page-name="Default">'
    + _frame("Below", at="9cm")
    + _frame("Above", at="2cm")
    + _frame("Tides", "title", "5cm")
    + f"<presentation:notes>{_frame('Speak slowly', 'notes')}</presentation:notes></draw:page>"
    + f'<draw:page draw:style-name="dp1">{_frame("Secret")}</draw:page>'
)
HIDDEN = '<style:style style:name="dp1"><style:drawing-page-properties presentation:visibility="hidden"/></style:style>'
FOOTER = f'<style:master-page style:name="Default">{_frame("Port authority", "footer")}</style:master-page>'


class TestOdfSlidesExtractor(ExtractorContract):
    media_type = ODP[0]
    ending = "odp"
    sample = odf("presentation", SLIDES, automatic=HIDDEN, master=FOOTER)
    says = "Above"

    def test_the_title_is_the_heading_and_shapes_follow_from_top_to_bottom(self, path: Path) -> None:
        found = segments(read(path, ODP[0]))
        assert [s.text for s in found] == [
            "## Tides", "Above", "Below", "Notes: Speak slowly", "## Slide 2 (hidden slide)", "Secret",
            "Port authority",
        ]  # fmt: skip
        assert [s.place.slide for s in found] == [1, 1, 1, 1, 2, 2, None]
        assert found[1].place.headings == ("Tides",)

    def test_counts_slides_and_names_hidden_ones(self, path: Path) -> None:
        assert facts(read(path, ODP[0]))["slide_count"] == 2
        assert facts(read(path, ODP[0]))["hidden_slides"] == [2]


def test_a_drawing_has_pages(tmp_path: Path) -> None:
    path = write(tmp_path / "a.odg", odf("drawing", f"<draw:page><draw:g>{_frame('Crane')}</draw:g></draw:page>"))
    assert detect(path).media_type == ODG[0]
    assert [(s.text, s.place.page) for s in segments(read(path, ODG[0]))] == [("Crane", 1)]
