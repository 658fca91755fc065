from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.document import Coverage, SegmentKind
from files.extraction.errors import MalformedFile
from files.extraction.limits import Limits
from files.extraction.media_types import PPTX
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.office_samples import HEAD, A, P, pptx, relations, shape, slide
from tests.files.extraction.samples import write, zipped

C = "http://schemas.openxmlformats.org/drawingml/2006/chart"
DGM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
TABLE = (
    '<p:graphicFrame><p:xfrm><a:off x="0" y="900000"/></p:xfrm><a:graphic><a:graphicData><a:tbl>'
    + "".join(
        "<a:tr>"
        + "".join(f"<a:tc><a:txBody><a:p><a:r><a:t>{cell}</a:t></a:r></a:p></a:txBody></a:tc>" for cell in row)
        + "</a:tr>"
        for row in (("Berth", "Depth"), ("A", "4.5 m"))
    ).replace("a:txBody", "p:txBody")
    + "</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
)
DRAWN = (
    f'<p:graphicFrame><a:graphic><a:graphicData><c:chart xmlns:c="{C}" r:id="c1"/></a:graphicData></a:graphic>'
    f'</p:graphicFrame><p:graphicFrame><a:graphic><a:graphicData><d:relIds xmlns:d="{DGM}" r:dm="d1"/>'
    "</a:graphicData></a:graphic></p:graphicFrame>"
)
GROUP = (
    '<p:grpSp><p:grpSpPr><a:xfrm><a:off x="0" y="400000"/></a:xfrm></p:grpSpPr>'
    f"{shape('In a group', at=(0, 0))}</p:grpSp>"
)
FIRST = slide(
    shape("Below on the right", at=(5_000_000, 3_000_000))
    + shape("Below on the left", at=(0, 3_010_000))
    + GROUP
    + TABLE
    + shape("One\nTwo", number="1")
    + shape("Mooring", role="title")
    + shape("Port of Elsewhere", role="ftr")
    + shape("7", role="sldNum")
)
CHART = (
    f'{HEAD}<c:chartSpace xmlns:c="{C}" xmlns:a="{A}"><c:title><a:p><a:r><a:t>Ships a year</a:t></a:r></a:p></c:title>'
    "<c:ser><c:tx><c:v>Tugs</c:v></c:tx>"
    '<c:cat><c:strCache><c:pt idx="0"><c:v>2001</c:v></c:pt><c:pt idx="1"><c:v>2002</c:v></c:pt></c:strCache></c:cat>'
    '<c:val><c:numCache><c:pt idx="0"><c:v>5</c:v></c:pt><c:pt idx="1"><c:v>8</c:v></c:pt></c:numCache></c:val>'
    "</c:ser></c:chartSpace>"
)


def _point(key: str, text: str, kind: str = "node") -> str:
    return f'<d:pt modelId="{key}" type="{kind}"><d:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></d:t></d:pt>'


DIAGRAM = (
    f'{HEAD}<d:dataModel xmlns:d="{DGM}" xmlns:a="{A}"><d:ptLst>{_point("0", "", "doc")}{_point("2", "Tug")}'
    f"{_point('1', 'Fleet')}{_point('3', 'Shown', 'pres')}</d:ptLst><d:cxnLst>"
    '<d:cxn srcId="0" destId="1" srcOrd="0"/><d:cxn srcId="1" destId="2" srcOrd="0"/></d:cxnLst></d:dataModel>'
)
MORE: dict[str, str | bytes] = {
    "ppt/slides/_rels/slide1.xml.rels": relations(
        [
            ("n1", "notesSlide", "../notes1.xml"),
            ("k1", "comments", "../comments1.xml"),
            ("c1", "chart", "../chart1.xml"),
            ("d1", "diagramData", "../data1.xml"),
            ("l1", "slideLayout", "../layout1.xml"),
        ]
    ),
    "ppt/notes1.xml": slide(shape("Speak slowly", role="body") + shape("3", role="sldNum"), tag="notes"),
    "ppt/comments1.xml": f'{HEAD}<p:cmLst xmlns:p="{P}"><p:cm authorId="0"><p:text>Check this</p:text></p:cm>'
    "</p:cmLst>",
    "ppt/chart1.xml": CHART,
    "ppt/data1.xml": DIAGRAM,
}
SECOND = slide(shape("Tides", role="ctrTitle") + DRAWN, hidden=True)


class TestPptxExtractor(ExtractorContract):
    media_type = PPTX
    ending = "pptx"
    sample = pptx([FIRST, SECOND], MORE)
    says = "In a group"

    def test_the_title_is_the_heading_and_shapes_follow_from_top_to_bottom(self, path: Path) -> None:
        found = [s.text for s in segments(read(path, PPTX)) if s.place.slide == 1]
        assert found[0] == "## Mooring"
        order = ["In a group", "Berth", "Below on the left", "Below on the right"]
        at = [next(i for i, text in enumerate(found) if word in text) for word in order]
        assert at == sorted(at)

    def test_a_slide_is_the_place_and_its_title_the_path(self, path: Path) -> None:
        segment = next(s for s in segments(read(path, PPTX)) if "In a group" in s.text)
        assert (segment.place.slide, segment.place.headings) == (1, ("Mooring",))

    def test_placeholders_for_content_are_lists(self, path: Path) -> None:
        assert "- One\n- Two" in text_of(read(path, PPTX))

    def test_tables_and_charts_are_markdown(self, path: Path) -> None:
        tables = [s.text for s in segments(read(path, PPTX)) if s.kind is SegmentKind.TABLE]
        assert tables[0].splitlines()[::2] == ["| Berth | Depth |", "| A | 4.5 m |"]
        assert "| 2001 | 2002 |" in tables[1]
        assert "| Tugs | 5 | 8 |" in tables[1]

    def test_a_diagram_is_a_list_in_the_order_of_its_connections(self, path: Path) -> None:
        assert any(s.text == "- Fleet\n  - Tug" for s in segments(read(path, PPTX)))

    @pytest.mark.parametrize("words", ["Notes: Speak slowly", "Comment by Ann: Check this", "## Tides (hidden slide)"])
    def test_nothing_beside_the_shapes_is_lost(self, path: Path, words: str) -> None:
        assert words in text_of(read(path, PPTX))

    def test_footers_come_once_and_slide_numbers_not_at_all(self, path: Path) -> None:
        found = [s.text for s in segments(read(path, PPTX))]
        assert found.count("Port of Elsewhere") == 1
        assert "7" not in found

    def test_counts_slides_and_names_hidden_ones(self, path: Path) -> None:
        pieces = read(path, PPTX)
        assert facts(pieces) == {"title": "Harbour plan", "slide_count": 2, "hidden_slides": [2]}
        assert [p for p in pieces if isinstance(p, Coverage)][-1] == Coverage("slides", 2, 2)

    def test_more_slides_than_the_limit_keep_those_before_it(self, path: Path) -> None:
        pieces = read(path, PPTX, Limits(pages=1))
        assert "Mooring" in text_of(pieces)
        assert "Tides" not in text_of(pieces)
        assert warnings_of(pieces) == ["too_many_pages"]


def test_a_placeholder_without_a_place_stands_where_its_layout_puts_it(tmp_path: Path) -> None:
    layout = slide(shape("prompt", number="5", at=(0, 9_000_000)), tag="sldLayout")
    first = slide(shape("Low", number="5") + shape("High", at=(0, 100_000)))
    more = {
        "ppt/slides/_rels/slide1.xml.rels": relations([("l1", "slideLayout", "../layout1.xml")]),
        "ppt/layout1.xml": layout,
    }
    found = [s.text for s in segments(read(write(tmp_path / "a.pptx", pptx([first], more)), PPTX))]
    assert found == ["High", "- Low"]


def test_a_damaged_slide_does_not_take_the_others_along(tmp_path: Path) -> None:
    pieces = read(write(tmp_path / "a.pptx", pptx(["<p:sld", slide(shape("Still here"))])), PPTX)
    assert "Still here" in text_of(pieces)
    assert warnings_of(pieces) == ["malformed"]


def test_a_package_without_a_presentation_is_malformed(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile):
        read(write(tmp_path / "a.pptx", zipped({"ppt/other.xml": "<a/>"})), PPTX)
