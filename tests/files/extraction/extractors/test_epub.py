from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.document import Coverage, SegmentKind
from files.extraction.errors import EncryptedFile, MalformedFile
from files.extraction.media_types import EPUB
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.office_samples import HEAD, epub
from tests.files.extraction.samples import write, zipped

NAV = (
    f'{HEAD}<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>'
    '<nav epub:type="landmarks"><a href="two.xhtml">Begin reading</a></nav>'
    '<nav epub:type="toc"><ol><li><a href="two.xhtml#top">The second chapter</a></li></ol></nav></body></html>'
)
NCX = (
    f'{HEAD}<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>Old name</text>'
    '</navLabel><content src="two.xhtml"/></navPoint></navMap></ncx>'
)
CHAPTERS = {
    "one.xhtml": "<h1>Mooring</h1><p>Boats moor<a id='x'/> at the quay.</p>"
    '<aside epub:type="footnote"><p>A foot note</p></aside>',
    "two.xhtml": "<p>The tide turns.</p>"
    "<table><tr><th>Berth</th><th>Depth</th></tr><tr><td>A</td><td>4.5</td></tr></table>",
    "notes.xhtml": "<p>Beside the story</p>",
}
SPINE = '<itemref idref="c2" linear="no"/><itemref idref="c0"/><itemref idref="c1"/>'
NAV_ITEM = '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
NCX_ITEM = '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'


def encryption(*parts: str, method: str = "http://www.w3.org/2001/04/xmlenc#aes128-cbc") -> str:
    listed = "".join(
        f'<e:EncryptedData><e:EncryptionMethod Algorithm="{method}"/><e:CipherData><e:CipherReference URI="{part}"/>'
        "</e:CipherData></e:EncryptedData>"
        for part in parts
    )
    return f'{HEAD}<encryption xmlns:e="http://www.w3.org/2001/04/xmlenc#">{listed}</encryption>'


class TestEpubExtractor(ExtractorContract):
    media_type = EPUB
    ending = "epub"
    sample = epub(CHAPTERS, spine=SPINE, opf=NAV_ITEM, more={"nav.xhtml": NAV})
    says = "Boats moor at the quay."

    def test_chapters_come_in_the_order_of_the_spine_and_those_beside_it_last(self, path: Path) -> None:
        text = text_of(read(path, EPUB))
        assert text.index("Boats moor") < text.index("The tide turns") < text.index("Beside the story")

    def test_a_chapter_without_a_heading_has_its_name_in_the_contents(self, path: Path) -> None:
        found = segments(read(path, EPUB))
        assert "# The second chapter" in [s.text for s in found]
        assert next(s for s in found if "tide" in s.text).place.headings == ("The second chapter",)
        assert next(s for s in found if "Boats" in s.text).place.headings == ("Mooring",)

    def test_notes_and_tables_are_told_apart(self, path: Path) -> None:
        kinds = {s.text: s.kind for s in segments(read(path, EPUB))}
        assert kinds["A foot note"] is SegmentKind.NOTE
        assert kinds["| Berth | Depth |\n| --- | --- |\n| A | 4.5 |"] is SegmentKind.TABLE

    def test_metadata_names_all_authors(self, path: Path) -> None:
        found = facts(read(path, EPUB))
        assert (found["title"], found["author"], found["language"]) == ("The Quay", "A. Writer, B. Writer", "en")

    def test_every_chapter_is_covered(self, path: Path) -> None:
        assert [p for p in read(path, EPUB) if isinstance(p, Coverage)][-1] == Coverage("chapters", 3, 3)


def test_contents_of_the_older_form_name_chapters_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.epub", epub(CHAPTERS, opf=NCX_ITEM, more={"toc.ncx": NCX}))
    assert "# Old name" in text_of(read(path, EPUB))


def test_a_book_whose_chapters_are_locked_is_encrypted(tmp_path: Path) -> None:
    locked = encryption(*(f"OPS/{name}" for name in CHAPTERS))
    with pytest.raises(EncryptedFile):
        read(write(tmp_path / "a.epub", epub(CHAPTERS, more={"META-INF/encryption.xml": locked})), EPUB)


def test_one_locked_chapter_makes_the_book_partial(tmp_path: Path) -> None:
    more = {"META-INF/encryption.xml": encryption("OPS/two.xhtml")}
    pieces = read(write(tmp_path / "a.epub", epub(CHAPTERS, more=more)), EPUB)
    assert "Boats moor" in text_of(pieces)
    assert warnings_of(pieces) == ["encrypted"]


def test_hidden_fonts_lock_nothing(tmp_path: Path) -> None:
    more = {"META-INF/encryption.xml": encryption("OPS/two.xhtml", method="http://www.idpf.org/2008/embedding")}
    assert not warnings_of(read(write(tmp_path / "a.epub", epub(CHAPTERS, more=more)), EPUB))


def test_a_book_without_a_spine_is_read_in_the_order_of_its_list(tmp_path: Path) -> None:
    path = write(tmp_path / "a.epub", epub(CHAPTERS, spine="<itemref idref='missing'/>"))
    assert "The tide turns." in text_of(read(path, EPUB))


def test_a_root_outside_the_package_is_malformed(tmp_path: Path) -> None:
    container = '<container><rootfiles><rootfile full-path="../../etc/passwd"/></rootfiles></container>'
    with pytest.raises(MalformedFile):
        read(write(tmp_path / "a.epub", zipped({"META-INF/container.xml": container})), EPUB)
