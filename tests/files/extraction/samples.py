"""Small files of each format, made on the spot."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.comments import Comment
from PIL import Image

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

Line = tuple[float, float, float, str]  # x, y, size, text


def write(path: Path, content: bytes | str) -> Path:
    """Write `content` and return `path`."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def pdf(pages: Sequence[Sequence[Line]], *, drawing: str = "", title: str = "") -> bytes:
    """A PDF of Helvetica lines; `drawing` is put before the text of each page."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        text = "".join(f"BT /F1 {size} Tf {x} {y} Td ({_escaped(words)}) Tj ET\n" for x, y, size, words in lines)
        content = (drawing + text).encode("cp1252")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            b"/Contents %d 0 R >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    objects.append(b"<< /Title (%s) /Author (A. Writer) >>" % title.encode())
    return _assembled(objects)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _assembled(objects: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.5\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def scanned_pdf() -> bytes:
    """A PDF of one page that is a picture."""
    out = io.BytesIO()
    Image.new("RGB", (60, 80), "white").save(out, "PDF")
    return out.getvalue()


def zipped(parts: Mapping[str, str | bytes], stored: Sequence[str] = ()) -> bytes:
    """A ZIP of `parts`, those in `stored` without compression."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name in stored else None)
    return out.getvalue()


def docx(body: str, more: Mapping[str, str | bytes] | None = None, relations: Sequence[tuple[str, str]] = ()) -> bytes:
    """A Word document. `relations` are (kind, target) of the main part; `more` the parts they point to."""
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    pointers = "".join(
        f'<Relationship Id="r{at}" Type="{OFFICE}/{kind}" Target="{target}"'
        + (' TargetMode="External"' if "://" in target else "")
        + "/>"
        for at, (kind, target) in enumerate(relations, 1)
    )
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{head}<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": f'{head}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'{head}<w:document xmlns:w="{W}" xmlns:r="{OFFICE}"><w:body>{body}</w:body></w:document>',
        "word/_rels/document.xml.rels": f'{head}<Relationships xmlns="{PACKAGE}/relationships">{pointers}'
        "</Relationships>",
        "docProps/core.xml": f'{head}<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Harbour rules</dc:title>'
        "<dc:creator>A. Writer</dc:creator></cp:coreProperties>",
        **(more or {}),
    }
    return zipped(parts)


def paragraph(text: str, style: str = "") -> str:
    """A Word paragraph."""
    settings = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{settings}<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def table(*rows: Sequence[str], after_last: str = "") -> str:
    """A Word table; `after_last` is put into its last cell, behind the text."""
    cells = [[f"<w:tc>{paragraph(cell)}@</w:tc>" for cell in row] for row in rows]
    cells[-1][-1] = cells[-1][-1].replace("@", after_last)
    return "<w:tbl>" + "".join(f"<w:tr>{''.join(row)}</w:tr>" for row in cells).replace("@", "") + "</w:tbl>"


def xlsx(sheets: Mapping[str, Sequence[Any]], *, hidden: Sequence[str] = (), comment: str = "") -> bytes:
    """An Excel workbook; `comment` stands on A1 of the first sheet."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        if comment:
            sheet["A1"].comment = Comment(comment, "A. Writer")
            comment = ""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
