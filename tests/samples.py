"""Files that tests make themselves."""

from __future__ import annotations

import io
from collections.abc import Sequence


def pdf_of(pages: Sequence[str]) -> bytes:
    """Return a small, valid PDF with one line of text per line of each page."""
    objects: list[bytes] = []
    page_ids = [4 + 2 * number for number in range(len(pages))]
    kids = " ".join(f"{number} 0 R" for number in page_ids)
    objects.append(b"<< /Type /Catalog /Pages 2 0 R >>")
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    for number, text in zip(page_ids, pages, strict=True):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {number + 1} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        stream = _content(text)
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    return _assembled(objects)


def scan_of(pages: Sequence[str]) -> bytes:
    """Return a PDF whose A4 pages are pictures of these texts, as a scanner makes them at 200 dots per inch."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(30)
    pictures = []
    for text in pages:
        picture = Image.new("L", (1654, 2339), "white")
        ImageDraw.Draw(picture).multiline_text((140, 140), text, fill="black", font=font, spacing=14)
        pictures.append(picture)
    out = io.BytesIO()
    pictures[0].save(out, "PDF", resolution=200, save_all=True, append_images=pictures[1:])
    return out.getvalue()


def text_and_scan_of(texts: Sequence[str], scanned: Sequence[str]) -> bytes:
    """Return a PDF of pages with text, which are read at once, and of scanned ones, which take a second each."""
    from pypdf import PdfWriter

    writer = PdfWriter()
    for part in (pdf_of(texts), scan_of(scanned)):
        writer.append(io.BytesIO(part))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _content(text: str) -> bytes:
    lines = [line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in text.splitlines()]
    shown = " ".join(f"({line}) Tj T*" for line in lines)
    return f"BT /F1 11 Tf 14 TL 60 740 Td {shown} ET".encode("cp1252", "replace")


def _assembled(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def long_text(paragraphs: int, salt: str) -> bytes:
    """Return a text of so many paragraphs; another `salt` makes another text."""
    lines = [
        f"Paragraph {n} of {salt}. " + "The quick brown fox jumps over the lazy dog. " * 12 for n in range(paragraphs)
    ]
    return "\n\n".join(lines).encode()
