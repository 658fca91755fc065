"""Hostile files made here, one or two of each class: what they declare is huge, what they are is small."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from tests.files.extraction import samples

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Hostile:
    """A hostile file.

    `refused` says that nothing of it can be read; `says` is text that must come out all the same; `long` that it is
    hostile by the length of its text, all of which is to be indexed.
    """

    name: str
    content: bytes
    refused: bool = False
    says: str = ""
    long: bool = False


def all_samples(canary: str) -> Iterator[Hostile]:
    """Yield the samples; those that reach for another file reach for the one at the path `canary`."""
    yield from _zipped(canary)
    yield from _marked_up(canary)
    yield from _documents()
    yield from _data()
    yield from _media()
    yield from _archives()
    yield from _mail()


def _zipped(canary: str) -> Iterator[Hostile]:
    body = samples.paragraph("harmless")
    main = "word/document.xml"
    zeros = b"<w:p/>" * (256 * MEBIBYTE // 6)
    yield Hostile("bomb.docx", samples.zipped({"[Content_Types].xml": "", main: zeros}), refused=True)
    yield Hostile("entities.docx", _with_document(_laughs("w:document")))
    yield Hostile("external.docx", _with_document(_external("w:document", canary)))
    overlapping = bytearray(samples.docx(body))
    at = overlapping.find(b"PK\x01\x02")
    overlapping[at + 42 : at + 46] = struct.pack("<I", 7)
    yield Hostile("overlapping.docx", bytes(overlapping))
    yield Hostile("far-cell.xlsx", _far_cell())
    yield Hostile("traversal.zip", samples.zipped({"../../../etc/cron.d/x": "x", "/etc/passwd": "x", "a\\..\\b": "x"}))
    yield Hostile("many.zip", _many_entries(70_000), long=True)


def _marked_up(canary: str) -> Iterator[Hostile]:
    yield Hostile("laughs.xml", _laughs("r"))
    yield Hostile("external.xml", _external("r", canary))
    yield Hostile("external.svg", _external("svg", canary))
    yield Hostile("deep.xml", b"<a>" * 300_000)
    yield Hostile("deep.html", b"<div>" * 200_000 + b"bottom")
    yield Hostile("comments.html", b"<!--" * 200_000)
    yield Hostile("brackets.md", b"[" * 200_000 + b"](x)" * 1000, long=True)
    yield Hostile("emphasis.md", b"*a_ " * 200_000, long=True)


def _documents() -> Iterator[Hostile]:
    loop = samples.pdf([[(72, 700, 10, "readable")]]).replace(b"/Type /Pages", b"/Type /Pages /Parent 2 0 R")
    yield Hostile("loop.pdf", loop)
    yield Hostile("cut.pdf", samples.pdf([[(72, 700, 10, "x")]])[:200], refused=True)
    packed = zlib.compress(zlib.compress(bytes(64 * MEBIBYTE)))
    stream = b"5 0 obj << /Length %d /Filter [/FlateDecode /FlateDecode] >> stream\n" % len(packed) + packed
    yield Hostile("flate.pdf", b"%PDF-1.5\n" + stream + b"\nendstream endobj\ntrailer << /Root 1 0 R >>")
    yield Hostile("groups.rtf", b"{\\rtf1 " + b"{\\b " * 200_000)
    fat = bytearray(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0"))
    fat[30:32], fat[44:48], fat[48:52], fat[76:80] = b"\x09\0", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\0\0\0\0"
    yield Hostile("fat-loop.doc", bytes(fat) + bytes(2048))


def _data() -> Iterator[Hostile]:
    yield Hostile("deep.json", b"[" * 500_000, long=True)
    yield Hostile("surrogates.json", b'{"k": "\\ud800 \\udfff \\u0000 words"}', says="words")
    yield Hostile("digits.json", b'{"n": ' + b"9" * 300_000 + b"}", long=True)
    yield Hostile("aliases.yaml", "\n".join(_yaml_laughs()).encode())
    yield Hostile("wide.csv", b"a," * 2_000_000, long=True)
    yield Hostile("quote.csv", b'a,b\n"' + b"x,\n" * 500_000, long=True)
    yield Hostile("nul.txt", b"before\x00after " * 100, says="before")
    yield Hostile("one-line.log", b"x" * (8 * MEBIBYTE), long=True)
    yield Hostile("newlines.txt", b"\n" * (4 * MEBIBYTE) + b"end", says="end")
    yield Hostile("controls.txt", bytes(range(1, 32)) * 2000 + b"words")
    yield Hostile("header.sqlite", b"SQLite format 3\x00" + b"\xff" * 8000)
    yield Hostile("footer.parquet", b"PAR1" + bytes(100) + struct.pack("<I", 0x7FFFFFF0) + b"PAR1")
    yield Hostile("cells.ipynb", json.dumps({"nbformat": 4, "cells": [{"cell_type": [], "source": {}}] * 9}).encode())
    yield Hostile("parens.py", b"x = " + b"(" * 100_000, long=True)


def _media() -> Iterator[Hostile]:
    yield Hostile("huge.png", _png(60_000, 60_000))
    yield Hostile("huge.gif", b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\xf0\0\0" + bytes(6) + b",")
    yield Hostile("loop.tiff", b"II*\0\x08\0\0\0\x01\0\0\x01\x04\0\xff\xff\xff\xff\0\0\0\0\x08\0\0\0")
    yield Hostile("size.bmp", b"BM" + struct.pack("<IIIIiiHH", 99, 0, 54, 40, 1 << 30, 1 << 30, 1, 24) + bytes(40))
    yield Hostile("chunk.wav", b"RIFF\xff\xff\xff\xffWAVEdata\xff\xff\xff\xff")
    yield Hostile("boxes.mp4", b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + b"\0\0\0\x08moov" * 20_000)
    yield Hostile("tag.mp3", b"ID3\x04\0\0\x7f\x7f\x7f\x7fTIT2\x7f\x7f\x7f\x7f\0\0")


def _archives() -> Iterator[Hostile]:
    yield Hostile("bomb.gz", gzip.compress(bytes(256 * MEBIBYTE), 9))
    nested = gzip.compress(bytes(MEBIBYTE))
    for _ in range(12):
        nested = gzip.compress(nested)
    yield Hostile("nested.gz", nested)
    yield Hostile("links.tar", _tar_with_links())
    yield Hostile(
        "length.tar", b"x.txt".ljust(124, b"\0") + b"77777777777\0" + bytes(121) + b"ustar\x0000" + bytes(247)
    )
    yield Hostile("start.7z", b"7z\xbc\xaf\x27\x1c\x00\x04" + b"\xff" * 64)
    yield Hostile("start.rar", b"Rar!\x1a\x07\x01\x00" + b"\xff" * 64)


def _mail() -> Iterator[Hostile]:
    head = b"From: a@example.org\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (at, at) for at in range(3000))
    yield Hostile("deep.eml", head + parts + b"bottom", long=True)
    yield Hostile("charset.eml", head + b"Content-Type: text/plain; charset=zlib_codec\r\n\r\nwords")
    yield Hostile("words.eml", head + b"To: " + b"=?utf-8?Q?=41?= " * 50_000 + b"\r\n\r\nwords")
    yield Hostile("froms.mbox", b"From x\n" * 100_000)


def _with_document(document: bytes) -> bytes:
    return samples.zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": document})


def _laughs(root: str) -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE {root} [<!ENTITY l0 "ha">{entities}]><{root}>&l9;</{root}>'.encode()


def _external(root: str, path: str) -> bytes:
    head = f'<?xml version="1.0"?><!DOCTYPE {root} [<!ENTITY x SYSTEM "file://{path}">]>'
    include = f'<i xmlns:x="http://www.w3.org/2001/XInclude"><x:include parse="text" href="file://{path}"/></i>'
    return f"{head}<{root}>&x;{include}</{root}>".encode()


def _yaml_laughs() -> Iterator[str]:
    yield "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"
    for n in range(1, 10):
        yield f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]"


def _far_cell() -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(samples.xlsx({"S": [["x"]]}))) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("sheet1.xml"):
                far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
                content = content.replace(b"</sheetData>", far)
            new.writestr(name, content)
    return out.getvalue()


def _many_entries(count: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number:x}", b"")
    return out.getvalue()


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(4 * MEBIBYTE)))
        + chunk(b"IEND", b"")
    )


def _tar_with_links() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, target in (("link", "/etc/passwd"), ("../up", "../../.."), ("self", "self")):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return out.getvalue()
