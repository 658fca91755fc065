"""The files that are uploaded to be measured."""

from __future__ import annotations

import textwrap
import zipfile
from pathlib import Path

from tests.benchmarks.texts import VOCABULARY, Writer
from tests.samples import pdf_of, scan_of

_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
_DOCUMENT = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
)


def text_pdf(path: Path, size: int) -> int:
    """Write a PDF of text alone, of about `size` bytes; return its number of pages."""
    writer, pages = Writer(1), list[str]()
    while sum(len(page) + 450 for page in pages) < size:
        lines = [writer.sentence(len(pages) // 20)[:95] for _ in range(38)]
        pages.append("\n".join(lines))
    path.write_bytes(pdf_of(pages))
    return len(pages)


def text_pages(path: Path, pages: int) -> None:
    """Write a PDF of so many pages of text alone, of about 500 characters each."""
    path.write_bytes(pdf_of(_pages(pages, lines=6, width=90)))


def scanned_pages(path: Path, pages: int) -> None:
    """Write a PDF of so many pages that are pictures of text, of about 2,600 characters each."""
    path.write_bytes(scan_of(_pages(pages, lines=44, width=62)))


def _pages(count: int, *, lines: int, width: int) -> list[str]:
    writer = Writer(8)
    texts = (textwrap.wrap(writer.paragraph(page // 20, 2 * lines * width), width) for page in range(count))
    return ["\n".join(text[:lines]) for text in texts]


def long_text(path: Path, size: int) -> None:
    """Write a text file of `size` bytes, in paragraphs, out of a large vocabulary."""
    writer, written, number = Writer(9, VOCABULARY), 0, 0
    with path.open("w") as file:
        while written < size:
            written += file.write(writer.paragraph(number // 40, 600) + "\n\n")
            number += 1


def text_docx(path: Path, size: int) -> int:
    """Write a DOCX of text alone whose body is kept uncompressed and has `size` bytes; return its paragraphs."""
    writer, paragraphs, written = Writer(2), 0, 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as package:
        package.writestr("[Content_Types].xml", _TYPES)
        package.writestr("_rels/.rels", _RELATIONS)
        with package.open("word/document.xml", "w") as body:
            body.write(_DOCUMENT.encode())
            while written < size:
                text = writer.paragraph(paragraphs // 40, 600)
                written += body.write(f'<w:p><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'.encode())
                paragraphs += 1
            body.write(b"</w:body></w:document>")
    return paragraphs


def small_texts(folder: Path, count: int) -> list[Path]:
    """Write text files of one to three paragraphs."""
    folder.mkdir(parents=True, exist_ok=True)
    writer, paths = Writer(3), []
    for number in range(count):
        path = folder / f"note-{number:04}.txt"
        path.write_text("\n\n".join(writer.paragraph(number % 50, 500) for _ in range(1 + number % 3)))
        paths.append(path)
    return paths


def table_xlsx(path: Path, rows: int) -> None:
    """Write a workbook of one sheet, eight columns of words and numbers."""
    import openpyxl

    writer, book = Writer(4), openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Data")
    words = [writer.sentence(topic)[:30] for topic in range(50)]
    for row in range(rows):
        sheet.append(
            [row, words[row % 50], row * 0.5, words[row % 49], row % 7, words[row % 47], row * 3, words[row % 43]]
        )
    book.save(path)


def table_docx(path: Path, size: int) -> None:
    """Write a DOCX whose body has `size` bytes: paragraphs, and a table of 200 cells after every 300 of them."""
    writer, written, number = Writer(6), 0, 0
    cell = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", _TYPES)
        package.writestr("_rels/.rels", _RELATIONS)
        with package.open("word/document.xml", "w") as body:
            body.write(_DOCUMENT.encode())
            while written < size:
                text = writer.paragraph(number // 40, 600)
                written += body.write(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>".encode())
                number += 1
                if number % 300 == 0:
                    row = "<w:tr>" + "".join(cell.format(word) for word in text.split()[:10]) + "</w:tr>"
                    written += body.write(f"<w:tbl>{row * 20}</w:tbl>".encode())
            body.write(b"</w:body></w:document>")


def large_table(path: Path, size: int) -> None:
    """Write a CSV or JSON Lines file, as its ending says, of `size` bytes."""
    writer, written, row = Writer(7), 0, 0
    words = [writer.sentence(topic)[:60].replace('"', "") for topic in range(200)]
    with path.open("w") as file:
        while written < size:
            fields = (row, words[row % 200], row * 0.25, words[row % 199])
            if path.suffix == ".csv":
                written += file.write('{},"{}",{},"{}"\n'.format(*fields))
            else:
                written += file.write('{{"id": {}, "note": "{}", "share": {}, "place": "{}"}}\n'.format(*fields))
            row += 1
