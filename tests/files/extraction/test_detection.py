from __future__ import annotations

import io
import tarfile
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from files.extraction.detection import detect, name_mismatch
from files.extraction.media_types import DOCM, DOCX, ODT, XLSB, XLSX
from tests.files.extraction import old_office_samples, samples


def image(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, kind)
    return out.getvalue()


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    return out.getvalue()


def ole(stream: str) -> bytes:
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    header[30:32] = b"\x09\x00"
    return (
        bytes(header)
        + "Root Entry".encode("utf-16-le").ljust(128, b"\x00")
        + stream.encode("utf-16-le").ljust(128, b"\x00")
    )


CONTENTS = [
    (samples.pdf([[(72, 700, 10, "x")]]), "application/pdf", "document"),
    (samples.docx(samples.paragraph("x")), DOCX, "document"),
    (samples.xlsx({"S": [["x"]]}), XLSX, "spreadsheet"),
    (samples.zipped({"a.txt": "b"}), "application/zip", "archive"),
    (samples.zipped({"word/notes.txt": "b"}), "application/zip", "archive"),
    (
        samples.zipped({"[Content_Types].xml": "", "ppt/presentation.xml": ""}),
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "document",
    ),
    (samples.zipped({"META-INF/container.xml": "x"}), "application/epub+zip", "document"),
    (ole("WordDocument"), "application/msword", "document"),
    (ole("PowerPoint Document"), "application/vnd.ms-powerpoint", "document"),
    (ole("EncryptedPackage"), "application/x-encrypted-office", "document"),
    (image("PNG"), "image/png", "image"),
    (image("JPEG"), "image/jpeg", "image"),
    (image("GIF"), "image/gif", "image"),
    (image("BMP"), "image/bmp", "image"),
    (image("TIFF"), "image/tiff", "image"),
    (b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav", "audio"),
    (b"ID3\x04\x00\x00\x00\x00\x00\x00", "audio/mpeg", "audio"),
    (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42", "video/mp4", "video"),
    (b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A mp42", "audio/mp4", "audio"),
    (b"\x1aE\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1fB\x82\x84webm", "video/webm", "video"),
    (tar(), "application/x-tar", "archive"),
    (b"\x1f\x8b\x08\x00", "application/gzip", "archive"),
    (b"7z\xbc\xaf\x27\x1c\x00\x04", "application/x-7z-compressed", "archive"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3", "data"),
    (b"{\\rtf1 x}", "application/rtf", "document"),
    (b"<!DOCTYPE html><p>x", "text/html", "web"),
    ("<html><p>x".encode("utf-16"), "text/html", "web"),
    (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', "text/html", "web"),
    (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml", "image"),
    (b'<?xml version="1.0"?><note/>', "application/xml", "data"),
    (bytes(range(256)) * 4, "application/octet-stream", "other"),
]


@pytest.mark.parametrize(
    ("content", "media_type", "kind"),
    CONTENTS,
    ids=[entry[1].rpartition("/")[2] + str(at) for at, entry in enumerate(CONTENTS)],
)
@pytest.mark.parametrize("name", ["upload", "wrong.txt"])
def test_content_decides_whatever_the_name_says(
    tmp_path: Path, content: bytes, media_type: str, kind: str, name: str
) -> None:
    found = detect(samples.write(tmp_path / "x", content), name)
    assert (found.media_type, found.kind, found.by) == (media_type, kind, "content")


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("notes.md", "Just words.", "text/markdown"),
        ("a.csv", "just one column\n", "text/csv"),
        ("a.tsv", "a\tb\n", "text/tab-separated-values"),
        ("x.py", "print(1)", "text/x-python"),
        ("Dockerfile", "FROM scratch", "text/x-dockerfile"),
        ("x.json", '{"a": 1}', "application/json"),
        ("x.json", '{"a": 1}\n{"a": 2}\n', "application/x-ndjson"),
        ("x.txt", '{"a": 1}', "application/json"),
        ("x.txt", "{curly} words", "text/plain"),
        ("PAPER.PDF", "plain words under a wrong name", "text/plain"),
        ("C:\\docs\\x.html", "<p>fragment", "text/html"),
        ("x.xml", "not xml at all", "text/plain"),
    ],
)
def test_the_name_tells_texts_apart(tmp_path: Path, name: str, content: str, media_type: str) -> None:
    assert detect(samples.write(tmp_path / "x", content), name).media_type == media_type


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        ("Some words.\nMore of them.\n", "text/plain"),
        ("# Title\n\n```\ncode\n```\n", "text/markdown"),
        ("a,b,c\n1,2,3\n4,5,6\n", "text/csv"),
        ("#!/usr/bin/env python3\nprint(1)\n", "text/x-python"),
        ("#!/bin/sh\necho\n", "text/x-shellscript"),
        ("From: a@example.org\nDate: today\n\nHello", "message/rfc822"),
        ('[{"a": 1}]', "application/json"),
        ("X-Spam: no\nReturn-Path: <a@b>\nReceived: from c\n by d\nSubject: x\n\nHello", "message/rfc822"),
        ("From: nobody in particular\n\nThis is a letter.\n", "text/plain"),
        ("begin:vcard\nversion:3.0\nend:vcard\n", "text/vcard"),
        ("", "text/plain"),
    ],
)
def test_a_file_without_a_telling_name_is_looked_at(tmp_path: Path, content: str, media_type: str) -> None:
    assert detect(samples.write(tmp_path / "x", content), "upload").media_type == media_type


def test_damaged_bytes_under_a_known_ending_go_to_its_reader(tmp_path: Path) -> None:
    assert detect(samples.write(tmp_path / "x", b"\x00\x01\x02" * 500), "report.docx").media_type == DOCX


def test_a_zip_cut_off_in_the_middle_is_still_known(tmp_path: Path) -> None:
    content = samples.docx(samples.paragraph("x " * 5000))
    assert detect(samples.write(tmp_path / "x", content[: len(content) // 2]), "x.docx").media_type in (
        DOCX,
        "application/zip",
    )


def test_a_document_of_which_the_beginning_is_left_goes_to_its_reader(tmp_path: Path) -> None:
    path = samples.write(tmp_path / "x", samples.zipped({"[Content_Types].xml": "", "_rels/.rels": ""}))
    assert detect(path, "letter.docx").media_type == DOCX
    assert detect(path, "letter.zip").media_type == "application/zip"


def test_an_open_document_that_another_program_packed_is_known(tmp_path: Path) -> None:
    parts = {"content.xml": "<a/>", "mimetype": ODT[0]}
    path = samples.write(tmp_path / "x", samples.zipped(parts))
    assert detect(path, "x").media_type == ODT[0]


def test_an_ole_directory_beyond_the_end_is_no_obstacle(tmp_path: Path) -> None:
    content = ole("WordDocument")[:30] + b"\xff" * 600
    path = samples.write(tmp_path / "x", content)
    assert detect(path, "x").media_type == "application/x-ole-storage"
    assert detect(path, "x.doc").media_type == "application/msword"


def test_the_directory_of_an_ole_container_is_followed_through_its_chain(tmp_path: Path) -> None:
    streams = {f"stream {at:02}": b"x" * 5000 for at in range(40)} | {"PowerPoint Document": b"x"}
    path = samples.write(tmp_path / "x", old_office_samples.ole(streams))
    assert detect(path, "x").media_type == "application/vnd.ms-powerpoint"


def test_what_an_ole_container_embeds_does_not_decide(tmp_path: Path) -> None:
    path = samples.write(tmp_path / "x", old_office_samples.ole({"MBD1/WordDocument": b"x", "Workbook": b"x"}))
    assert detect(path, "x").media_type == "application/vnd.ms-excel"


def test_takes_less_than_a_millisecond(tmp_path: Path) -> None:
    paths = [samples.write(tmp_path / str(at), content) for at, (content, _, _) in enumerate(CONTENTS)]
    times = []
    for path in paths * 5:
        started = time.thread_time()
        detect(path)
        times.append(time.thread_time() - started)
    assert sorted(times)[len(times) // 2] < 0.001


TEXTS = {
    "text/html": "<!doctype html><title>t</title><p>words",
    "image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg"/>',
    "application/xml": '<?xml version="1.0"?><note>words</note>',
    "text/vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\nwords\n",
    "application/x-subrip": "1\n00:00:01,000 --> 00:00:02,000\nwords\n",
    "text/calendar": "BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n",
    "text/vcard": "BEGIN:VCARD\nFN:A. Writer\nEND:VCARD\n",
    "message/rfc822": "Received: by mail.example.org\nFrom: a@example.org\nSubject: s\nDate: today\n\nwords",
    "application/json": '{"a": [1, 2]}',
}
RIGHT = {
    "pdf": ["application/pdf"],
    "docx": [DOCX, "application/x-encrypted-office"],
    "png": ["image/png"],
    "mp3": ["audio/mpeg"],
    "zip": ["application/zip"],
}
WRONG = ("pdf", "docx", "png", "mp3", "zip", "txt", "csv")


@pytest.mark.parametrize("ending", WRONG)
def test_25_types_under_wrong_endings_are_read_as_what_they_are_and_say_so(tmp_path: Path, ending: str) -> None:
    """Among these are nine of text; the others have their own bytes."""
    binary = {media_type: content for content, media_type, _ in CONTENTS if media_type != "application/octet-stream"}
    every = {**binary, **{media_type: text.encode() for media_type, text in TEXTS.items()}}
    assert len(every) >= 25
    for media_type, content in every.items():
        name = f"report.{ending}"
        found = detect(samples.write(tmp_path / "x", content), name)
        assert found.media_type == media_type, name
        assert bool(found.mismatch) is (media_type not in RIGHT.get(ending, ())), found


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.pdf", "application/pdf"),
        ("a.PDF", "application/pdf"),
        ("a", "image/png"),
        ("a.unheard-of", "image/png"),
        ("a.m4a", "video/mp4"),
        ("a.ogg", "audio/opus"),
        ("page.xml", "text/html"),
        ("secret.docx", "application/x-encrypted-office"),
        ("broken.pdf", "application/octet-stream"),
        ("a.docx", "application/vnd.ms-word.document.macroenabled.12"),
    ],
)
def test_names_that_do_not_contradict_are_left_alone(name: str, media_type: str) -> None:
    assert name_mismatch(name, media_type) == ""


def test_a_wrong_name_is_told_in_a_sentence() -> None:
    told = "The name ends in .pdf, but the content is: PNG image. It is read as that."
    assert name_mismatch("scan.pdf", "image/png") == told
    assert "JSON" in name_mismatch("notes.txt", "application/json")
    assert "plain text" in name_mismatch("list.json", "text/plain")


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("x.json", "a,b,c\n1,2,3\n4,5,6\n", "text/csv"),
        ("x.eml", "Just a note, no header here.\n", "text/plain"),
        ("x.ics", "Nothing of a calendar.\n", "text/plain"),
        ("x.csv", '[{"a": 1}, {"a": 2}]', "application/json"),
        ("x.ipynb", "words", "text/plain"),
        ("x.json", '{"cells": [{"cell_type": "code"}], "nbformat": 4}', "application/x-ipynb+json"),
        ("page.php", "<!doctype html><?php echo 1 ?>", "text/x-php"),
        ("memo.txt", "From: Ann\nTo: Bob\nSubject: lunch\n\nAt noon?", "text/plain"),
        ("empty.json", "", "application/json"),
        ("cut.csv", "é" * 20_000, "text/csv"),
    ],
)
def test_an_ending_is_believed_unless_the_text_contradicts(
    tmp_path: Path, name: str, content: str, media_type: str
) -> None:
    assert detect(samples.write(tmp_path / "x", content), name).media_type == media_type


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        ("\\documentclass{article}\n\\begin{document}\nx\n", "text/x-tex"),
        ("[server]\nhost = files.example.org\nport = 8443\n", "text/x-ini"),
        ('[server]\nhost = "files"\nport = 8443\n', "application/toml"),
        ("name: run\non:\n  push:\n    branches: [main]\n", "application/yaml"),
        ("2024-05-01T10:00:00Z INFO started\n2024-05-01T10:00:02Z WARN slow\n", "text/x-log"),
        (".. _top:\n\n.. note::\n\n   words\n", "text/x-rst"),
        ('a;"b;c";d\n1;2;3\n4;5;6\n', "text/csv"),
        ("<?php echo 1;", "text/x-php"),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title></feed>', "application/xml"),
        ("From a@example.org Mon Jul 20 01:01:07 2015\nSubject: s\nFrom: a@example.org\n\nx\n", "application/mbox"),
        ("Dear all,\nplease note: the harbour is closed.\nYours\n", "text/plain"),
        ("Note: one\nRemark: two\nAnother thing: three\n", "text/plain"),
    ],
)
def test_texts_without_a_name_are_told_apart(tmp_path: Path, content: str, media_type: str) -> None:
    assert detect(samples.write(tmp_path / "x", content), "upload").media_type == media_type


ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
SOUND, FILM = (bytes.fromhex(each) for each in ("409e69f84d5bcf11a8fd00805f5c442b", "c0ef19bc4d5bcf11a8fd00805f5c442b"))


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (ASF + bytes(60) + SOUND, "audio/x-ms-wma"),
        (ASF + bytes(60) + SOUND + FILM, "video/x-ms-asf"),
        (b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\x82\x88matroska", "video/x-matroska"),
        (b"OggS" + bytes(24) + b"OpusHead", "audio/opus"),
        (b"FORM\x00\x00\x00\x10AIFFCOMM", "audio/aiff"),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1heicmiaf", "image/heic"),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf", "image/avif"),
        (b"PAR1\x15\x04\x15\x00\x15", "application/vnd.apache.parquet"),
        (b"\x78\x9f\x3e\x22\x01\x00", "application/vnd.ms-tnef"),
        (b"\xef\xbb\xbf\n{\\rtf1 x}", "application/rtf"),
        (samples.zipped({"[Content_Types].xml": "", "xl/workbook.bin": ""}), XLSB),
        (samples.zipped({"[Content_Types].xml": "", "word/document.xml": "", "word/vbaProject.bin": ""}), DOCM),
        (ole("Book"), "application/vnd.ms-excel"),
        (ole("__properties_version1.0"), "application/vnd.ms-outlook"),
        (b"%!PS-Adobe-3.0\n", "application/postscript"),
        (b"GIF89a" + bytes(7) + b"<script>alert(1)</script>", "image/gif"),
        (b"junk before it\n%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
    ],
)
def test_formats_that_share_their_first_bytes_are_told_apart(tmp_path: Path, content: bytes, media_type: str) -> None:
    assert detect(samples.write(tmp_path / "x", content), "upload").media_type == media_type


def test_a_tar_without_its_mark_is_known_by_its_checksum(tmp_path: Path) -> None:
    content = bytearray(tar())
    content[257:265] = bytes(8)
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    assert detect(samples.write(tmp_path / "x", bytes(content)), "upload").media_type == "application/x-tar"


@given(st.binary(max_size=3000), st.sampled_from(["x", "x.csv", "x.json", "x.pdf", "x.eml", "x.txt"]))
def test_any_bytes_have_a_type(content: bytes, name: str) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        assert "/" in detect(Path(file.name), name).media_type


@pytest.mark.parametrize(
    "unit",
    ["\n", "\n ", "[", "<a ", "<!--", "a: b\n", "- ", '"', "a,", "1\n", "From x\n", "X-A: b\n", "= \n", "=\n", "{ "],
)
@pytest.mark.parametrize("name", ["x", "x.csv", "x.json", "x.xml", "x.eml"])
def test_no_text_makes_detection_slow(tmp_path: Path, unit: str, name: str) -> None:
    path = samples.write(tmp_path / "x", unit * 20_000)
    started = time.thread_time()
    detect(path, name)
    assert time.thread_time() - started < 0.1  # seconds of the processor; mostly 0.003
