"""Presentations, binary workbooks, OpenDocument files and e-books, made on the spot."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from tests.files.extraction.samples import OFFICE, PACKAGE, zipped

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_NAMES = f'xmlns:p="{P}" xmlns:a="{A}" xmlns:r="{OFFICE}"'
ODF = "urn:oasis:names:tc:opendocument:xmlns:"
ODF_NAMES = (
    "".join(
        f' xmlns:{short}="{ODF}{name}:1.0"'
        for short, name in (
            ("office", "office"),
            ("text", "text"),
            ("table", "table"),
            ("draw", "drawing"),
            ("style", "style"),
            ("presentation", "presentation"),
            ("meta", "meta"),
            ("svg", "svg-compatible"),
        )
    )
    + ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."

Parts = Mapping[str, str | bytes]
Relations = Sequence[tuple[str, str, str]]  # id, kind, target


def relations(pointers: Relations) -> str:
    """The relations of a part."""
    listed = "".join(
        f'<Relationship Id="{key}" Type="{OFFICE}/{kind}" Target="{target}"'
        + (' TargetMode="External"' if "://" in target else "")
        + "/>"
        for key, kind, target in pointers
    )
    return f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def shape(text: str, *, role: str = "", at: tuple[int, int] | None = None, number: str = "") -> str:
    """A shape of one or more paragraphs (parted by newlines); `at` is its left and top."""
    said = [f'{key}="{value}"' for key, value in (("type", role), ("idx", number)) if value]
    mark = f"<p:ph {' '.join(said)}/>" if said else ""
    place = f'<a:xfrm><a:off x="{at[0]}" y="{at[1]}"/></a:xfrm>' if at else ""
    lines = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="2" name="x"/><p:cNvSpPr/><p:nvPr>{mark}</p:nvPr></p:nvSpPr>'
        f"<p:spPr>{place}</p:spPr><p:txBody>{lines}</p:txBody></p:sp>"
    )


def slide(shapes: str, *, hidden: bool = False, tag: str = "sld") -> str:
    """A slide, its layout (`sldLayout`) or its notes (`notes`)."""
    shown = 'show="0"' if hidden else ""
    return f"{HEAD}<p:{tag} {_NAMES} {shown}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:{tag}>"


def pptx(slides: Sequence[str], more: Parts | None = None) -> bytes:
    """A presentation. `more` are further parts, relations of slides among them."""
    entries = "".join(f'<p:sldId id="{255 + at}" r:id="s{at}"/>' for at in range(1, len(slides) + 1))
    # The files are numbered backwards: the order is that of the list.
    names = {at: f"slides/slide{len(slides) - at + 1}.xml" for at in range(1, len(slides) + 1)}
    return zipped(
        {
            "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types"/>',
            "_rels/.rels": relations([("r1", "officeDocument", "ppt/presentation.xml")]),
            "ppt/presentation.xml": f"{HEAD}<p:presentation {_NAMES}><p:sldIdLst>{entries}</p:sldIdLst>"
            "</p:presentation>",
            "ppt/_rels/presentation.xml.rels": relations(
                [*((f"s{at}", "slide", name) for at, name in names.items()), ("a1", "commentAuthors", "authors.xml")]
            ),
            "ppt/authors.xml": f'{HEAD}<p:cmAuthorLst {_NAMES}><p:cmAuthor id="0" name="Ann"/></p:cmAuthorLst>',
            "docProps/core.xml": f'{HEAD}<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Harbour plan</dc:title></cp:coreProperties>',
            **{f"ppt/{names[at]}": content for at, content in enumerate(slides, 1)},
            **(more or {}),
        }
    )


def odf(kind: str, body: str, *, automatic: str = "", master: str = "", more: Parts | None = None) -> bytes:
    """An OpenDocument file. `kind` is text, spreadsheet, presentation or drawing; `body` what its body holds."""
    declared = _OPEN_DOCUMENT + ("graphics" if kind == "drawing" else kind)
    return zipped(
        {
            "mimetype": declared,
            "META-INF/manifest.xml": f'{HEAD}<manifest:manifest xmlns:manifest="{ODF}manifest:1.0"/>',
            "meta.xml": f"{HEAD}<office:document-meta{ODF_NAMES}>{ODF_META}</office:document-meta>",
            "styles.xml": f"{HEAD}<office:document-styles{ODF_NAMES}><office:master-styles>{master}"
            "</office:master-styles></office:document-styles>",
            "content.xml": f"{HEAD}<office:document-content{ODF_NAMES}><office:automatic-styles>{automatic}"
            f"</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}></office:body>"
            "</office:document-content>",
            **(more or {}),
        },
        stored=("mimetype",),
    )


def flat_odf(kind: str, body: str, *, automatic: str = "", master: str = "") -> bytes:
    """The same as one XML."""
    return (
        f'{HEAD}<office:document{ODF_NAMES} office:mimetype="{_OPEN_DOCUMENT}{kind}">{ODF_META}'
        f"<office:automatic-styles>{automatic}</office:automatic-styles>"
        f"<office:master-styles>{master}</office:master-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document>"
    ).encode()


ODF_META = (
    "<office:meta><dc:title>Harbour rules</dc:title><meta:initial-creator>A. Writer</meta:initial-creator>"
    "<dc:creator>B. Reader</dc:creator><meta:keyword>boats</meta:keyword><meta:keyword>tides</meta:keyword>"
    '<meta:document-statistic meta:page-count="3"/></office:meta>'
)


def epub(chapters: Mapping[str, str], *, spine: str = "", opf: str = "", more: Parts | None = None) -> bytes:
    """An e-book of `chapters` (file name: body). `spine` and `opf` replace or extend what is made of them."""
    items = "".join(
        f'<item id="c{at}" href="{name}" media-type="application/xhtml+xml"/>' for at, name in enumerate(chapters)
    )
    spine = spine or "".join(f'<itemref idref="c{at}"/>' for at in range(len(chapters)))
    parts = {f"OPS/{name}": f"{HEAD}{_PAGE}<body>{body}</body></html>" for name, body in chapters.items()}
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": f'{HEAD}<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
            '<rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
            "OPS/book.opf": f'{HEAD}<package xmlns="http://www.idpf.org/2007/opf">'
            '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Quay</dc:title>'
            "<dc:creator>A. Writer</dc:creator><dc:creator>B. Writer</dc:creator><dc:language>en</dc:language>"
            f"</metadata><manifest>{items}{opf}</manifest><spine>{spine}</spine></package>",
            **parts,
            **{f"OPS/{name}" if "/" not in name else name: content for name, content in (more or {}).items()},
        },
        stored=("mimetype",),
    )


_PAGE = (
    '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title/>'
    "<style>p{color:red}</style></head>"
)


def xlsb(sheets: Mapping[str, Sequence[Sequence[str | float]]], hidden: Sequence[str] = (), comment: str = "") -> bytes:
    """A binary workbook of text and numbers; `comment` stands on A1 of the first sheet."""
    book = _record(131) + _record(143)
    for at, name in enumerate(sheets, 1):
        book += _record(156, struct.pack("<II", int(name in hidden), at) + _wide(f"s{at}") + _wide(name))
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": relations([("r1", "officeDocument", "xl/workbook.bin")]),
        "xl/workbook.bin": book + _record(144) + _record(157, bytes(26)) + _record(132),
        "xl/_rels/workbook.bin.rels": relations(
            [(f"s{at}", "worksheet", f"worksheets/sheet{at}.bin") for at in range(1, len(sheets) + 1)]
        ),
        "xl/worksheets/_rels/sheet1.bin.rels": relations([("c1", "comments", "../comments1.bin")]),
        "xl/comments1.bin": _record(635, struct.pack("<5I", 0, 0, 0, 0, 0) + bytes(16))
        + _record(637, b"\0" + _wide(comment)),
    }
    for at, rows in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/sheet{at}.bin"] = _binary_sheet(rows)
    return zipped(parts)


def _binary_sheet(rows: Sequence[Sequence[str | float]]) -> bytes:
    width = max((len(row) for row in rows), default=1)
    out = _record(129) + _record(148, struct.pack("<4I", 0, max(len(rows) - 1, 0), 0, width - 1)) + _record(145)
    for number, row in enumerate(rows):
        out += _record(0, struct.pack("<I", number) + bytes(21))
        for column, value in enumerate(row):
            place = struct.pack("<II", column, 0)
            if isinstance(value, str):
                out += _record(6, place + _wide(value))
            else:
                out += _record(5, place + struct.pack("<d", value))
    return out + _record(146) + _record(130)


def _record(kind: int, body: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
    length = len(body)
    while length > 127:
        head += bytes([length & 127 | 128])
        length >>= 7
    return head + bytes([length]) + body


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")
